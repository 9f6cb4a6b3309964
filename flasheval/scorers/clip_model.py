"""Embedding images and texts with CLIP (Radford et al. 2021), using transformers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError
from flasheval.base.json_data import read_json
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
from flasheval.prompts.lengths import CLIP_TOKENS
from flasheval.prompts.readers import TextReader

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ClipModel", "cosine", "load_clip", "load_tokenizer", "text_encoder"]


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

        A text is cut at the model's maximum number of tokens, 77 in every published CLIP.
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
        with as_loaded(self.model.device.type):
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
        processor: The checkpoint of tokenizer and image processor; often the same.
        device: The device, such as ``cpu`` or ``cuda:0``.
        dtype: The type of the weights; ``auto`` keeps the stored one.
        batch: Images or texts at a time.

    Raises:
        DataError: A part is missing, damaged or not of a CLIP.

    """
    check_installed(weights.name)
    from transformers import CLIPImageProcessorPil, CLIPModel

    with quiet():
        model = load_model(weights, CLIPModel, dtype, of="a CLIP")
        tokenizer = load_tokenizer(processor, model)
        pixels = load_part(
            processor, "image processor", CLIPImageProcessorPil.from_pretrained, of="a CLIP"
        )
    return ClipModel(put(model, weights, device), tokenizer, pixels, batch)


def text_encoder(name: str, model: Weights, tokenizer: Weights) -> TextReader:
    """Return how far a CLIPModel reads, told from its files; 77 tokens where they are not here."""
    config = Path(model.path) / "config.json"
    settings = read_json(config) if config.is_file() else {}
    text = settings.get("text_config") if isinstance(settings, dict) else None
    places = text.get("max_position_embeddings") if isinstance(text, dict) else None
    file = Path(tokenizer.path) / "tokenizer.json"
    tokens = places if isinstance(places, int) else CLIP_TOKENS
    return TextReader(name, tokens, file if file.is_file() else None)


def load_tokenizer(weights: Weights, model: Any) -> Any:
    """Load the tokenizer of a CLIPModel. Raises DataError when it does not fit the model."""
    from transformers import CLIPTokenizer

    tokenizer = load_part(weights, "tokenizer", CLIPTokenizer.from_pretrained, of="a CLIP")
    known, tokens = model.config.text_config.vocab_size, len(tokenizer)
    if not 3 < tokens <= known:  # without its files it has the special ones only
        raise DataError(
            f"checkpoint {weights.name}: its tokenizer has {tokens} tokens, and the model "
            f"{known}; give the tokenizer that belongs to the model"
        )
    return tokenizer
