"""Opening a user's copy of a prompt set, in any file layout, as batches of rows."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import content_suffix, read_text, require_file
from flasheval.base.json_data import read_json
from flasheval.base.resources import MINIATURE
from flasheval.base.table_files import TABLE_SUFFIXES, read_columns
from flasheval.prompts import PromptSet, load_prompts
from flasheval.prompts.hub_datasets import DATASETS
from flasheval.subset.library.hub_datasets import open_dataset
from flasheval.subset.library.rows import Copy, Rows, Source, columns_of, rows_of

__all__ = [
    "open_copy",
]


_BATCH = 65_536
# DiffusionDB's own files: {"2217ccbd-....png": {"p": "a prompt", "se": 38753269, ...}, ...}
_DIFFUSIONDB = re.compile(r'\s*\{\s*"[^"\\]+\.(png|webp)"\s*:\s*\{')
_DIFFUSIONDB_PARTS = "part-*.json"


def open_copy(source: Source) -> Copy:
    """Open a copy of a prompt set; its suffix and content decide how it is read.

    Args:
        source: COCO's ``captions_val2014.json``; JSON, JSON lines, CSV or TSV (packed as ``.xz`` or
            ``.gz`` too) and Parquet with a column ``caption``, ``prompt``, ``text`` or ``captions``
            (lists), such as DiffusionDB's ``metadata.parquet``; one of DiffusionDB's
            ``part-*.json``, or a folder of them; plain text, one prompt a line; a folder of saved
            scores; the word ``miniature``; ``datasets:OWNER/NAME``, ``datasets:OWNER/NAME:SPLIT``
            or ``datasets:OWNER/NAME:CONFIG:SPLIT``, which the `datasets` library reads (a local
            folder of files too); a PromptSet; or a list of texts.

    Raises:
        SettingError: ``source`` is none of these.
        DataError: A file that is missing, damaged or has no texts.

    >>> copy = open_copy(["a cat", "a dog"])
    >>> copy.name, [rows.texts.to_pylist() for rows in copy.batches()]
    ('the list of texts', [['a cat', 'a dog']])
    >>> open_copy(7)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: prompts is a int; expected a file, a PromptSet or a ...

    """
    if isinstance(source, PromptSet):
        return _from_prompts(source)
    if isinstance(source, str) and source == MINIATURE:
        return _from_prompts(load_prompts(source))
    if isinstance(source, str) and source.startswith(DATASETS):
        return open_dataset(source)
    if isinstance(source, str | Path):
        if not str(source).strip():
            raise SettingError("prompts= is empty; give the file that holds the texts")
        return _from_path(Path(source).expanduser())
    if isinstance(source, list | tuple) and all(isinstance(text, str) for text in source):
        return _listed("the list of texts", list(source))
    raise SettingError(
        f"prompts is a {type(source).__name__}; expected a file, a PromptSet or a list of texts"
    )


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
        lines = read_text(path, "prompt file").split("\n")
        return _listed(str(path), [line.removesuffix("\r") for line in lines])
    if suffix == ".json" and _DIFFUSIONDB.match(read_text(path, "prompt file")[:1000]):
        return _from_parts(str(path), [path])
    try:
        table = read_columns(path, "prompt file")
        roles = columns_of(table.names, str(path))
    except DataError:  # another layout of prompts, whose ids and texts are found otherwise
        return _from_prompts(_quietly(path))
    rows = rows_of(dict(zip(roles, table.fetch(list(roles.values())), strict=True)), str(path))
    return Copy(str(path), lambda: iter((rows,)))


def _from_folder(path: Path) -> Copy:
    if (path / "prompts.parquet").is_file():
        return _from_parquet(path / "prompts.parquet")
    parts = sorted(path.rglob(_DIFFUSIONDB_PARTS))
    if parts:
        return _from_parts(str(path), parts)
    try:
        return _from_prompts(_quietly(path))
    except DataError as error:
        raise DataError(
            f"{error}; give the file that holds the texts, or prompts={DATASETS}{path} for the "
            "datasets library"
        ) from error


def _quietly(path: Path) -> PromptSet:
    """Read prompts whose ids do not matter: texts are found by their hashes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return load_prompts(path)


def _from_parts(name: str, parts: Sequence[Path]) -> Copy:
    """Return the prompts of files as DiffusionDB has them, a thousand images each."""

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
