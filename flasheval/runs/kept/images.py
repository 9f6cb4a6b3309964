"""Kept images: where the images of a unit lie, in one of two forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.generators.images import ImageFault

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "Damaged",
    "ImageStore",
    "ImageUnit",
]


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
