"""ImageReward (Xu et al. 2023): a BLIP trained on people's rankings of images for a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError
from flasheval.base.models.loading import (
    as_loaded,
    check_installed,
    load_model,
    load_part,
    put,
    quiet,
)
from flasheval.base.models.stored import read_state
from flasheval.base.models.weights import Weights, locate_file
from flasheval.prompts.lengths import IMAGE_REWARD_TOKENS
from flasheval.prompts.readers import TextReader
from flasheval.scorers.checkpoint import CheckpointSettings
from flasheval.scorers.checks import check_lengths, check_scores
from flasheval.scorers.head import Head, read_head
from flasheval.scorers.image_reward_layout import HEAD, blip_configs, to_blip

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ImageRewardScorer", "ImageRewardSettings"]

_CHECKPOINT, _FILE = "zai-org/ImageReward", "ImageReward.pt"
_FORMERLY = "THUDM/ImageReward"
_REVISION = "5736be03b2652728fb87788c9797b0570450ab72"
_TOKENIZER = "google-bert/bert-base-uncased"
_TOKENIZER_REVISION = "86b5e0934494bd15c9632b12f734a8a67f723594"
# Of the rewards in training, as published: scores have mean 0 and standard deviation 1 there.
_MEAN, _STD = 0.16717362830052426, 1.0333394966054072


@dataclass
class ImageRewardScorer:
    """ImageReward-v1.0, ``(head(BLIP(image, text)) - mean) / std`` (Xu et al. 2023, 2304.05977).

    The text encoder attends to the image (cross attention); the output at its first token goes
    through five linear layers. Around -2 to 2.
    """

    name: str
    version: str
    vision: Any
    text: Any
    tokenizer: Any
    processor: Any
    head: Head
    batch: int
    higher_is_better: bool = True

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score an image, float32 [len(images)]; see `Scorer.score`."""
        check_lengths(self.name, images, prompts)
        parts = [np.empty((0, self.text.config.hidden_size), dtype=np.float32)]
        with as_loaded(self.vision.device.type):
            for start in range(0, len(images), self.batch):
                part = slice(start, start + self.batch)
                parts.append(self._read(images[part], prompts[part]))
        rewards = self.head(np.concatenate(parts))
        return check_scores(self.name, (rewards - _MEAN) / _STD, len(images))

    def _read(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return what stands at the first token of each text, float32 [len(images), width]."""
        pixels = self.processor(images=list(images), return_tensors="pt")["pixel_values"]
        pixels = pixels.to(self.vision.device, self.vision.dtype)
        tokens = self.tokenizer(
            list(prompts),
            padding="max_length",
            truncation=True,
            max_length=IMAGE_REWARD_TOKENS,
            return_tensors="pt",
        ).to(self.text.device)
        read = self.text(
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            encoder_hidden_states=self.vision(pixel_values=pixels).last_hidden_state,
        )
        first: NDArray[np.float32] = read.last_hidden_state[:, 0].float().cpu().numpy()
        return first


@dataclass(frozen=True)
class ImageRewardSettings(CheckpointSettings):
    """Settings of ImageReward: those of `CheckpointSettings`, and two more.

    Attributes:
        checkpoint: The weights as published: a file, a folder with ImageReward.pt, or a name on
            the Hub that has it.
        dtype: As in `CheckpointSettings`; the head is always float64.
        tokenizer: BERT's tokenizer, without case: a folder, or a name on the Hub.
        tokenizer_revision: As `revision`, for `tokenizer`.

    >>> ImageRewardSettings().metric
    'ImageReward'

    """

    kind: ClassVar[str] = "image-reward"
    tested: ClassVar[Mapping[str, str]] = {
        _CHECKPOINT: _REVISION,
        _FORMERLY: _REVISION,
        _TOKENIZER: _TOKENIZER_REVISION,
    }
    checkpoint: str = _CHECKPOINT
    metric_name: str = "ImageReward"
    tokenizer: str = _TOKENIZER
    tokenizer_revision: str | None = None

    @cached_property
    def weights(self) -> Weights:
        """The path and revision of the checkpoint. Raises DataError when it is not found."""
        return locate_file(self.checkpoint, _FILE, self.revision, tested=self.tested)

    @cached_property
    def tokenizer_weights(self) -> Weights:
        """The path and revision of the tokenizer. Raises DataError when it is not found."""
        return self.beside(self.tokenizer, self.tokenizer_revision, "tokenizer_config.json")

    def readers(self) -> tuple[TextReader, ...]:
        """Return BERT, which reads 35 tokens here, as in the published package."""
        file = Path(self.tokenizer_weights.path) / "tokenizer.json"
        where = file if file.is_file() else None
        return (TextReader(f"scorer {self.metric}", IMAGE_REWARD_TOKENS, where),)

    def identity(self) -> dict[str, JSON]:
        """Return the revisions of checkpoint and tokenizer, and the dtype."""
        return {
            "kind": self.kind,
            "checkpoint": self.weights.revision,
            "tokenizer": self.tokenizer_weights.revision,
            "dtype": self.dtype,
        }

    def load(self, device: str) -> ImageRewardScorer:
        """Load the model onto a device; the head is computed on the CPU."""
        check_installed(self.checkpoint)
        from transformers import CLIPImageProcessorPil

        with quiet():
            vision, text, head = self._parts()
            side = vision.config.image_size
            return ImageRewardScorer(
                self.metric,
                self.version,
                put(vision, self.weights, device),
                put(text, self.weights, device),
                self._tokenizer(text.config.vocab_size),
                # CLIP's mean and standard deviation too, as published.
                CLIPImageProcessorPil(
                    size={"shortest_edge": side}, crop_size={"height": side, "width": side}
                ),
                head,
                self.batch,
            )

    def _parts(self) -> tuple[Any, Any, Head]:
        from transformers import BlipTextModel, BlipVisionModel

        state = read_state(self.weights, _FILE)
        sees, reads = blip_configs(state, self.checkpoint)
        vision, text = to_blip(state, self.checkpoint)
        head = read_head(state, HEAD, reads.hidden_size, self.checkpoint)
        return (
            load_model(
                self.weights,
                BlipVisionModel,
                self.dtype,
                of="an ImageReward",
                config=sees,
                state_dict=vision,
            ),
            load_model(
                self.weights,
                BlipTextModel,
                self.dtype,
                of="an ImageReward",
                config=reads,
                state_dict=text,
                add_pooling_layer=False,
            ),
            head,
        )

    def _tokenizer(self, known: int) -> Any:
        from transformers import BertTokenizer

        tokenizer = load_part(
            self.tokenizer_weights, "tokenizer", BertTokenizer.from_pretrained, of="a BERT"
        )
        tokenizer.add_special_tokens({"bos_token": "[DEC]"})  # BLIP's two, in this order
        tokenizer.add_special_tokens({"additional_special_tokens": ["[ENC]"]})
        if len(tokenizer) != known:
            raise DataError(
                f"checkpoint {self.tokenizer}: with BLIP's two its tokenizer has {len(tokenizer)} "
                f"tokens, and the model {known}; give BERT's without case"
            )
        return tokenizer
