"""Opening a store of kept images in either of its two forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest
from flasheval.runs.kept.codec import FORMATS
from flasheval.runs.kept.folder import FolderStore
from flasheval.runs.kept.images import ImageStore
from flasheval.runs.kept.shards import ShardStore

if TYPE_CHECKING:
    pass

__all__ = ["open_image_store"]


def open_image_store(folder: Path, form: str = "shards", image_format: str = "png") -> ImageStore:
    """Return the store of kept images in a folder.

    Args:
        folder: The folder of the images; made with the first unit.
        form: ``shards``, one WebDataset tar a unit, or ``folder``, one file an image.
        image_format: ``png`` or ``webp``, both lossless, or ``jpeg`` at quality 95, which is lossy:
            scores of images read back differ a little from those of the images as made. Images
            already there are read in whatever format they have.

    Raises:
        SettingError: An unknown form or format.

    >>> type(open_image_store(Path("images"), "folder", "webp")).__name__
    'FolderStore'
    >>> open_image_store(Path("images"), "shard")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: image_store=shard: choose one of shards, folder; did ...

    """
    stores = {"shards": ShardStore, "folder": FolderStore}
    if form not in stores:
        raise SettingError(
            f"image_store={form}: choose one of {', '.join(stores)}{nearest(form, stores)}"
        )
    if image_format not in FORMATS:
        raise SettingError(
            f"image_format={image_format}: choose one of {', '.join(FORMATS)}"
            f"{nearest(image_format, FORMATS)}"
        )
    return stores[form](Path(folder), image_format)
