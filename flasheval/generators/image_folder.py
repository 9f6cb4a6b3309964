"""A folder of images that were made earlier, one or several a prompt, as a generator."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError, SettingError
from flasheval.base.table_files import read_columns
from flasheval.generators.generator import Batch, Generator, GeneratorSettings
from flasheval.generators.image_files import IMAGE_SUFFIXES, find_images, read_image
from flasheval.generators.images import ImageFault
from flasheval.generators.numbered_files import IMAGE_NUMBER, PROMPT_ID, NumberedFiles
from flasheval.generators.variants import Factor

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ImageFolder", "ImageFolderSettings"]


@dataclass(frozen=True)
class ImageFolderSettings(GeneratorSettings):
    """Settings of a folder of images, made by any model.

    Attributes:
        folder: The folder of the images; files outside it are refused.
        map: A table (CSV, TSV, JSON lines, Parquet) with the columns prompt_id and file, the files
            relative to the folder; a prompt of several images has a row for each. None: the files
            are named after the prompts' ids.
        pattern: The name of a prompt's file when there is no `map`; without an image suffix
            those of `flasheval.generators.image_files` are tried in their order, each in small
            letters and in capitals. Subfolders are named: ``signs/{prompt_id}``. Of several images
            a prompt ``{image}`` stands for the number; without it they are found by their numbers,
            see `flasheval.generators.numbered_files`.
        family: The family of models they come from.

    Raises SettingError for a value out of range.

    >>> ImageFolderSettings("out", pattern="image.png")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: pattern=image.png: expected {prompt_id} in it, for the ...

    """

    kind: ClassVar[str] = "images"
    others: ClassVar[frozenset[str]] = frozenset()  # the ids of all prompts, see `for_prompts`

    folder: str
    map: str | None = None
    pattern: str = PROMPT_ID
    family: str = "images"

    def __post_init__(self) -> None:
        if PROMPT_ID not in self.pattern:
            raise SettingError(
                f"pattern={self.pattern}: expected {PROMPT_ID} in it, for the prompt's id"
            )
        if self.pattern.count(IMAGE_NUMBER) > 1:
            raise SettingError(
                f"pattern={self.pattern}: {IMAGE_NUMBER} stands in it twice; name one place"
            )
        if PROMPT_ID + IMAGE_NUMBER in self.pattern or IMAGE_NUMBER + PROMPT_ID in self.pattern:
            raise SettingError(
                f"pattern={self.pattern}: where {PROMPT_ID} and {IMAGE_NUMBER} touch, 1 and 10 "
                "could be 11 and 0; put a sign between them"
            )
        if self.map is not None and self.pattern != PROMPT_ID:
            raise SettingError("map and pattern are both given; the map names the files: give one")

    def factors(self) -> dict[str, Factor]:
        """Return the family."""
        return {"family": self.family}

    def identity(self, device: str) -> dict[str, JSON]:
        """Return the path of the folder; `state` tells which files are in it.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = ImageFolderSettings(folder).identity("cpu")
        >>> list(found)
        ['folder']
        >>> ImageFolderSettings("no-such-folder").identity("cpu")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: folder=no-such-folder: there is no such folder; ...
        """
        if self.map is not None:
            _ = self.table  # a map that cannot be read is met before the first image
        return {"folder": str(self.root)}

    def for_prompts(self, ids: Sequence[str]) -> ImageFolderSettings:
        """Return these settings, which then take no prompt's file for another prompt's.

        >>> ImageFolderSettings("out").for_prompts(["1", "1_2"]).others == {"1", "1_2"}
        True
        """
        told = replace(self)
        object.__setattr__(told, "others", frozenset(ids))
        return told

    def images_there(self, ids: Sequence[str]) -> int | None:
        """Return how many images the prompt with the most of them has; 0 where there are none.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("37_0.png", "37_1.png", "38.png"):
        ...         _ = (Path(folder) / name).write_bytes(b"pixels")
        ...     ImageFolderSettings(folder).images_there(["37", "38"])
        2
        """
        return max((len(self.files(one)) for one in ids), default=0)

    def state(self, ids: Sequence[str], image: int = 0) -> JSON:
        """Return name, size (bytes) and time of change (ns) of each prompt's file, None if missing.

        The content is not hashed: reading every image to find out whether one changed would be as
        slow as scoring them. A file whose time changed is scored again.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "37.jpg").write_bytes(b"pixels")
        ...     found, missing = ImageFolderSettings(folder).state(["37", "38"])
        >>> found[:2], missing
        (['37.jpg', 6], None)
        """
        return [self._state(prompt_id, image) for prompt_id in ids]

    def _state(self, prompt_id: str, image: int) -> JSON:
        path = self.path(prompt_id, image)
        try:
            state = None if path is None else path.stat()
        except OSError:
            state = None
        if path is None or state is None:
            return None
        return [path.relative_to(self.root).as_posix(), state.st_size, state.st_mtime_ns]

    def load(self, device: str, last: Generator | None = None) -> ImageFolder:
        """Return the folder as a generator; DataError when the folder or the map is missing.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ImageFolderSettings(folder, family="gan").load("cpu").family
        'gan'
        """
        self.identity(device)
        return ImageFolder(self)

    @cached_property
    def root(self) -> Path:
        """The absolute path of the folder. Raises DataError when it does not exist."""
        root = Path(self.folder).expanduser().resolve()
        if not root.is_dir():
            raise DataError(
                f"folder={self.folder}: there is no such folder; expected a folder of images"
            )
        return root

    @cached_property
    def table(self) -> Mapping[str, tuple[str, ...]]:
        """The files of each prompt id, by the map. Raises DataError when it cannot be read."""
        columns = read_columns(Path(str(self.map)).expanduser(), "map of images")
        ids = columns.ids(columns.pick(None, ("prompt_id", "id"), "prompts' ids"))
        files = columns.texts(columns.pick(None, ("file", "file_name"), "files"))
        table: dict[str, list[str]] = {}
        for one, file in zip(ids, map(posixpath.normpath, files), strict=True):
            named = table.setdefault(one, [])
            if file in named:
                raise DataError(
                    f"{self.map} names {file} twice for prompt {one!r}; give each image once"
                )
            named.append(file)
        return {one: tuple(named) for one, named in table.items()}

    @cached_property
    def _numbered(self) -> NumberedFiles:
        return NumberedFiles(self.root, self.pattern, self.others)

    def files(self, prompt_id: str) -> Mapping[int, str]:
        """Return the names of a prompt's images that are there, by number from 0.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("37/0000.png", "37/0001.png"):
        ...         (Path(folder) / name).parent.mkdir(exist_ok=True)
        ...         _ = (Path(folder) / name).write_bytes(b"pixels")
        ...     ImageFolderSettings(folder).files("37")
        {0: '37/0000.png', 1: '37/0001.png'}
        """
        return self._files(prompt_id, self._first(prompt_id)[0])

    def _files(self, prompt_id: str, first: str | None) -> Mapping[int, str]:
        if self.map is not None:
            return dict(enumerate(self.table.get(prompt_id, ())))
        return self._numbered.of(prompt_id, first)

    def _first(self, prompt_id: str) -> tuple[str, Path] | tuple[None, None]:
        """Return the name and the path of the file that the settings name, if it is there."""
        for name in self.names(prompt_id):
            path = self._inside(prompt_id, name)
            if path is not None:
                return name, path
        return None, None

    def path(self, prompt_id: str, image: int = 0) -> Path | None:
        """Return the file of a prompt's image, resolved; None where there is none.

        Raises DataError when it lies outside of the folder.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "37.jpg").write_bytes(b"pixels")
        ...     settings = ImageFolderSettings(folder)
        ...     settings.path("37").name, settings.path("38")
        ('37.jpg', None)
        """
        first, path = self._first(prompt_id)
        if image == 0 and path is not None:  # the usual case, for which no folder need be listed
            return path
        name = self._files(prompt_id, first).get(image)
        return None if name is None else self._inside(prompt_id, name)

    def _inside(self, prompt_id: str, name: str) -> Path | None:
        """Return the path of a file in the folder, resolved; None where there is none."""
        try:
            path = (self.root / name).resolve()
            inside, there = path.is_relative_to(self.root), path.is_file()
        except (OSError, ValueError, RuntimeError) as error:  # too long, a null, a loop of links
            raise DataError(
                f"{self.folder}: {name[:80]!r}, of prompt {prompt_id[:40]!r}, cannot be a "
                "file name; name the files in a map"
            ) from error
        if not inside:
            raise DataError(
                f"{self.folder}: {name!r}, the image of prompt {prompt_id!r}, lies outside of "
                "the folder; move it inside"
            )
        return path if there else None

    def names(self, prompt_id: str) -> tuple[str, ...]:
        """Return the names a prompt's file may have, relative to the folder.

        >>> ImageFolderSettings("out").names("37")[:4]
        ('37.png', '37.PNG', '37.jpg', '37.JPG')
        >>> ImageFolderSettings("out", pattern="img_{prompt_id}.png").names("37")
        ('img_37.png',)
        """
        if self.map is not None:
            return self.table.get(prompt_id, ())[:1]
        if IMAGE_NUMBER in self.pattern:
            return ()
        name = self.pattern.replace(PROMPT_ID, prompt_id)
        if self.pattern.lower().endswith(IMAGE_SUFFIXES):
            return (name,)
        return tuple(
            name + written for suffix in IMAGE_SUFFIXES for written in (suffix, suffix.upper())
        )


@dataclass(frozen=True)
class ImageFolder:
    """The images of a folder, read when asked for.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("L", (4, 2)).save(Path(folder) / "37.png")
    ...     made = ImageFolderSettings(folder).load("cpu")
    ...     (image,) = made.generate(Batch(("37",), ("a cat",), (7,)))
    >>> image.mode, image.size
    ('RGB', (4, 2))
    """

    settings: ImageFolderSettings
    evaluations: None = None

    @property
    def family(self) -> str:
        """The family of models the images come from."""
        return self.settings.family

    def generate(self, batch: Batch) -> list[Image | ImageFault]:
        """Return the prompts' images, turned upright; a missing or damaged one is an ImageFault.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = ImageFolderSettings(folder).load("cpu")
        ...     made.generate(Batch(("37",), ("A cat.",), (7,)))
        [ImageFault(reason='no image 37.png')]
        """
        return [self._image(*one) for one in zip(batch.ids, batch.images, strict=True)]

    @cached_property
    def _elsewhere(self) -> str:
        """What to say of images in subfolders, which are only read where the settings name them."""
        root = self.settings.root
        try:
            deeper = [path for path in find_images(root) if path.parent != root]
        except DataError:
            return ""
        if not deeper or self.settings.map is not None or "/" in self.settings.pattern:
            return ""
        count = "1 image lies" if len(deeper) == 1 else f"{len(deeper):,} images lie"
        first = deeper[0].parent.relative_to(root).as_posix()
        return f" ({count} in subfolders: name them in a map, or say pattern={first}/{PROMPT_ID})"

    def _image(self, prompt_id: str, image: int) -> Image | ImageFault:
        path = self.settings.path(prompt_id, image)
        if path is None:
            if image:
                return ImageFault(f"no image number {image + 1} of the prompt")
            names = self.settings.names(prompt_id)
            if not names:
                named = self.settings.map or f"pattern={self.settings.pattern}"
                return ImageFault(f"no image: {named} names none")
            return ImageFault(f"no image {names[0]}{self._elsewhere}")
        name = path.relative_to(self.settings.root).as_posix()
        try:
            return read_image(path)
        except Exception as error:  # PIL raises whatever its readers meet in a damaged file
            reason = " ".join(str(error).split()) or type(error).__name__
            return ImageFault(f"the image {name} cannot be read ({reason})")
