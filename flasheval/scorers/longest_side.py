"""The image processor of HPS v2: the whole image fitted into a square, black around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LongestSide"]

# OpenAI's, which open_clip's ViT-H/14 has too.
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class LongestSide:
    """An image processor like the one in the published hpsv2 package; it replaces CLIP's own.

    Unlike CLIP's: the longer side is brought to ``side`` and nothing is cut off; the image is
    resized (bicubic, antialiased) as numbers, neither rounded to 8 bits nor kept in [0, 1].

    Attributes:
        side: Side of the square in pixels.

    >>> from PIL import Image
    >>> wide = Image.new("RGB", (4, 2), "white")
    >>> pixels = LongestSide(4)([wide])["pixel_values"]
    >>> pixels.shape, (pixels[0, 0, 0] < pixels[0, 0, 2]).all().item()  # black above the image
    (torch.Size([1, 3, 4, 4]), True)

    """

    side: int

    def __call__(self, images: Sequence[Image], return_tensors: str = "pt") -> dict[str, Any]:
        """Return ``pixel_values``, float32 [len(images), 3, side, side], normalised."""
        import torch

        return {"pixel_values": torch.stack([self._square(image) for image in images])}

    def _square(self, image: Image) -> Any:
        import torch
        from torch.nn.functional import interpolate, pad

        values = np.array(image.convert("RGB"), dtype=np.float32) / np.float32(255)
        pixels = torch.from_numpy(values).permute(2, 0, 1)[None]
        scale = self.side / max(image.size)
        if scale != 1.0:
            size = [max(1, round(length * scale)) for length in pixels.shape[2:]]
            pixels = interpolate(pixels, size, mode="bicubic", antialias=True, align_corners=False)
        down, right = (self.side - length for length in pixels.shape[2:])
        pixels = pad(pixels, [right // 2, right - right // 2, down // 2, down - down // 2])
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (_MEAN, _STD))
        return (pixels[0] - mean) / std
