"""Finding the checkpoints in a folder, with their training steps and files."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import Any, Literal

from flasheval.base.errors import DataError, SettingError

__all__ = ["INDEX", "Checkpoint", "Kind", "find_checkpoints", "index_parts", "natural", "step_of"]

INDEX = "model_index.json"
"""The file that every diffusers pipeline has."""

Kind = Literal["pipeline", "parts", "weights", "path"]

_DEPTH = 3  # DIR/experiment/run/checkpoint-2000
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.safetensors$")
_NUMBER = (
    r"(\d+(?:\.\d+)?k|\d+)(?![a-z\d]|\.\d)"  # 20k and 1.5k are thousands; 512px and 64x64 are sizes
)
_WORDS = r"(?:global[_-]?step|steps?|iterations?|iters?|checkpoint|ckpt|save)"
_AFTER_WORD = re.compile(rf"(?<![a-z]){_WORDS}[-_=.\s]*{_NUMBER}", re.IGNORECASE)
_AFTER_EPOCH = re.compile(r"(?<![a-z])e(?:p|poch)?\d+[-_]g?s(\d+)(?![a-z\d])", re.IGNORECASE)
_BEFORE_WORD = re.compile(
    r"(?<![\d.])(\d+(?:\.\d+)?k|\d+)[-_]?(?:steps?|iters?|iterations?)(?![a-z])", re.IGNORECASE
)
_NUMBER_ALONE = re.compile(r"(?:^|.*[-_])(\d{3,})")  # a shorter one is a version: sd-2, v1-5
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"
    r"(?:[-_T\s]?(?:[01]\d|2[0-3])([-_.h:]?)[0-5]\d(?:\2[0-5]\d)?)?(?!\d)"
)
# A number alone that is one of these says how large images are, or when it was made.
_SIZES = frozenset({*range(128, 1024, 64), *range(1024, 4097, 128), 300, 600, 720, 1080, 1440})
_YEARS = range(2015, 2040)


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint, with the state of its files at one look.

    Attributes:
        name: Its path in the watched folder; the folder's own name when that is the checkpoint.
        path: The path of the file or folder.
        kind: ``pipeline``: a diffusers folder. ``parts``: a folder of some parts of a pipeline, as
            training scripts write them. ``weights``: a safetensors file. ``path``: anything, for
            a user's loader.
        step: The training step in its name, or None.
        files: Size and time of the last change (ns) of each of its files, by path in it.
        parts: Names of the parts in a folder of parts.
        outside: A link in it that leads out of the watched folder; empty when there is none.

    """

    name: str
    path: Path
    kind: Kind
    step: int | None
    files: Mapping[str, tuple[int, ...]] = field(hash=False)
    parts: tuple[str, ...] = ()
    outside: str = ""

    @property
    def order(self) -> tuple[Any, ...]:
        """The sort key: the step, with missing steps last, then the name.

        >>> found = [Checkpoint(name, Path(name), "path", step_of(name), {})
        ...          for name in ("last", "step-10", "step-9")]
        >>> [one.name for one in sorted(found, key=lambda one: one.order)]
        ['step-9', 'step-10', 'last']
        """
        return self.step is None, self.step or 0, natural(self.name)


def find_checkpoints(
    folder: Path,
    *,
    parts: Collection[str] = ("unet", "transformer"),
    loader: bool = False,
    pattern: str | None = None,
    skip: Path | None = None,
) -> list[Checkpoint]:
    """Return the checkpoints in a folder, down to three levels below it, in order of step.

    Hidden files and folders are skipped, and so are names that are not valid text, and links within
    the folder, whose targets are found under their own names. A link that leads out of the folder
    is not followed; `Checkpoint.outside` names it.

    Args:
        folder: The folder.
        parts: Names of folders that are parts of a pipeline.
        loader: Whether a user's loader is used: then every entry of the folder that matches the
            pattern is a checkpoint.
        pattern: Only checkpoints whose names match, such as ``checkpoint-*``; with a loader a glob
            pattern of paths, such as ``*/last.ckpt``.
        skip: A folder within it to skip.

    Raises SettingError for a pattern that leads out of the folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("step-20.ckpt", "step-3.ckpt", "notes.txt"):
    ...         _ = Path(folder, name).write_text("weights")
    ...     [one.step for one in find_checkpoints(Path(folder), loader=True, pattern="*.ckpt")]
    [3, 20]

    """
    root = folder.resolve()
    if pattern is not None and (PurePath(pattern).is_absolute() or ".." in PurePath(pattern).parts):
        raise SettingError(f"pattern={pattern}: expected one within the folder, as checkpoint-*")
    left_out = None if skip is None else skip.resolve()
    if loader:
        entries = sorted(root.glob(pattern or "*"))
        found = [one for path in entries if (one := _of_any(path, root)) is not None]
    else:
        found = list(_search(root, root, frozenset(parts), _DEPTH, left_out))
        found = [one for one in found if pattern is None or fnmatch(one.name, pattern)]
    kept = [one for one in found if one.files and one.path != left_out and _is_text(one.name)]
    return sorted(kept, key=lambda one: one.order)


