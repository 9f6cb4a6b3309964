"""The user's copy of a prompt set: whatever file the texts lie in, read as batches of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from flasheval.errors import DataError, SettingError
from flasheval.prompts import PromptSet, load_prompts
from flasheval.prompts.loading import ID_KEYS, TEXT_KEYS
from flasheval.resources import MINIATURE
from flasheval.storage.files import content_suffix, read_text, require_file
from flasheval.storage.table_files import TABLE_SUFFIXES, read_columns

__all__ = ["Copy", "Rows", "Source", "columns_of", "open_copy", "rows_of"]

Source: TypeAlias = str | Path | PromptSet | Sequence[str]

DATASETS = "datasets:"
_BATCH = 65_536
_ROLES = {
    "id": ID_KEYS,
    "image_name": ("image_name",),
    "text": (*TEXT_KEYS, "captions"),
}
# DiffusionDB's own files: {"2217ccbd-....png": {"p": "a prompt", "se": 38753269, ...}, ...}
_DIFFUSIONDB = re.compile(r'\s*\{\s*"[^"\\]+\.(png|webp)"\s*:\s*\{')
_DIFFUSIONDB_PARTS = "part-*.json"


@dataclass(frozen=True)
class Rows:
    """Some rows of a copy, as Arrow arrays of strings.

    Attributes:
        texts: the texts; null where a row has none.
        keys: what rows can be found by, ``id`` and ``image_name``, where the copy has them.

    """

    texts: Any
    keys: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Copy:
    """A copy of a prompt set: what it is called in messages, and its rows, read when asked for."""

    name: str
    batches: Callable[[], Iterator[Rows]]


def open_copy(source: Source) -> Copy:
    """Return a copy of a prompt set; what suffix and content say decides how it is read.

    Args:
        source: COCO's ``captions_val2014.json``; JSON, JSON lines, CSV or TSV (packed as ``.xz`` or
            ``.gz`` too) and Parquet with a column ``caption``, ``prompt``, ``text`` or ``captions``
            (lists), such as DiffusionDB's ``metadata.parquet``; one of DiffusionDB's
            ``part-*.json``, or a folder of them; plain text, one prompt a line; a folder of saved
            scores; the word ``miniature``; ``datasets:OWNER/NAME``, ``datasets:OWNER/NAME:SPLIT``
            or ``datasets:OWNER/NAME:CONFIG:SPLIT``, which the `datasets` library reads (a local
            folder of files too); a PromptSet; or a list of texts.

    Raises:
        SettingError: Something that is none of these.
        DataError: A file that is missing, damaged or has no texts.

    """
    if isinstance(source, PromptSet):
        return _from_prompts(source)
    if isinstance(source, str) and source == MINIATURE:
        return _from_prompts(load_prompts(source))
    if isinstance(source, str) and source.startswith(DATASETS):
        from flasheval.published.hub_datasets import open_dataset

        return open_dataset(source, source.removeprefix(DATASETS))
    if isinstance(source, str | Path):
        if not str(source).strip():
            raise SettingError("prompts= is empty; give the file that holds the texts")
        return _from_path(Path(source).expanduser())
    if isinstance(source, list | tuple) and all(isinstance(text, str) for text in source):
        return _listed("the list of texts", list(source))
    raise SettingError(
        f"prompts is a {type(source).__name__}; expected a file, a PromptSet or a list of texts"
    )


def columns_of(names: Sequence[str], where: str) -> dict[str, str]:
    """Return which column is the text, and which are keys; case does not count.

    Raises DataError naming the columns where none is a text.
    """
    folded = {name.casefold(): name for name in reversed(names)}
    found = {
        role: next((folded[word] for word in words if word in folded), None)
        for role, words in _ROLES.items()
    }
    if found["text"] is None:
        have = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        raise DataError(
            f"{where} has no column {', '.join(_ROLES['text'])} for the texts; it has: {have}"
        )
    return {role: name for role, name in found.items() if name is not None}


def rows_of(columns: Mapping[str, Any], where: str) -> Rows:
    """Return Arrow arrays by role as rows; lists of texts become one row a text, without keys.

    Raises DataError for a column that is neither text nor, as a key, whole numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = columns["text"]
    listed = pa.types.is_list(texts.type) or pa.types.is_large_list(texts.type)
    if listed:
        texts = pc.list_flatten(texts)
    keys = {} if listed else {role: column for role, column in columns.items() if role != "text"}
    return Rows(
        _strings(texts, where, "texts"),
        {role: _strings(column, where, role, whole=True) for role, column in keys.items()},
    )


