"""Image files: the one list of their suffixes, finding them in a folder, and reading them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.errors import DataError
from flasheval.generators.images import from_pil

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["IMAGE_SUFFIXES", "find_images", "is_image", "read_image"]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".avif")
"""Suffixes of images, in any case; where a prompt has several files the first of these is read."""

# No other reader of PIL is let near a file: some start programs.
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF")


def find_images(folder: str | Path) -> list[Path]:
    """Return the image files of a folder and its subfolders, sorted by their paths.

    Hidden files and folders are left out, links to folders are followed once.

    Raises DataError when there is none, or the folder cannot be read.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("2.JPG", "1.png", "notes.txt", "signs/3.avif"):
    ...         Path(folder, name).parent.mkdir(exist_ok=True)
    ...         Path(folder, name).touch()
    ...     [path.relative_to(folder).as_posix() for path in find_images(folder)]
    ['1.png', '2.JPG', 'signs/3.avif']
    """
    root = Path(folder)
    try:
        os.listdir(root)
    except OSError as error:
        raise DataError(f"cannot read {folder}: {error.strerror or error}") from error
    found, seen = [], set()
    for place, folders, names in os.walk(root, followlinks=True):
        seen.add(os.path.realpath(place))
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(Path(place, name)) not in seen
        ]
        found += [Path(place, name) for name in names if is_image(name)]
    if not found:
        raise DataError(f"{folder} has no images ({', '.join(IMAGE_SUFFIXES)})")
    return sorted(found)


def is_image(name: str) -> bool:
    """Return whether a file's name is that of an image.

    >>> is_image("upper.PNG"), is_image(".hidden.png"), is_image("notes.txt")
    (True, False, False)
    """
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.startswith(".")


def read_image(path: Path) -> Image:
    """Return an image file as an RGB image, turned upright; transparent parts are white.

    Raises OSError, ValueError or another error of PIL where it is damaged or holds no 8-bit pixels.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (4, 2)).save(Path(folder, "37.png"))
    ...     image = read_image(Path(folder, "37.png"))
    >>> image.mode, image.size
    ('RGB', (4, 2))
    """
    from PIL import Image as Pil
    from PIL import ImageOps

    Pil.init()
    with Pil.open(path, formats=[one for one in _FORMATS if one in Pil.OPEN]) as image:
        if image.mode in ("I", "F"):
            raise ValueError(f"its mode is {image.mode}; expected 8-bit pixels")
        return from_pil(ImageOps.exif_transpose(image))