def step_of(name: str) -> int | None:
    """Return the training step in the name of a checkpoint, or None.

    A date, a time and an image size are none; ``20k`` is 20000.

    >>> [step_of(one) for one in ("run-2/checkpoint-2000/unet", "epoch=3-step=500.ckpt", "v1-5")]
    [2000, 500, None]
    >>> [step_of(one) for one in ("ckpt_20k", "lora-sdxl-1024", "2024-05-01_08-15-40-save-1000")]
    [20000, None, 1000]
    """
    for part in reversed(PurePath(name).parts):
        stem = _DATE.sub("", re.sub(r"\.(safetensors|ckpt|pth?|bin)$", "", part))
        found = next(
            (
                numbers
                for pattern in (_AFTER_WORD, _AFTER_EPOCH, _BEFORE_WORD)
                if (numbers := pattern.findall(stem))
            ),
            [],
        )
        if not found and (alone := _NUMBER_ALONE.fullmatch(stem)):
            found = [alone[1]] if alone[1] == stem or _may_be_a_step(alone[1]) else []
        if found:
            return _counted(found[-1])
    return None


def _may_be_a_step(digits: str) -> bool:
    """Return whether a number without a word may be a step: zeros before it say that it counts."""
    return digits.startswith("0") or (int(digits) not in _SIZES and int(digits) not in _YEARS)


def _counted(number: str) -> int:
    thousands = number.lower().removesuffix("k")
    return int(number[:18]) if thousands == number else round(1000 * float(thousands[:18]))


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """Return a key that sorts numbers in names as numbers.

    >>> sorted(["epoch-10", "epoch-9"], key=natural)
    ['epoch-9', 'epoch-10']
    """
    return tuple(
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    )


def index_parts(path: Path) -> tuple[str, ...]:
    """Return the parts that a ``model_index.json`` names, each a plain folder's name.

    Raises:
        ValueError: The file is not JSON (yet).
        DataError: The file is not an index, or a name is not a plain folder name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     index = {"_class_name": "P", "unet": ["diffusers", "U"], "safety_checker": [None, None]}
    ...     _ = Path(folder, INDEX).write_text(json.dumps(index))
    ...     index_parts(Path(folder, INDEX))
    ('unet',)

    """
    index = json.loads(path.read_text("utf-8"))
    if not isinstance(index, dict):
        raise DataError(f"{path.name} is not the index of a diffusers pipeline")
    names = tuple(key for key, value in index.items() if isinstance(value, list) and any(value[:1]))
    for name in names:
        if not re.fullmatch(r"\w+", name):
            raise DataError(f"{path.name} names a part {name[:80]!r}, which is not a folder name")
    return names


def _search(
    place: Path, root: Path, parts: frozenset[str], depth: int, skip: Path | None
) -> Iterator[Checkpoint]:
    here = _of_folder(place, root, parts)
    inner: set[str] = set()
    if here is not None:
        yield here
        if here.kind == "pipeline" and not here.parts:  # its index is being written
            return
        inner = set(here.parts)
    for path in _children(place):
        if path.name in inner or path == skip:
            continue
        is_folder = path.is_dir()
        if path.is_symlink():  # only looked at, to be told of
            linked = _of_folder(path, root, parts) if is_folder else _of_file(path, root)
            if linked is not None and linked.outside:
                yield linked
        elif is_folder and depth:
            yield from _search(path, root, parts, depth - 1, skip)
        elif not is_folder and here is None and (single := _of_file(path, root)):
            yield single


def _of_folder(place: Path, root: Path, parts: frozenset[str]) -> Checkpoint | None:
    """Return the checkpoint that a folder is, if it is one."""
    index = place / INDEX
    if index.is_file():
        try:
            names = index_parts(index)
        except (ValueError, OSError, DataError):  # told when it is to be loaded
            names = ()
        return _made(place, root, "pipeline", [index], names)
    names = tuple(
        path.name for path in _children(place) if path.name in parts and _is_part(path, root)
    )
    return _made(place, root, "parts", [], names) if names else None


def _is_part(path: Path, root: Path) -> bool:
    return path.is_dir() and ((path / "config.json").is_file() or not _within(path, root))


def _of_file(path: Path, root: Path) -> Checkpoint | None:
    if path.suffix != ".safetensors" or _SHARD.search(path.name):
        return None
    return _made(path, root, "weights", [path])


def _of_any(path: Path, root: Path) -> Checkpoint | None:
    if any(part.startswith(".") for part in path.relative_to(root).parts):
        return None
    if path.is_symlink() and _within(path, root):
        return None
    if path.is_dir():
        return _made(path, root, "path", [], (".",))
    return _made(path, root, "path", [path])


def _made(
    path: Path, root: Path, kind: Kind, files: list[Path], folders: tuple[str, ...] = ()
) -> Checkpoint:
    outside = "" if _within(path, root) else path.name
    for name in folders:
        if outside or not (path / name).is_dir():
            continue
        if _within(path / name, root):
            files = [*files, *_files_below(path / name)]
        else:
            outside = name
    states = {}
    for file in files:
        name = file.name if file == path else file.relative_to(path).as_posix()
        if not outside and not _within(file, root):
            outside = name
        state = _state(file)
        if state is not None:
            states[name] = state
    said = path.name if path == root else path.relative_to(root).as_posix()
    if outside and not states:
        states = {path.name: (0, 0)}  # not looked into, but told of
    parts = folders if kind != "path" else ()
    return Checkpoint(said, path, kind, step_of(said), states, parts, outside)


def _files_below(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
    return found


def _children(folder: Path) -> list[Path]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # gone meanwhile, or not ours to read
        return []
    return [folder / name for name in names if not name.startswith(".")]


def _state(path: Path) -> tuple[int, ...] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


def _within(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a link that leads to itself
        return False


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)
