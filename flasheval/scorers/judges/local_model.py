"""A vision-language model of transformers that answers questions about images."""

from __future__ import annotations

import inspect
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

from flasheval.base.errors import DataError
from flasheval.base.models.batches import Batches, free_memory, is_out_of_memory
from flasheval.base.models.loading import (
    Dtype,
    as_loaded,
    check_installed,
    load_model,
    load_part,
    put,
    quiet,
)
from flasheval.base.models.weights import Weights
from flasheval.scorers.judges.answer_tokens import share_of_yes, yes_and_no
from flasheval.scorers.judges.asking import Ask, Said, YesNo, without_thoughts
from flasheval.scorers.judges.processor import Chat, load_chat

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LocalModel", "load_local"]

T = TypeVar("T")

_KEPT = 256 * 2**20  # bytes of images' features that stay for the next judge of a run


@dataclass(frozen=True)
class _Row:
    """A question as the model's inputs, with the features of its image."""

    place: int
    inputs: Mapping[str, Any]
    features: Any


class LocalModel:
    """A vision-language model in memory; each image goes through its vision part once.

    Args:
        model: The model, on its device.
        chat: Its processor and chat template.
        checkpoint: Its name, for messages.

    Attributes:
        vision_passes: How often the vision part has run.

    """

    def __init__(self, model: Any, chat: Chat, checkpoint: str) -> None:
        self._model, self._chat = model, chat
        self._yes, self._no = yes_and_no(chat.tokenizer.get_vocab(), checkpoint)
        self._seen: OrderedDict[bytes, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._rows: int | None = None  # that memory bears at a time, once it ran out
        self.vision_passes = 0
        text = model.config.get_text_config()
        self._plain_head = not any(
            getattr(text, name, None) for name in ("final_logit_softcapping", "logit_scale")
        )

    def yes(self, asks: Sequence[Ask], batch: int) -> list[YesNo]:
        """Return the probability of yes for each question; see `AnsweringModel.yes`."""
        found = self._answers(asks, batch, self._yes_of)
        return [one if isinstance(one, YesNo) else YesNo(reason=one) for one in found]

    def say(self, asks: Sequence[Ask], batch: int, most_tokens: int) -> list[Said]:
        """Return an answer to each question, decoded greedily; see `AnsweringModel.say`."""
        found = self._answers(asks, batch, lambda rows: self._said(rows, most_tokens))
        return [one if isinstance(one, Said) else Said(None, one) for one in found]

    def record(self) -> Mapping[str, Any]:
        """Return nothing: what is computed here costs no calls."""
        return {}

    def _answers(
        self, asks: Sequence[Ask], batch: int, answer: Callable[[Sequence[_Row]], list[T]]
    ) -> list[T | str]:
        """Return an answer to each question, or why its image has none."""
        found: list[T | str] = ["" for _ in asks]
        waiting: list[_Row] = []

        with self._lock, as_loaded(self._model.device.type):
            for key, places in _by_image(asks):
                image = asks[places[0]].image
                try:
                    inputs = self._chat.read(
                        image, [(asks[place].system, asks[place].text) for place in places]
                    )
                except ValueError as error:  # such as an image a hundred times as wide as high
                    for place in places:
                        found[place] = f"the model cannot take the image ({_line(error)})"
                    continue
                features = self._features(key, inputs[0])
                waiting += [
                    _Row(place, self._chat.for_text(own), features)
                    for place, own in zip(places, inputs, strict=True)
                ]
                while len(waiting) >= batch:
                    self._do(waiting[:batch], answer, found)
                    del waiting[:batch]
            self._do(waiting, answer, found)
        return found

    def _do(
        self,
        rows: Sequence[_Row],
        answer: Callable[[Sequence[_Row]], list[T]],
        found: list[T | str],
    ) -> None:
        """Answer some questions together, or in parts where memory runs out; set ``found``."""
        size = min(len(rows), self._rows or len(rows))
        batches = Batches(max(1, size))
        parts = batches.over(len(rows), lambda part: answer(rows[part]))
        if batches.size < size:
            self._rows = batches.size
        for row, one in zip(rows, (one for part in parts for one in part), strict=True):
            found[row.place] = one

    def _features(self, key: bytes, inputs: Mapping[str, Any]) -> Any:
        """Return what the vision part makes of an image, from memory where it is there."""
        if key in self._seen:
            self._seen.move_to_end(key)
            return self._seen[key]
        see = self._model.model.get_image_features
        own = {
            name: self._put(value)
            for name, value in inputs.items()
            if name in inspect.signature(see).parameters
        }
        try:
            made = see(**own, return_dict=True)
        except Exception as error:
            if not self._seen or not is_out_of_memory(error):
                raise
            made = None
        if made is None:  # outside the handler: the traceback would hold on to the memory
            self._seen.clear()
            free_memory()
            made = see(**own, return_dict=True)
        self.vision_passes += 1
        features = _needed(made)
        self._seen[key] = features
        while sum(map(_bytes, self._seen.values())) > _KEPT and len(self._seen) > 1:
            self._seen.popitem(last=False)
        return features

    def _yes_of(self, rows: Sequence[_Row]) -> list[YesNo]:
        import torch

        inputs = self._batch(rows)
        if "image_grid_thw" not in inputs:  # else the model makes places of its own kind
            first = 1 if self._model.config.model_type == "paligemma" else 0
            places = inputs["attention_mask"].cumsum(-1) - 1
            inputs["position_ids"] = places.clamp(min=0) + first
        features = {"image": _joined([row.features for row in rows])}
        tokens = [*self._yes, *self._no]
        head = self._model.get_output_embeddings()
        if self._plain_head and head is not None:
            out = self._model.model(**inputs, mm_encoder_outputs=features, use_cache=False)
            last = out.last_hidden_state[:, -1]
            whole = torch.logsumexp(head(last).double(), -1)
            # The few that count are computed in float32: bf16 has steps of 1/8 around 20.
            own = last.float() @ head.weight[tokens].float().T
            if getattr(head, "bias", None) is not None:
                own = own + head.bias[tokens].float()
        else:
            out = self._model(
                **inputs, mm_encoder_outputs=features, use_cache=False, logits_to_keep=1
            )
            logits = out.logits[:, -1].double()
            whole, own = torch.logsumexp(logits, -1), logits[:, tokens]
        found = []
        for row, all_of_it in zip(own.double().tolist(), whole.tolist(), strict=True):
            yes, no = row[: len(self._yes)], row[len(self._yes) :]
            share, mass = share_of_yes(yes, no, all_of_it)
            lost = math.isnan(share) or math.isnan(mass)
            found.append(YesNo(reason="the model gives no numbers") if lost else YesNo(share, mass))
        return found

    def _said(self, rows: Sequence[_Row], most_tokens: int) -> list[Said]:
        import transformers

        config: Any = transformers.GenerationConfig  # its constructor has no types
        stored, tokenizer = self._model.generation_config, self._chat.tokenizer
        pad = tokenizer.pad_token_id
        ends = tokenizer.eos_token_id if stored.eos_token_id is None else stored.eos_token_id
        settings = config(  # stored ones may draw, or punish what was said before
            max_new_tokens=most_tokens,
            do_sample=False,
            eos_token_id=ends,
            pad_token_id=tokenizer.eos_token_id if pad is None else pad,
        )
        inputs = self._batch(rows)
        given = inputs["input_ids"].shape[1]
        features = {"image": _joined([row.features for row in rows])}
        with quiet():
            made = self._model.generate(
                **inputs, mm_encoder_outputs=features, generation_config=settings
            )
        texts = tokenizer.batch_decode(made[:, given:].tolist(), skip_special_tokens=True)
        return [Said(without_thoughts(text)) for text in texts]

    def _batch(self, rows: Sequence[_Row]) -> dict[str, Any]:
        """Return the inputs of several questions, filled up on the left."""
        import torch

        pad = self._chat.tokenizer.pad_token_id
        longest = max(row.inputs["input_ids"].shape[1] for row in rows)
        made: dict[str, Any] = {}
        for name in rows[0].inputs:
            parts = [row.inputs[name] for row in rows]
            if name != "image_grid_thw":
                filler = (pad or 0) if name == "input_ids" else 0
                parts = [
                    torch.nn.functional.pad(part, (longest - part.shape[1], 0), value=filler)
                    for part in parts
                ]
            made[name] = self._put(torch.cat(parts))
        return made

    def _put(self, value: Any) -> Any:
        return value.to(self._model.device) if hasattr(value, "to") else value


def load_local(weights: Weights, dtype: Dtype, device: str) -> LocalModel:
    """Load a model and its processor onto a device.

    Raises:
        DataError: A part is missing or damaged, or the model cannot be asked.

    """
    check_installed(weights.name)
    from transformers import AutoConfig, AutoModelForImageTextToText

    of = "an image-text-to-text"
    with quiet():
        config = load_part(
            weights, "configuration", AutoConfig.from_pretrained, of=of, trust_remote_code=False
        )
        chat = load_chat(weights, config)
        model = load_model(
            weights, AutoModelForImageTextToText, dtype, of=of, trust_remote_code=False
        )
        takes = inspect.signature(type(model).forward).parameters
        if "mm_encoder_outputs" not in takes or not hasattr(model.model, "get_image_features"):
            raise DataError(
                f"checkpoint {weights.name}: a {config.model_type} cannot be asked several "
                "questions of one image with this transformers; give another checkpoint, or "
                "transformers 5.23 or later"
            )
        return LocalModel(put(model, weights, device), chat, weights.name)


def _by_image(asks: Sequence[Ask]) -> Iterator[tuple[bytes, list[int]]]:
    """Yield each image's key and the places of its questions, images in order of appearance."""
    keys: dict[int, bytes] = {}
    places: dict[bytes, list[int]] = {}
    for place, ask in enumerate(asks):
        if id(ask.image) not in keys:
            keys[id(ask.image)] = _key(ask.image)
        places.setdefault(keys[id(ask.image)], []).append(place)
    yield from places.items()


def _key(image: Image) -> bytes:
    return blake2b(repr(image.size).encode() + image.tobytes(), digest_size=16).digest()


def _needed(made: Any) -> Any:
    """Return the features that the language part reads, without the vision part's other states."""
    deep = getattr(made, "deepstack_features", None)
    more = {} if deep is None else {"deepstack_features": deep}
    return type(made)(pooler_output=made.pooler_output, **more)


def _joined(features: Sequence[Any]) -> Any:
    """Return the features of several images as the vision part gives them for a batch."""
    first = features[0]
    pooled = _one_after_another([one.pooler_output for one in features])
    deep = getattr(first, "deepstack_features", None)
    if deep is None:
        return type(first)(pooler_output=pooled)
    layers = [
        _one_after_another([one.deepstack_features[layer] for one in features])
        for layer in range(len(deep))
    ]
    return type(first)(pooler_output=pooled, deepstack_features=layers)


def _one_after_another(parts: Sequence[Any]) -> Any:
    import torch

    if isinstance(parts[0], torch.Tensor):
        return torch.cat(list(parts))
    return [tensor for part in parts for tensor in part]


def _bytes(features: Any) -> int:
    def count(value: Any) -> int:
        if isinstance(value, list | tuple):
            return sum(map(count, value))
        return int(value.numel() * value.element_size())

    deep = getattr(features, "deepstack_features", None)
    return count(features.pooler_output) + (0 if deep is None else count(deep))


def _line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
