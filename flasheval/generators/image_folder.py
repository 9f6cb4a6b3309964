"""Images that are there already: a folder of files, one a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError, SettingError
from flasheval.base.table_files import read_columns
from flasheval.generators.generator import Batch, Generator, GeneratorSettings
from flasheval.generators.images import ImageFault, from_pil
from flasheval.generators.variants import Factor

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ImageFolder", "ImageFolderSettings"]

_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_ID = "{prompt_id}"


@dataclass(frozen=True)
class ImageFolderSettings(GeneratorSettings):
    """A folder of images, made by whatever model.

    Attributes:
        folder: Where the images lie; none is taken from outside of it.
        map: A table (CSV, TSV, JSON lines, Parquet) with the columns prompt_id and file, the files
            relative to the folder. None: the files are named after the prompts' ids.
        pattern: The name of a prompt's file, without `map`; where it has no suffix of an image,
            .png, .jpg, .jpeg and .webp are looked for, in this order.
        family: The family of models they come from.

    Raises SettingError for a value that cannot be.

    """

    kind: ClassVar[str] = "images"

    folder: str
    map: str | None = None
    pattern: str = _ID
    family: str = "images"

    def __post_init__(self) -> None:
        if _ID not in self.pattern:
            raise SettingError(f"pattern={self.pattern}: expected {_ID} in it, for the prompt's id")
        if self.map is not None and self.pattern != _ID:
            raise SettingError("map and pattern are both given; the map names the files: give one")

    def factors(self) -> dict[str, Factor]:
        """Return the family."""
        return {"family": self.family}

    def identity(self, device: str) -> dict[str, JSON]:
        """Return the folder; which files there are and of what state, `state` says."""
        if self.map is not None:
            _ = self.table  # a map that cannot be read is met before the first image
        return {"folder": str(self.root)}

    def state(self, ids: Sequence[str]) -> JSON:
        """Return name, size and time of change (ns) of the prompts' files, None for one missing.

        Not a hash of the content: reading every image would make looking whether anything
        changed as slow as scoring it. A file touched without a change is scored again.
        """
        return [self._state(prompt_id) for prompt_id in ids]

    def _state(self, prompt_id: str) -> JSON:
        path = self.path(prompt_id)
        try:
            state = None if path is None else path.stat()
        except OSError:
            state = None
        if path is None or state is None:
            return None
        return [path.relative_to(self.root).as_posix(), state.st_size, state.st_mtime_ns]

    def load(self, device: str, last: Generator | None = None) -> ImageFolder:
        """Return the folder as a generator, once it and the map are there."""
        self.identity(device)
        return ImageFolder(self)

    @cached_property
    def root(self) -> Path:
        """The folder, resolved. Raises DataError when there is none."""
        root = Path(self.folder).expanduser().resolve()
        if not root.is_dir():
            raise DataError(
                f"folder={self.folder}: there is no such folder; expected one of images"
            )
        return root

    @cached_property
    def table(self) -> Mapping[str, str]:
        """The file of each prompt id, by the map. Raises DataError when it cannot be read."""
        columns = read_columns(Path(str(self.map)).expanduser(), "map of images")
        ids = columns.ids(columns.pick(None, ("prompt_id", "id"), "prompts' ids"))
        files = columns.texts(columns.pick(None, ("file", "file_name"), "files"))
        table = dict(zip(ids, files, strict=True))
        if len(table) < len(ids):
            twice = next(prompt_id for i, prompt_id in enumerate(ids) if prompt_id in ids[:i])
            raise DataError(f"{self.map} names prompt {twice!r} twice; give one file a prompt")
        return table

    def path(self, prompt_id: str) -> Path | None:
        """Return the file of a prompt, resolved; None where there is none.

        Raises DataError when it lies outside of the folder.
        """
        for name in self.names(prompt_id):
            try:
                path = (self.root / name).resolve()
                inside, there = path.is_relative_to(self.root), path.is_file()
            except (OSError, ValueError) as error:  # too long, or with a null character
                raise DataError(
                    f"{self.folder}: {name[:80]!r}, of prompt {prompt_id[:40]!r}, cannot be a "
                    "file name; name the files in a map"
                ) from error
            if not inside:
                raise DataError(
                    f"{self.folder}: {name!r}, the image of prompt {prompt_id!r}, lies outside of "
                    "the folder; move it inside"
                )
            if there:
                return path
        return None

    def names(self, prompt_id: str) -> tuple[str, ...]:
        """Return the names a prompt's file may have, relative to the folder."""
        if self.map is not None:
            return (self.table[prompt_id],) if prompt_id in self.table else ()
        name = self.pattern.replace(_ID, prompt_id)
        if self.pattern.lower().endswith(_SUFFIXES):
            return (name,)
        return tuple(name + suffix for suffix in _SUFFIXES)


@dataclass(frozen=True)
class ImageFolder:
    """The images of a folder, read when asked for."""

    settings: ImageFolderSettings
    evaluations: None = None

    @property
    def family(self) -> str:
        """The family of models the images come from."""
        return self.settings.family

    def generate(self, batch: Batch) -> list[Image | ImageFault]:
        """Return the prompts' images, upright, and a fault for one missing or damaged."""
        return [self._image(prompt_id) for prompt_id in batch.ids]

    def _image(self, prompt_id: str) -> Image | ImageFault:
        path = self.settings.path(prompt_id)
        if path is None:
            names = self.settings.names(prompt_id)
            return ImageFault(
                f"no image {names[0]}" if names else f"no image: {self.settings.map} names none"
            )
        name = path.relative_to(self.settings.root).as_posix()
        try:
            return _read(path)
        except Exception as error:  # PIL raises whatever its readers meet in a damaged file
            reason = " ".join(str(error).split()) or type(error).__name__
            return ImageFault(f"the image {name} cannot be read ({reason})")


def _read(path: Path) -> Image:
    from PIL import Image as Pil
    from PIL import ImageOps

    with Pil.open(path, formats=["PNG", "JPEG", "WEBP"]) as image:
        if image.mode in ("I", "F"):
            raise ValueError(f"its mode is {image.mode}; expected 8-bit pixels")
        return from_pil(ImageOps.exif_transpose(image))
