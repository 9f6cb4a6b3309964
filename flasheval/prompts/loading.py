"""Prompt sets in files: every layout load_prompts reads and the Parquet that it writes."""

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flasheval.base.arguments import checked_arguments
from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.files import atomic_write, content_stem, content_suffix, read_text
from flasheval.base.json_data import read_json
from flasheval.base.resources import MINIATURE, shipped_scores
from flasheval.base.table_files import TABLE_SUFFIXES, read_columns
from flasheval.prompts.documents import prompts_in
from flasheval.prompts.hub_datasets import DATASETS, dataset_columns
from flasheval.prompts.prompt_columns import Texts, found_prompts
from flasheval.prompts.prompt_set import PromptSet
from flasheval.prompts.tags import written

__all__ = [
    "as_prompts",
    "load_prompts",
    "save_prompts",
    "write_prompts",
]

_log = logging.getLogger(__name__)

_HASH_KEY = "text_sha256"
_RESERVED = ("prompt_id", _HASH_KEY, "text")
_NAME_KEY = "flasheval.prompt_set"
_TAGS_KEY = "flasheval.tags"
_EXTRA = "extra."
_BLANK = "blank lines are left out"
_NUMBERED = "has no column of ids: a prompt's id is the number of its row, from 1"


@dataclass(frozen=True)
class _Keys:
    """The columns that a caller names, and the set's name."""

    name: str | None = None
    id: str | None = None
    text: str | None = None
    tags: tuple[str, ...] = ()


def _read(path: Path, keys: _Keys) -> PromptSet:
    if path.is_dir():
        return _from_folder(path, keys)
    if content_suffix(path) in TABLE_SUFFIXES:
        return _from_columns(read_columns(path, "prompt file", records_in=prompts_in), keys)
    if keys.id is not None or keys.text is not None:
        raise DataError(
            f"{path} is read as plain text, which has no columns; leave out the names of those for "
            "ids and texts"
        )
    return _from_lines(path, read_text(path, "prompt file"), keys.name)


def _from_folder(path: Path, keys: _Keys) -> PromptSet:
    """Read the files of one benchmark: a prompt each, or a list each, told apart by their names."""
    if (path / "prompts.parquet").is_file():
        return _read(path / "prompts.parquet", keys)
    files = sorted(one for one in path.iterdir() if one.is_file() and one.name[0] not in "._")
    texts = [one for one in files if content_suffix(one) == ".txt"]
    tables = [one for one in files if content_suffix(one) in TABLE_SUFFIXES]
    parts = [one for one in tables if one.name.startswith("part-")] or tables or texts
    if not parts:
        raise DataError(f"{path} holds no prompts: expected .txt files, or tables such as .json")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        sets = [_read(one, replace(keys, name=None)) for one in parts]
    _tell_once(path, [str(one.message) for one in told])
    stems = [content_stem(one) for one in parts]
    joined = tuple(text for one in sets for text in one.texts or ())
    if parts == texts and all(len(one) == 1 for one in sets):
        return PromptSet(keys.name or path.name, tuple(stems), joined)
    ids = [own for one in sets for own in one.ids]
    if len(set(ids)) < len(ids):
        ids = [f"{stem}/{own}" for stem, one in zip(stems, sets, strict=True) for own in one.ids]
    if any(one.texts is None for one in sets):
        raise DataError(f"{path}: some of its {len(parts)} files of prompts have no texts")
    names = dict.fromkeys(key for one in sets for key in one.extras)
    extras = {
        key: tuple(cell for one in sets for cell in one.extras.get(key, ("",) * len(one)))
        for key in names
    }
    if len(parts) > 1 and "file" not in extras:
        extras["file"] = tuple(stem for stem, one in zip(stems, sets, strict=True) for _ in one.ids)
    return PromptSet(keys.name or path.name, tuple(ids), joined, None, extras)


def _tell_once(folder: Path, told: list[str]) -> None:
    """Warn of what several files of a folder have in common in one line a kind."""
    for part in (_BLANK, _NUMBERED):
        found = [message for message in told if part in message]
        if found:
            more = f" (and so for {len(found) - 1} more of {folder})" if len(found) > 1 else ""
            warnings.warn(found[0] + more, UserWarning, stacklevel=5)


