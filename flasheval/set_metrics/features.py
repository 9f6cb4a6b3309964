"""Features of images: what an extractor is, and how many images are put through one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics.protocol import ImageProtocol

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "FeatureExtractor",
    "extract_features",
    "image_files",
    "images_of_folder",
    "read_images",
]

T = TypeVar("T")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class FeatureExtractor(Protocol):
    """Gives each image a vector; a set metric is of what it sees."""

    @property
    def version(self) -> str:
        """What its features depend on, in short: model, checkpoint, revision."""
        ...

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Return the features of RGB images of any size, float32 [len(images), d]."""
        ...


def extract_features(
    images: Iterable[Image],
    extractor: FeatureExtractor,
    *,
    protocol: ImageProtocol | None = None,
    batch: int = 32,
) -> NDArray[np.float32]:
    """Return the features of images, float32 [n, d], in their order.

    Args:
        images: RGB images; they are taken a batch at a time, so there may be any number.
        extractor: Anything with `embed`, such as `load_vision_model` gives, or a scorer that
            embeds.
        protocol: How the images are cut and resized first; as they are by default.
        batch: Images at a time.

    Raises:
        SettingError: A batch below 1.
        DataError: No images, or an extractor that gives something else than a row an image.

    """
    if batch < 1:
        raise SettingError(f"batch={batch}: expected at least 1 image at a time")
    parts: list[NDArray[np.float32]] = []
    for some in _batches(images, batch):
        ready = some if protocol is None else [protocol.prepare(image) for image in some]
        found = np.asarray(extractor.embed(ready), dtype=np.float32)
        if found.ndim != 2 or len(found) != len(some):
            raise DataError(
                f"{extractor.version} gave features of shape {list(found.shape)} for {len(some)} "
                f"images; expected [{len(some)}, width]"
            )
        parts.append(found)
    if not parts:
        raise DataError("there are no images to take features of")
    return np.concatenate(parts)


def images_of_folder(folder: str | Path) -> Iterator[Image]:
    """Give the images of a folder as RGB, in the order of their names; subfolders are not searched.

    Raises DataError when there is none, or when one cannot be read, naming it.
    """
    return read_images(image_files(folder))


def image_files(folder: str | Path) -> list[Path]:
    """Return the image files of a folder in the order of their names, without its subfolders.

    Raises DataError when there is none, or the folder cannot be read.
    """
    try:
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise DataError(f"cannot read {folder}: {error.strerror or error}") from error
    if not paths:
        raise DataError(f"{folder} has no images ({', '.join(_SUFFIXES)})")
    return paths


def read_images(paths: Iterable[Path]) -> Iterator[Image]:
    """Give image files as RGB images. Raises DataError for one that cannot be read, naming it."""
    from PIL import Image as Pillow

    for path in paths:
        try:
            with Pillow.open(path) as image:
                yield image.convert("RGB")
        except (OSError, SyntaxError, Pillow.DecompressionBombError) as error:
            raise DataError(f"{path} cannot be read as an image ({error})") from error


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(things)
    while some := list(islice(rest, size)):
        yield some
