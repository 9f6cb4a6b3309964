"""Cropping and resizing images before an extractor; this can change a FID by whole points.

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
    """A protocol: crop the centred square and resize it with Pillow's Lanczos filter.

    Attributes:
        images: Number of images in a set, each of another prompt.
        side: Side of the prepared image in pixels.

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
        """Return an image prepared for the extractor: RGB, side x side pixels.

        An odd pixel is cropped on the right or at the bottom. An image of that size stays as it is.

        >>> from PIL import Image
        >>> COCO_30K.prepare(Image.new("RGB", (640, 480))).size
        (256, 256)
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

        >>> ImageProtocol(images=3, side=256).choose(10, np.random.default_rng(0)).tolist()
        [5, 6, 9]
        """
        if n_prompts < self.images:
            raise DataError(f"{n_prompts} prompts; the protocol takes {self.images} of them")
        return np.sort(rng.choice(n_prompts, self.images, replace=False)).astype(np.int64)


COCO_30K = ImageProtocol(images=30_000, side=256)
"""30,000 captions of COCO's 2014 validation set, 256 x 256: the zero-shot COCO FID of most papers.

The reference is the images of the validation set, cut and resized alike.
"""
