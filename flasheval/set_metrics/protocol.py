"""How images are cut and resized before an extractor sees them: it changes a FID by whole points.

Resizing is the largest difference between implementations (Parmar et al., "On aliased resizing and
surprising subtleties in GAN evaluation", 2022), so that a protocol is part of a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["COCO_30K", "ImageProtocol"]


@dataclass(frozen=True)
class ImageProtocol:
    """Cut the centred square out of every image and resize it with Pillow's Lanczos filter.

    Attributes:
        images: How many images a set has, each of another prompt.
        side: Pixels a side of what the extractor is given.

    >>> COCO_30K
    ImageProtocol(images=30000, side=256)

    """

    images: int
    side: int

    def __post_init__(self) -> None:
        if self.images < 2 or self.side < 1:
            raise SettingError(
                f"images={self.images}, side={self.side}: expected at least 2 images of 1 pixel"
            )

    def prepare(self, image: Image) -> Image:
        """Return an image as the extractor is given it: RGB, side x side.

        An odd pixel too many is cut off on the right, or below. An image of that size stays as it
        is.
        """
        from PIL.Image import Resampling

        edge = min(image.size)
        left, top = (image.width - edge) // 2, (image.height - edge) // 2
        square = image.convert("RGB").crop((left, top, left + edge, top + edge))
        if edge == self.side:
            return square
        return square.resize((self.side, self.side), Resampling.LANCZOS)

    def choose(self, n_prompts: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw the prompts of a set, int64 [images], ascending, none twice.

        Raises DataError when there are not enough.
        """
        if n_prompts < self.images:
            raise DataError(f"{n_prompts} prompts; the protocol takes {self.images} of them")
        return np.sort(rng.choice(n_prompts, self.images, replace=False)).astype(np.int64)


COCO_30K = ImageProtocol(images=30_000, side=256)
"""30,000 captions of COCO's 2014 validation set, 256 x 256: the zero-shot COCO FID of most papers.

The reference is the images of the validation set, cut and resized alike.
"""
