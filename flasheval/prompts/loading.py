"""Prompt sets in files: every layout load_prompts reads and the Parquet that it writes."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write, content_stem, content_suffix, read_text
from flasheval.base.resources import MINIATURE, shipped_scores
from flasheval.base.table_files import TABLE_SUFFIXES, read_columns
from flasheval.prompts.prompt_set import PromptSet

__all__ = [
    "ID_KEYS",
    "TEXT_KEYS",
    "load_prompts",
    "read_prompts",
    "save_prompts",
    "write_prompts",
]

ID_KEYS = ("prompt_id", "id")
TEXT_KEYS = ("caption", "prompt", "text")
_HASH_KEY = "text_sha256"
_RESERVED = ("prompt_id", _HASH_KEY, "text")
_NAME_KEY = "flasheval.prompt_set"
_EXTRA = "extra."


def read_prompts(
    path: Path, name: str | None, id_key: str | None, text_key: str | None
) -> PromptSet:
    """Read a prompt file; see flasheval.prompts.load_prompts."""
    if content_suffix(path) in TABLE_SUFFIXES:
        return _from_columns(read_columns(path, "prompt file"), name, id_key, text_key)
    if id_key is not None or text_key is not None:
        raise DataError(
            f"{path} is read as plain text, which has no keys; leave out id_key and text_key"
        )
    return _from_lines(path, read_text(path, "prompt file"), name)


def _from_lines(path: Path, text: str, name: str | None) -> PromptSet:
    # Only line feeds part prompts: captions hold U+2028 and the like, which splitlines() cuts.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    kept = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not kept:
        raise DataError(f"{path} holds only blank lines; expected one prompt a line")
    if len(kept) < len(lines):
        warnings.warn(
            f"{path}: {len(lines) - len(kept)} blank lines are left out", UserWarning, stacklevel=4
        )
    ids = tuple(str(number) for number, _ in kept)
    return PromptSet(name or content_stem(path), ids, tuple(line for _, line in kept))


def _from_columns(
    columns: Columns, name: str | None, id_key: str | None, text_key: str | None
) -> PromptSet:
    path = columns.path
    if columns.n_rows == 0:
        raise DataError(f"{path} holds no prompts, only column names")
    id_column = columns.pick(id_key, ID_KEYS, "ids (say which with id_key=)")
    # A file that write_prompts made may lack the texts, or even their hashes.
    own = _NAME_KEY in columns.metadata
    hashes = columns.texts(_HASH_KEY) if _HASH_KEY in columns.names else None
    texts, text_column = None, None
    usual = ("text",) if own else TEXT_KEYS
    if text_key is not None or not (own or hashes) or any(key in columns.names for key in usual):
        text_column = columns.pick(text_key, usual, "texts (say which with text_key=)")
        texts = columns.texts(text_column)
    taken = {id_column, text_column, _HASH_KEY}
    extras = {
        key.removeprefix(_EXTRA) if own else key: tuple(map(_as_string, values))
        for key in columns.names
        if key not in taken and (values := columns.plain(key)) is not None
    }
    name = name or columns.metadata.get(_NAME_KEY) or content_stem(path)
    try:
        return PromptSet(name, columns.ids(id_column), texts, hashes, extras)
    except DataError as error:
        raise error if str(path) in str(error) else DataError(f"{path}: {error}") from error


def _as_string(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


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
    table = table.replace_schema_metadata(metadata)
    with atomic_write(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
    return path


def load_prompts(
    path: str | Path,
    *,
    name: str | None = None,
    id_key: str | None = None,
    text_key: str | None = None,
) -> PromptSet:
    r"""Read a prompt file; its suffix and content decide the format.

    COCO captions JSON (``annotations``: annotation id and caption), JSON lines or a JSON list
    of objects (``.jsonl``, ``.json``), ``.csv``, ``.tsv``, ``.parquet``, and plain text (any
    other suffix: one prompt a line, its id the line's number from 1; blank lines are left out
    with a warning that counts them). Text forms may be packed as ``.xz`` or ``.gz``. Ids are
    read from the column ``prompt_id`` or ``id``, texts from ``caption``, ``prompt`` or ``text``,
    unless ``id_key`` and ``text_key`` name others; other columns of plain values become extras.
    Texts are kept exactly as they are. ``name`` defaults to the file's stem. The path
    ``"miniature"`` means the prompts that come with the package.

    Raises DataError in one line naming the file and the row, line or key at fault: missing,
    empty, cut short, not UTF-8, no id or text, a repeated id.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "pets.txt"
    ...     _ = file.write_text("A cat.\nA dog.\n")
    ...     load_prompts(file).ids
    ('1', '2')
    """
    path = shipped_scores(path) / "prompts.parquet" if path == MINIATURE else Path(path)
    return read_prompts(path, name, id_key, text_key)


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
