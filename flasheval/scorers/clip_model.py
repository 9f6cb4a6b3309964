"""Images and texts into CLIP's common space, on transformers alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from flasheval.errors import DataError
from flasheval.weights import Weights

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ClipModel", "Dtype", "cosine", "load_clip"]

Dtype: TypeAlias = Literal["auto", "fp32", "fp16", "bf16"]
_TORCH_NAMES = {"auto": "auto", "fp32": "float32", "fp16": "float16", "bf16": "bfloat16"}


@dataclass(frozen=True)
class ClipModel:
    """A loaded CLIPModel with its tokenizer and image processor; `load_clip` makes one.

    Attributes:
        model: The transformers CLIPModel, in evaluation mode.
        tokenizer: Its tokenizer.
        processor: Its image processor: resize, crop, normalise.
        batch: Images or texts at a time.

    """

    model: Any
    tokenizer: Any
    processor: Any
    batch: int

    @property
    def logit_scale(self) -> float:
        """The factor the cosines are multiplied by in training, exp of the stored parameter."""
        return float(self.model.logit_scale.detach().double().exp())

    def embed_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Return the projected embeddings, float32 [len(images), width], not normalised."""

        def embed(part: Sequence[Image]) -> Any:
            pixels = self.processor(images=list(part), return_tensors="pt")["pixel_values"]
            pixels = pixels.to(self.model.device, self.model.dtype)
            return self.model.get_image_features(pixel_values=pixels)

        return self._in_parts(embed, images)

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the projected embeddings, float32 [len(texts), width], not normalised.

        A text is cut at the tokens the model knows places for, 77 in every published CLIP.
        """
        places = self.model.config.text_config.max_position_embeddings

        def embed(part: Sequence[str]) -> Any:
            tokens = self.tokenizer(
                list(part), padding=True, truncation=True, max_length=places, return_tensors="pt"
            ).to(self.model.device)
            return self.model.get_text_features(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            )

        return self._in_parts(embed, texts)

    def _in_parts(
        self, embed: Callable[[Sequence[Any]], Any], things: Sequence[Any]
    ) -> NDArray[np.float32]:
        parts = [np.empty((0, self.model.config.projection_dim), dtype=np.float32)]
        with _as_loaded(self.model.device.type):
            for start in range(0, len(things), self.batch):
                features = embed(things[start : start + self.batch]).pooler_output
                parts.append(features.float().cpu().numpy())
        return np.concatenate(parts)


def cosine(images: NDArray[np.float32], texts: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the cosine of each image embedding with the text embedding of its row, float64 [n].

    >>> cosine(np.float32([[3, 4], [1, 0]]), np.float32([[4, 3], [-2, 0]]))
    array([ 0.96, -1.  ])
    """
    a, b = images.astype(np.float64), texts.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # no direction, no score: NaN
        product = (a * b).sum(axis=1)
        found: NDArray[np.float64] = product / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return found


def load_clip(
    weights: Weights, processor: Weights, *, device: str, dtype: Dtype, batch: int
) -> ClipModel:
    """Load a CLIPModel, and the tokenizer and image processor that go with it.

    Args:
        weights: The model.
        processor: Where tokenizer and image processor are; often the same.
        device: Where to, such as ``cpu`` or ``cuda:0``.
        dtype: Of the weights; ``auto`` is as they are stored.
        batch: Images or texts at a time.

    Raises:
        DataError: Something is missing, damaged or not a CLIP, in one line.

    """
    try:
        import torch
        from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer
    except ImportError as error:
        raise DataError(
            f"checkpoint {weights.name}: {error.name} is not installed; "
            'run pip install "flasheval[generate]"'
        ) from error
    kind = _TORCH_NAMES[dtype]
    with _quiet():
        model, info = _load(
            weights,
            "model",
            CLIPModel.from_pretrained,
            dtype=kind if kind == "auto" else getattr(torch, kind),
            use_safetensors=True,
            ignore_mismatched_sizes=True,  # told below, in one line
            output_loading_info=True,
        )
        lost = sorted([*info["missing_keys"], *(str(key[0]) for key in info["mismatched_keys"])])
        if lost:  # transformers would go on with random numbers in their place
            raise DataError(
                f"checkpoint {weights.name}: {len(lost)} weights of a CLIP model are missing or of "
                f"another shape, such as {lost[0]}; is it a CLIP checkpoint, and whole?"
            )
        tokenizer = _load(processor, "tokenizer", CLIPTokenizer.from_pretrained)
        pixels = _load(processor, "image processor", CLIPImageProcessorPil.from_pretrained)
    known, tokens = model.config.text_config.vocab_size, len(tokenizer)
    if not 3 < tokens <= known:  # without its files it has the special ones only
        raise DataError(
            f"checkpoint {processor.name}: its tokenizer has {tokens} tokens, and the model "
            f"{known}; give the tokenizer that belongs to the model"
        )
    try:
        model = model.to(device).eval().requires_grad_(False)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise DataError(
            f"checkpoint {weights.name}: it cannot be put on device {device} ({_first_line(error)})"
        ) from error
    return ClipModel(model, tokenizer, pixels, batch)


def _load(weights: Weights, what: str, from_pretrained: Callable[..., Any], **options: Any) -> Any:
    try:
        return from_pretrained(weights.path, revision=weights.commit, **options)
    except Exception as error:  # safetensors, tokenizers and the Hub each raise their own
        raise DataError(
            f"checkpoint {weights.name}: its {what} cannot be loaded ({_first_line(error)}); "
            "is it a whole CLIP checkpoint?"
        ) from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


@contextmanager
def _as_loaded(device: str) -> Iterator[None]:
    """Compute in the weights' own dtype, whatever a training loop around has switched on."""
    import torch

    # TensorFloat-32 keeps 10 bits; torch's default for convolutions. Settings of torch 2.9 on.
    places: list[Any] = [torch.backends.cuda.matmul, getattr(torch.backends.cudnn, "conv", None)]
    before = {place: place.fp32_precision for place in places if hasattr(place, "fp32_precision")}
    try:
        for place in before:
            place.fp32_precision = "ieee"
        with torch.inference_mode(), torch.autocast(device, enabled=False):
            yield
    finally:
        for place, precision in before.items():
            place.fp32_precision = precision


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from its bars and tables of what it loaded; a download shows its bar."""
    import huggingface_hub.utils
    import transformers.utils.logging

    hub: Any = huggingface_hub.utils  # neither says what it exports
    logging: Any = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    downloads = not hub.are_progress_bars_disabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()  # the Hub's too
    if downloads:
        hub.enable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
        if not downloads:
            hub.disable_progress_bars()
