"""Finding the files of a layout in a folder by name and first record, and naming their models."""

import gzip
import json
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError
from flasheval.base.files import content_stem, content_suffix, read_text

__all__ = [
    "LOOKS",
    "first_entry",
    "first_record",
    "head_of",
    "model_names",
    "model_place",
    "natural",
    "read_document",
    "records_of_shape",
    "walk",
]

LOOKS = 20_000
"""The entries of a folder that are looked at to tell its layout."""

_DEPTH = 10
_HEAD = 1 << 18
_LINE = 1 << 24  # reviews may hold an image as text in their first line
_LINES = (".jsonl", ".ndjson")

# What a file or folder of results is called beside the model's name.
_USUAL = re.compile(r"(?:^|[ _.-])(?:results?|scores?|outputs?|eval|evaluation)$", re.IGNORECASE)
_SEED = re.compile(r"seed[ _=-]?\d+", re.IGNORECASE)


def natural(text: str) -> tuple[Any, ...]:
    """Return a key that sorts numbers in names by value.

    >>> sorted(["10.json", "9.json", "a"], key=natural)
    ['9.json', '10.json', 'a']
    """
    parts = re.split(r"(\d+)", text, flags=re.ASCII)
    parts[1::2] = [f"{int(number):030d}" for number in parts[1::2]]
    return (*parts, text)


def walk(source: Path, most: int | None = None) -> Iterator[Path]:
    """Give a file itself, or the files of a folder, level by level; hidden ones are left out.

    Args:
        source: The file or folder; one that cannot be opened gives nothing.
        most: How many entries to look at; all of them where None.

    """
    if source.is_file():
        yield source
        return
    level, seen, looked = [source], set[str](), 0
    for _ in range(_DEPTH):
        below = []
        for folder in level:
            try:
                with os.scandir(folder) as found:
                    entries = sorted(found, key=lambda entry: natural(entry.name))
            except OSError:
                continue
            for entry in entries:
                looked += 1
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    real = os.path.realpath(entry) if entry.is_symlink() else entry.path
                    if real not in seen:  # a link may lead back up
                        seen.add(real)
                        below.append(folder / entry.name)
                elif entry.is_file():
                    yield folder / entry.name
            if most is not None and looked > most:
                return
        level = below


def head_of(path: Path, *, line: bool = False) -> str:
    """Return the beginning of a file as text, or its first line that is not blank.

    What cannot be read gives an empty text: the one who reads the whole file tells why.
    """
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as file:
            data = file.read(_HEAD) if not line else file.readline(_LINE)
            while line and data and not data.strip():
                data = file.readline(_LINE)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return ""
    return str(data.decode("utf-8-sig", "replace")).strip()


def first_record(path: Path) -> Any:
    """Return the first object of JSON lines, or the first item of a JSON list.

    Returns None for any other JSON, and raises ValueError for a first line that is none.
    """
    text = head_of(path, line=content_suffix(path) in _LINES)
    try:
        if text.startswith("["):
            return json.JSONDecoder().raw_decode(text[1:].lstrip())[0]
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def first_entry(path: Path) -> tuple[str, Any] | None:
    """Return the first key and value of a JSON object; None where there is none or it is long."""
    text, decoder = head_of(path), json.JSONDecoder()
    try:
        key, end = decoder.raw_decode(text[1:].lstrip()) if text.startswith("{") else (None, 0)
        rest = text[1:].lstrip()[end:].lstrip()
        if not isinstance(key, str) or not rest.startswith(":"):
            return None
        return key, decoder.raw_decode(rest[1:].lstrip())[0]
    except (ValueError, RecursionError):
        return None


def records_of_shape(
    source: Path, fits: Callable[[dict[str, Any]], bool], most: int | None = None
) -> Iterator[Path]:
    """Give the files whose first record fits; others of JSON are left out.

    A file of JSON lines beside them whose first line is broken comes last: it may be a model's.
    """
    found, broken = False, []
    for path in walk(source, most):
        suffix = content_suffix(path)
        if suffix not in (*_LINES, ".json"):
            continue
        try:
            record = first_record(path)
        except ValueError:
            if suffix in _LINES:
                broken.append(path)
            continue
        if isinstance(record, dict) and fits(record):
            found = True
            yield path
    if found:
        yield from broken


def read_document(path: Path, what: str) -> Any:
    """Return the JSON data of a file, NaN allowed.

    Raises DataError naming the file, line and column that is no JSON.
    """
    text = read_text(path, what)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} line {error.lineno}, column {error.colno} is not valid JSON: {error.msg}; "
            f"expected {what} (is the file cut short?)"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON that can be read: {error}") from error


def model_place(path: Path, *, usual: bool = False) -> Path:
    """Return the path that names the model of a file: its stem, or its folder.

    ``usual`` says that the stem names no model, whatever it is.

    >>> model_place(Path("sdxl_output.csv")), model_place(Path("sdxl/scores_results.jsonl"))
    (PosixPath('sdxl'), PosixPath('sdxl'))
    """
    stem = "" if usual else _named(content_stem(path))
    return path.parent / stem if stem else path.parent


def _named(text: str) -> str:
    while (shorter := _USUAL.sub("", text)) != text:
        text = shorter
    return text


def model_names(root: Path, places: Sequence[Path]) -> list[tuple[str, str]]:
    """Return for each place in a folder the model's name and its seed, "" where there is none.

    What all places have in common above and below the models is left out, and so are folders
    called ``results`` and the like.

    >>> places = [Path("runs/sdxl/seed1"), Path("runs/sdxl/seed2"), Path("runs/sd15/seed1")]
    >>> model_names(Path("."), places)
    [('sdxl', 'seed1'), ('sdxl', 'seed2'), ('sd15', 'seed1')]
    """
    top = Path(os.path.abspath(root))
    own: list[list[str]] = []
    seeds = []
    for place in places:
        full = Path(os.path.abspath(place))
        parts = full.relative_to(top).parts if full.is_relative_to(top) else (full.name,)
        seeds.append("/".join(part for part in parts if _SEED.fullmatch(part)))
        own.append([part for part in parts if not _SEED.fullmatch(part) and _named(part)])
    for end in (0, -1):
        while all(len(parts) > 1 for parts in own) and len({parts[end] for parts in own}) == 1:
            if len({tuple(parts) for parts in own}) == 1:
                break
            for each in own:
                del each[end]
    names = ["/".join(parts) or top.name or "model" for parts in own]
    return list(zip(names, seeds, strict=True))