def _from_lines(path: Path, text: str, name: str | None) -> PromptSet:
    # Only line feeds part prompts: captions hold U+2028 and the like, which splitlines() cuts.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    kept = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not kept:
        raise DataError(f"{path} holds only blank lines; expected one prompt a line")
    if len(kept) < len(lines):
        warnings.warn(f"{path}: {len(lines) - len(kept)} {_BLANK}", UserWarning, stacklevel=4)
    ids = tuple(str(number) for number, _ in kept)
    return PromptSet(name or content_stem(path), ids, tuple(line for _, line in kept))


def _from_columns(columns: Columns, keys: _Keys) -> PromptSet:
    path = columns.path
    if columns.n_rows == 0:
        raise DataError(f"{path} holds no prompts, only column names")
    # A file that write_prompts made may lack the texts, or even their hashes.
    own = _NAME_KEY in columns.metadata
    hashes = columns.texts(_HASH_KEY) if _HASH_KEY in columns.names else None
    want: Texts = "optional" if hashes else "required"
    text_key = keys.text
    if own and text_key is None:
        want, text_key = ("optional", "text") if "text" in columns.names else ("none", None)
    found = found_prompts(columns, keys.id, text_key, want=want)
    if found.numbered:
        warnings.warn(f"{path} {_NUMBERED}", UserWarning, stacklevel=4)
    if hashes is not None and len(found.ids) != columns.n_rows:
        hashes = None  # the texts' own are made again
    taken = {*found.taken, _HASH_KEY} - set(keys.tags)
    extras: dict[str, tuple[str, ...]] = {}
    for column in columns.names:
        if column in taken:
            continue
        if own:  # as it was written, even where a text looks like JSON
            values = columns.plain(column)
            described = {} if values is None else {column.removeprefix(_EXTRA): values}
        else:
            described = {key.strip(): one for key, one in columns.described(column).items()}
        for key, values in described.items():
            extras.setdefault(key, found.column(values))
    tags = tuple(json.loads(columns.metadata[_TAGS_KEY])) if _TAGS_KEY in columns.metadata else None
    name = keys.name or columns.metadata.get(_NAME_KEY) or content_stem(path)
    try:
        return PromptSet(name, found.ids, found.texts, hashes, extras, tags)
    except FlashevalError as error:
        raise error if str(path) in str(error) else DataError(f"{path}: {error}") from error


def _tagged(prompts: PromptSet, keys: Sequence[str], path: str) -> PromptSet:
    """Return prompts with the tags asked for: columns, or files that list each value's ids."""
    extras, names = dict(prompts.extras), []
    for key in keys:
        if key in extras or not key.endswith(".json"):
            names.append(key)
            continue
        name, values = _tag_file(Path(key).expanduser(), prompts)
        names.append(name)
        extras[name] = values
    try:
        return replace(prompts, extras=extras, tag_keys=tuple(names))
    except SettingError as error:
        raise SettingError(f"{path}: {error}") from error


def _tag_file(path: Path, prompts: PromptSet) -> tuple[str, tuple[str, ...]]:
    """Read ``{value: [id, ...]}``; numbers also name ids written with leading zeros."""
    content = read_json(path)
    if not isinstance(content, Mapping) or not all(
        isinstance(ids, list) and all(isinstance(one, str | int) for one in ids)
        for ids in content.values()
    ):
        raise DataError(f"{path}: expected {{value: [prompt id, ...]}}, the values of one tag")
    places = {prompt: place for place, prompt in enumerate(prompts.ids)}
    short = {prompt.lstrip("0") or "0": place for prompt, place in places.items()}
    found: list[list[str]] = [[] for _ in prompts.ids]
    for value, ids in content.items():
        for one in map(str, ids):
            place = places.get(one, short.get(one))
            if place is None:
                raise DataError(f"{path}: {value!r} lists the prompt {one!r}, which is not there")
            found[place].append(value)
    return content_stem(path), tuple(map(written, found))


