"""Feature extractors that use transformers alone: CLIP, SigLIP, DINOv2, ViT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.base.models.loading import (
    Dtype,
    as_loaded,
    check_installed,
    load_model,
    load_part,
    put,
    quiet,
)
from flasheval.base.models.weights import locate

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["VisionModel", "load_vision_model"]


@dataclass(frozen=True)
class VisionModel:
    """A vision model of transformers with its image processor; `load_vision_model` makes one.

    Its features are the model's pooled output, not normalised: for CLIP the projected image
    embedding, for DINOv2 the class token after the last norm, for a ViT its pooler's output.

    Attributes:
        version: Checkpoint and revision in short.
        model: The model, in evaluation mode.
        processor: Its image processor: resize, crop, normalise.
        batch: Images at a time.

    """

    version: str
    model: Any
    processor: Any
    batch: int

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Return the features of RGB images of any size, float32 [len(images), d].

        Raises DataError for no images, and for a model without a pooled output.
        """
        if not images:
            raise DataError(f"{self.version}: there are no images to take features of")
        parts = []
        with as_loaded(self.model.device.type):
            for start in range(0, len(images), self.batch):
                part = list(images[start : start + self.batch])
                pixels = self.processor(images=part, return_tensors="pt")["pixel_values"]
                pixels = pixels.to(self.model.device, self.model.dtype)
                pooled = self._pooled(pixels)
                parts.append(pooled.flatten(1).float().cpu().numpy())
        return np.concatenate(parts)

    def _pooled(self, pixels: Any) -> Any:
        towers = getattr(self.model, "get_image_features", None)  # a text model stands beside it
        found = (self.model if towers is None else towers)(pixel_values=pixels)
        pooled = getattr(found, "pooler_output", None)
        if pooled is None:
            raise DataError(
                f"{self.version}: {type(self.model).__name__} has no pooled output; "
                "choose a CLIP, SigLIP, DINOv2 or ViT checkpoint"
            )
        return pooled


def load_vision_model(
    checkpoint: str,
    revision: str | None = None,
    *,
    device: str = "cpu",
    dtype: Dtype = "fp32",
    batch: int = 32,
) -> VisionModel:
    """Load a vision model as a feature extractor.

    Args:
        checkpoint: A folder, or a name on the Hub such as ``facebook/dinov2-base``.
        revision: A Hub commit, tag or branch; None is the newest.
        device: The device, such as ``cpu`` or ``cuda:0``.
        dtype: The type of the weights; ``auto`` keeps the stored one.
        batch: Images at a time; it changes features by rounding only.

    Raises:
        SettingError: A batch below 1.
        DataError: A part is missing, damaged or not of a vision model.

    """
    if batch < 1:
        raise SettingError(f"batch={batch}: expected at least 1 image at a time")
    check_installed(checkpoint)
    weights = locate(checkpoint, revision)
    from transformers import AutoImageProcessor, AutoModel

    with quiet():
        processor = load_part(
            weights,
            "image processor",
            AutoImageProcessor.from_pretrained,
            of="a vision",
            backend="pil",
        )
        model = load_model(weights, AutoModel, dtype, of="a vision")
    return VisionModel(weights.label, put(model, weights, device), processor, batch)
