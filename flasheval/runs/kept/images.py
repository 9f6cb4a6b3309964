"""The interface of a store of kept images, which has two forms."""

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
    """The images that are kept together: one of each prompt of a chunk, by one variant.

    Attributes:
        name: A hash of everything that determines them, 32 hex digits; the stem of the file.
        folder: The variant's folder.
        ids: The prompts' ids, unique.
        prompts: The prompts' texts.
        image: The images' number among those of their prompt, from 0.

    """

    name: str
    folder: str
    ids: tuple[str, ...]
    prompts: tuple[str, ...]
    image: int = 0


class Damaged(Exception):  # noqa: N818 - the stores raise it among themselves; no user meets it
    """Why a unit's files cannot be used."""


class ImageStore(ABC):
    """A folder of kept images; each unit appears only when all of it is written."""

    @abstractmethod
    def path_of(self, unit: ImageUnit) -> Path:
        """Return the file whose existence marks the unit as done."""

    @abstractmethod
    def write(self, unit: ImageUnit, images: Sequence[Image | ImageFault]) -> None:
        """Save a unit: an RGB image or a fault for each prompt, in the order of its ids.

        Raises DataError when it cannot be written.
        """

    def has(self, unit: ImageUnit) -> bool:
        """Tell whether the unit exists, without reading its images.

        >>> from flasheval.runs.kept.shards import ShardStore
        >>> ShardStore(Path("no/such/folder")).has(ImageUnit("0a1b", "sd15", (), ()))
        False
        """
        return self.path_of(unit).is_file()

    def read(self, unit: ImageUnit) -> list[Image | ImageFault] | None:
        """Return the images, or None when they are missing or damaged and must be made again.

        >>> from flasheval.runs.kept.shards import ShardStore
        >>> ShardStore(Path("no/such/folder")).read(ImageUnit("0a1b", "sd15", (), ())) is None
        True
        """
        try:
            return self._read(unit) if self.has(unit) else None
        except (Damaged, OSError):
            return None

    def damage(self, unit: ImageUnit) -> str | None:
        """Return what is wrong with an existing unit, or None.

        >>> import tempfile
        >>> from flasheval.runs.kept.shards import ShardStore
        >>> unit = ImageUnit("0a1b", "sd15", ("7",), ("A cat.",))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = ShardStore(Path(folder))
        ...     print(store.damage(unit))  # nothing is there
        ...     store.path_of(unit).parent.mkdir()
        ...     _ = store.path_of(unit).write_bytes(b"cut short")
        ...     store.read(unit), "no tar file" in store.damage(unit)
        None
        (None, True)
        """
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