def write_prompts(prompts: PromptSet, path: Path) -> Path:
    """Write a prompt set as Parquet; see flasheval.prompts.save_prompts."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"prompt_id": prompts.ids}
    known: Mapping[str, Any] = {_HASH_KEY: prompts.text_hashes, "text": prompts.texts}
    columns.update((key, column) for key, column in known.items() if column is not None)
    for key, values in prompts.extras.items():
        escaped = key in _RESERVED or key.startswith(_EXTRA)
        columns[_EXTRA + key if escaped else key] = values
    table = pa.table({key: pa.array(values, pa.string()) for key, values in columns.items()})
    metadata = {_NAME_KEY: prompts.name, "flasheval.prompt_set_hash": prompts.hash}
    if prompts.tag_keys is not None:
        metadata[_TAGS_KEY] = json.dumps(prompts.tag_keys, ensure_ascii=False)
    table = table.replace_schema_metadata(metadata)
    with atomic_write(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
    return path


@checked_arguments
def load_prompts(
    path: str | Path,
    *,
    name: str | None = None,
    id_key: str | None = None,
    text_key: str | None = None,
    tag_keys: str | Sequence[str] | None = None,
) -> PromptSet:
    r"""Read a prompt file or a folder of them; suffix and content decide the format.

    COCO captions JSON (``annotations``: annotation id and caption), JSON lines or a JSON list
    of objects (``.jsonl``, ``.json``), ``.csv``, ``.tsv``, ``.parquet``, and plain text (any
    other suffix: one prompt a line, its id the line's number from 1; blank lines are left out
    with a warning that counts them). JSON may also be a list of strings, ``{id: text}``,
    ``{id: {...}}``, Karpathy's split of COCO or a part of DiffusionDB. Text forms may be packed as
    ``.xz`` or ``.gz``. A folder holds one prompt in each ``.txt``, or several lists of one
    benchmark, told apart by the extra ``file``.

    Ids are read from the column ``prompt_id`` or ``id``, texts from ``caption``, ``prompt`` or
    ``text``, or columns of like names in any case, unless ``id_key`` (``a+b`` joins two) and
    ``text_key`` name others. Where no column has ids they are the rows' numbers from 1, with a
    warning; where they start again in each category they are ``category/id``. Several rows of one
    prompt, one a question, make one prompt. Other columns become extras: of plain values, of lists
    (a prompt then has several), of objects (a column for each key). Columns of few values are tags,
    unless ``tag_keys`` name the tags; one that ends in ``.json`` is a file ``{value: [id, ...]}``.
    Texts are kept exactly as they are. ``name`` defaults to the file's stem. The path
    ``"miniature"`` means the prompts that come with the package; ``"datasets:OWNER/NAME:SPLIT"``
    is read by the `datasets` library.

    Raises DataError in one line naming the file and the row, line or key at fault: missing,
    empty, cut short, not UTF-8, no id or text, a repeated id.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "pets.txt"
    ...     _ = file.write_text("A cat.\nA dog.\n")
    ...     load_prompts(file).ids
    ('1', '2')
    """
    tags = (tag_keys,) if isinstance(tag_keys, str) else tuple(tag_keys or ())
    keys = _Keys(name, id_key, text_key, tags)
    if isinstance(path, str) and path.startswith(DATASETS):
        prompts = _from_columns(dataset_columns(path), keys)
    else:
        path = shipped_scores(path) / "prompts.parquet" if path == MINIATURE else Path(path)
        prompts = _read(path, keys)
    _log.info("read %d prompts: %s", len(prompts), path)
    return _tagged(prompts, tags, str(path)) if tags else prompts


def as_prompts(prompts: PromptSet | str | Path) -> PromptSet:
    """Return a prompt set, read from its file when a path is given."""
    return prompts if isinstance(prompts, PromptSet) else load_prompts(prompts)


def save_prompts(prompts: PromptSet, path: str | Path) -> Path:
    """Write a prompt set as Parquet and return its path.

    Columns: ``prompt_id``, ``text_sha256`` and ``text`` where known, then the extras.
    load_prompts gives the same set back. Raises DataError when it cannot be written.

    >>> import tempfile
    >>> prompts = PromptSet("pets", ("a", "b"), ("A cat.", "A dog."))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     load_prompts(save_prompts(prompts, f"{folder}/pets.parquet")) == prompts
    True
    """
    return write_prompts(prompts, Path(path))