def _strings(column: Any, where: str, what: str, *, whole: bool = False) -> Any:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    if any(test(kind) for test in (*tests, pa.types.is_null)) or (
        whole and pa.types.is_integer(kind)
    ):
        return column.cast(pa.string())
    raise DataError(f"{where}: the {what} are of type {kind}; expected strings")


def _listed(name: str, texts: Sequence[str | None], **keys: Sequence[str]) -> Copy:
    import pyarrow as pa

    try:
        rows = Rows(
            pa.array(texts, pa.string()),
            {key: pa.array(column, pa.string()) for key, column in keys.items()},
        )
    except UnicodeEncodeError as error:
        raise DataError(f"{name}: a text holds a lone surrogate, which is no text") from error
    return Copy(name, lambda: iter((rows,)))


def _from_prompts(prompts: PromptSet) -> Copy:
    if prompts.texts is None:
        raise DataError(
            f'prompt set "{prompts.name}" has no texts, only ids; load the original file'
        )
    keys = {key: prompts.extras[key] for key in ("image_name",) if key in prompts.extras}
    return _listed(f'prompt set "{prompts.name}"', prompts.texts, id=prompts.ids, **keys)


def _from_path(path: Path) -> Copy:
    if path.is_dir():
        return _from_folder(path)
    suffix = content_suffix(path)
    if suffix == ".parquet":
        return _from_parquet(path)
    if suffix not in TABLE_SUFFIXES:
        return _listed(str(path), read_text(path, "prompt file").split("\n"))
    if suffix == ".json" and _DIFFUSIONDB.match(read_text(path, "prompt file")[:1000]):
        return _from_parts(str(path), [path])
    table = read_columns(path, "prompt file")
    roles = columns_of(table.names, str(path))
    rows = rows_of(dict(zip(roles, table.fetch(list(roles.values())), strict=True)), str(path))
    return Copy(str(path), lambda: iter((rows,)))


def _from_folder(path: Path) -> Copy:
    if (path / "prompts.parquet").is_file():
        return _from_parquet(path / "prompts.parquet")
    parts = sorted(path.rglob(_DIFFUSIONDB_PARTS))
    if not parts:
        raise DataError(
            f"{path} is a folder without prompts.parquet or {_DIFFUSIONDB_PARTS}; give the file "
            f"that holds the texts, or prompts={DATASETS}{path} for the datasets library"
        )
    return _from_parts(str(path), parts)


def _from_parts(name: str, parts: Sequence[Path]) -> Copy:
    """Return the prompts of files as DiffusionDB has them, a thousand images each."""
    from flasheval.storage.plain import read_json

    def batches() -> Iterator[Rows]:
        for part in parts:
            content = read_json(part)
            if not isinstance(content, dict) or not all(
                isinstance(one, dict) and isinstance(one.get("p"), str) for one in content.values()
            ):
                raise DataError(
                    f'{part}: expected {{"IMAGE.png": {{"p": "a prompt", ...}}, ...}}, as '
                    "DiffusionDB has it"
                )
            texts = [one["p"] for one in content.values()]
            yield from _listed(str(part), texts, image_name=list(content)).batches()

    return Copy(name, batches)


def _from_parquet(path: Path) -> Copy:
    """Return the rows of a Parquet file, a batch in memory at a time, the needed columns only."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    damaged = (pa.ArrowException, OSError, ValueError)
    require_file(path, "prompt file")
    try:
        names = pq.read_schema(path).names
    except damaged as error:
        raise _unreadable(path, error) from error
    roles = columns_of(names, str(path))

    def batches() -> Iterator[Rows]:
        try:
            # Buffering ahead would hold whole row groups: DiffusionDB's file has 14 million rows.
            with pq.ParquetFile(path, pre_buffer=False, page_checksum_verification=True) as file:
                wanted = list(roles.values())
                for batch in file.iter_batches(_BATCH, columns=wanted, use_threads=False):
                    columns = {role: batch.column(name) for role, name in roles.items()}
                    yield rows_of(columns, str(path))
        except damaged as error:
            raise _unreadable(path, error) from error

    return Copy(str(path), batches)


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).split(". ")[0].splitlines()[0]
    return DataError(f"{path} is not a readable Parquet file ({reason}); is it cut short?")
