"""Computing features of images: the extractor protocol, and reading folders of images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.generators.image_files import find_images
from flasheval.set_metrics.protocol import ImageProtocol

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "FeatureExtractor",
    "extract_features",
    "images_of_folder",
    "read_images",
]

T = TypeVar("T")


class FeatureExtractor(Protocol):
    """An object that gives each image a feature vector."""

    @property
    def version(self) -> str:
        """A short label of what its features depend on: model, checkpoint, revision."""
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
        images: RGB images; they are consumed a batch at a time, so there may be any number.
        extractor: An object with `embed`: a result of `load_vision_model`, or a scorer that
            embeds.
        protocol: How the images are cropped and resized first; by default they are not.
        batch: Images at a time.

    Raises:
        SettingError: A batch below 1.
        DataError: No images, or an extractor that does not return one row an image.

    >>> from PIL import Image
    >>> class Size:
    ...     version = "size"
    ...     def embed(self, images):
    ...         return np.float32([image.size for image in images])
    >>> extract_features([Image.new("RGB", (4, 2)), Image.new("RGB", (6, 6))], Size()).tolist()
    [[4.0, 2.0], [6.0, 6.0]]

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
    """Yield the images of a folder and its subfolders as RGB, sorted by path.

    Raises DataError when there is none, or when one cannot be read, naming it.
    """
    return read_images(find_images(folder))


def read_images(paths: Iterable[Path]) -> Iterator[Image]:
    """Yield image files as RGB images. Raises DataError, naming the file, when one is damaged.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (4, 2)).save(Path(folder) / "1.png")
    ...     [(image.mode, image.size) for image in read_images([Path(folder) / "1.png"])]
    [('RGB', (4, 2))]
    """
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
