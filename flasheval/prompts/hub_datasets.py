"""Prompts opened with the `datasets` library, from the Hub or a folder of its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, SettingError
from flasheval.base.extras import pip_command
from flasheval.base.table_files import columns_of_table

__all__ = ["DATASETS", "dataset_columns", "dataset_parts", "unreadable"]

DATASETS = "datasets:"
_BATCH = 1_000
# Features that are fetched: the images beside the texts are not.
_READ = ("Value", "ClassLabel", "Sequence", "List", "LargeList")


def dataset_parts(name: str) -> dict[str, Any]:
    """Return the splits of a data set by name, streamed.

    Args:
        name: ``datasets:OWNER/NAME`` or a folder in place of OWNER/NAME, then ``:SPLIT`` or
            ``:CONFIG:SPLIT``; all splits where none is said.

    Raises:
        SettingError: An address of another form.
        DataError: The library is missing, or cannot read the data set.

    >>> dataset_parts("datasets:a/b:c:d:e")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: datasets:a/b:c:d:e: expected ...

    """
    path, *rest = name.removeprefix(DATASETS).split(":")
    if not path or len(rest) > 2 or not all(rest):
        raise SettingError(f"{name}: expected datasets:OWNER/NAME[:SPLIT] or [:CONFIG:SPLIT]")
    try:
        import datasets
    except ImportError as error:
        raise DataError(
            f"{name} needs the datasets library: {pip_command('datasets')}, or give a file"
        ) from error
    split, config = (rest[-1] if rest else None), (rest[0] if len(rest) == 2 else None)
    try:
        loaded: Any = datasets.load_dataset(path, config, split=split, streaming=True)
    except Exception as error:  # whatever the library, the Hub and the network raise
        raise unreadable(name, error) from error
    return dict(loaded) if isinstance(loaded, Mapping) else {"": loaded}


def dataset_columns(name: str) -> Columns:
    """Read a data set as columns, without images; several splits get a column ``split``.

    Raises as `dataset_parts` does.
    """
    import pyarrow as pa

    parts = dataset_parts(name)
    tables = []
    for split, part in parts.items():
        try:
            wanted = [key for key, kind in (part.features or {}).items() if _is_read(kind)]
            chosen = part.select_columns(wanted) if wanted else part
            rows = [pa.table(dict(batch)) for batch in chosen.iter(batch_size=_BATCH)]
        except Exception as error:
            raise unreadable(name, error) from error
        for table in rows:
            if len(parts) > 1 and "split" not in table.column_names:
                table = table.append_column("split", pa.array([split] * len(table), pa.string()))
            tables.append(table)
    if not tables:
        raise DataError(f"{name} holds no rows")
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise unreadable(name, error) from error
    return columns_of_table(Path(name), table)


def unreadable(name: str, error: Exception) -> DataError:
    """Return the error for a data set that the library cannot read.

    >>> str(unreadable("datasets:a/b", ValueError("no such thing")))[:54]
    'datasets:a/b cannot be read by the datasets library (n'
    """
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return DataError(
        f"{name} cannot be read by the datasets library ({reason}); is it online, public and "
        "spelt so? Or download it and give the file"
    )


def _is_read(kind: Any) -> bool:
    return isinstance(kind, list) or type(kind).__name__ in _READ
