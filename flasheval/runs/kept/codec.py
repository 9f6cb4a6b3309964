"""Encoding images as PNG, WebP or JPEG, and decoding them."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FORMATS", "SUFFIXES", "decode", "encode", "encode_all"]

# Lossless compression takes as long as a fast model's image. Run lengths alone make PNGs that are
# as small, for photographs, in half the time; WebP at quality 0 costs less time than by default.
FORMATS: Mapping[str, Mapping[str, Any]] = {
    "png": {"compress_level": 1, "compress_type": zlib.Z_RLE},
    "webp": {"lossless": True, "quality": 0, "method": 4},
    "jpeg": {"quality": 95, "subsampling": 0},
}
"""The formats images are kept in, with PIL's settings for writing them."""

SUFFIXES: Mapping[str, str] = {"png": ".png", "webp": ".webp", "jpeg": ".jpg"}
"""The suffix of a file of each format."""

_THREADS = 8  # PIL lets go of Python's lock while it compresses


def encode(image: Image, image_format: str) -> bytes:
    r"""Encode an image as the bytes of a PNG, WebP or JPEG file.

    >>> from PIL import Image
    >>> encode(Image.new("RGB", (2, 2), "red"), "png")[:4]
    b'\x89PNG'
    """
    buffer = io.BytesIO()
    # A bare copy of the pixels: what PIL knows of a file it came from stays out.
    image.convert("RGB").save(buffer, image_format.upper(), **FORMATS[image_format])
    return buffer.getvalue()


def encode_all(images: Sequence[Image], image_format: str) -> list[bytes]:
    """Encode several images, in parallel threads; see `encode`.

    >>> from PIL import Image
    >>> images = [Image.new("RGB", (2, 2), colour) for colour in ("red", "blue")]
    >>> [decode(data).getpixel((0, 0)) for data in encode_all(images, "webp")]
    [(255, 0, 0), (0, 0, 255)]
    """
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        return list(threads.map(lambda image: encode(image, image_format), images))


def decode(data: bytes) -> Image:
    """Decode the bytes of a file to an RGB image. Raises OSError when they hold none.

    >>> from PIL import Image
    >>> decode(encode(Image.new("RGB", (3, 2), "red"), "png")).size
    (3, 2)
    """
    from PIL import Image as Pil

    with Pil.open(io.BytesIO(data), formats=["PNG", "WEBP", "JPEG"]) as image:
        return image.convert("RGB")
