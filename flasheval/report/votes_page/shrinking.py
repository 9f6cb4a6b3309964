"""Images made small enough for a page that carries hundreds of them."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MEDIA_TYPE", "SIZES", "Size", "shrunk", "shrunk_all"]

MEDIA_TYPE = "image/webp"
"""What every image of a page is; browsers since 2020 show it."""

_SMALL = 128  # pixels; such an image is enlarged, so that each of its pixels is seen
_LOSSY = 80  # a lower quality makes small images lossy too
_THREADS = 8  # PIL lets go of Python's lock while it compresses


@dataclass(frozen=True)
class Size:
    """How large an image may be.

    Attributes:
        longest: Pixels of the longer side.
        quality: WebP's quality, to 100.

    """

    longest: int
    quality: int


SIZES = (Size(1024, 85), Size(768, 82), Size(512, 80), Size(384, 75), Size(256, 70))
"""The sizes tried, until a page is small enough."""


def shrunk(image: Image, size: Size) -> bytes:
    """Return an image as WebP, made smaller where it is larger than the size, never larger.

    Images of at most 128 pixels keep every pixel, unless the quality is below 80. Nothing but the
    pixels is kept: no name or setting that the image's file held.

    >>> from PIL import Image as Pil
    >>> data = shrunk(Pil.new("RGB", (40, 20), "red"), Size(20, 80))
    >>> Pil.open(io.BytesIO(data)).size
    (20, 10)
    """
    from PIL import Image as Pil

    image = Pil.fromarray(np.asarray(image.convert("RGB")))
    longest = max(image.size)
    if longest > size.longest:
        width, height = (max(1, round(side * size.longest / longest)) for side in image.size)
        image = image.resize((width, height), Pil.Resampling.LANCZOS)
    buffer = io.BytesIO()
    lossless = longest <= _SMALL and size.quality >= _LOSSY
    image.save(buffer, "WEBP", quality=size.quality, lossless=lossless, method=4)
    return buffer.getvalue()


def shrunk_all(images: Sequence[Image], size: Size) -> list[bytes]:
    """Return several images as WebP, made in parallel threads; see `shrunk`.

    >>> from PIL import Image as Pil
    >>> len(shrunk_all([Pil.new("RGB", (2, 2)), Pil.new("RGB", (3, 3))], Size(20, 80)))
    2
    """
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        return list(threads.map(lambda image: shrunk(image, size), images))
