"""Kept images: where the images of a unit lie, in one of two forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.errors import SettingError
from flasheval.generators.images import ImageFault
from flasheval.suggest import nearest

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Damaged", "ImageStore", "ImageUnit", "open_image_store"]


@dataclass(frozen=True)
class ImageUnit:
    """The images that are kept together: those of one variant for one chunk of prompts.

    Attributes:
        name: A hash of all that determines them, 32 hex digits: a file's stem.
        folder: The variant's folder.
        ids: The prompts' ids, unique.
        prompts: The prompts' texts.

    """

    name: str
    folder: str
    ids: tuple[str, ...]
    prompts: tuple[str, ...]


class Damaged(Exception):  # noqa: N818 - the stores raise it among themselves; no user meets it
    """Why a unit's files cannot be used."""


class ImageStore(ABC):
    """A folder of kept images, written unit by unit, whole or not at all."""

    @abstractmethod
    def path_of(self, unit: ImageUnit) -> Path:
        """Return the file that makes the unit count as there; without it, it is made again."""

    @abstractmethod
    def write(self, unit: ImageUnit, images: Sequence[Image | ImageFault]) -> None:
        """Keep a unit: an RGB image or a fault a prompt, in the order of its ids.

        Raises DataError when it cannot be written.
        """

    def has(self, unit: ImageUnit) -> bool:
        """Return whether the unit is there, without reading its images."""
        return self.path_of(unit).is_file()

    def read(self, unit: ImageUnit) -> list[Image | ImageFault] | None:
        """Return the images; None where they are absent or damaged, so that they are made again."""
        try:
            return self._read(unit) if self.has(unit) else None
        except (Damaged, OSError):
            return None

    def damage(self, unit: ImageUnit) -> str | None:
        """Return what is wrong with a unit that is there; None where nothing is."""
        try:
            if self.has(unit):
                self._read(unit)
        except Damaged as error:
            return str(error)
        except OSError as error:
            return error.strerror or str(error)
        return None

    @abstractmethod
    def _read(self, unit: ImageUnit) -> list[Image | ImageFault]:
        """Return the images. Raises Damaged or OSError where they are not as they were written."""


def open_image_store(folder: Path, form: str = "shards", image_format: str = "png") -> ImageStore:
    """Return the store of kept images in a folder.

    Args:
        folder: Where they lie; made with the first unit.
        form: ``shards``, one WebDataset tar a unit, or ``folder``, one file an image.
        image_format: ``png`` or ``webp``, both lossless, or ``jpeg`` at quality 95, which is lossy:
            scores of images read back differ a little from those of the images as made. Images
            already there are read in whatever format they have.

    Raises:
        SettingError: Another form or format.

    """
    from flasheval.runs.kept.codec import FORMATS
    from flasheval.runs.kept.folder import FolderStore
    from flasheval.runs.kept.shards import ShardStore

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
