"""A validation report on disk: one JSON file of what was found, Parquet files of every number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write, require_file
from flasheval.base.json_data import from_plain, read_json, to_plain
from flasheval.selection.held_out.records import RandomPoint, ValidationCell

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["REPORT", "load_report", "save_report"]

REPORT = "validation.json"
_FORMAT, _SCHEMA = "flasheval-validation", 1
_TABLES: dict[str, tuple[str, type[Any]]] = {
    "cells": ("cells.parquet", ValidationCell),
    "random": ("random.parquet", RandomPoint),
    "learning_cells": ("learning.parquet", ValidationCell),
}

Row = TypeVar("Row")
ReportT = TypeVar("ReportT", bound="DataclassInstance")


def save_report(report: DataclassInstance, folder: Path) -> Path:
    """Write a report; see `ValidationReport.save`."""
    for name, (file, kind) in _TABLES.items():
        rows = getattr(report, name)
        if rows or name == "cells":
            _write_rows(rows, kind, folder / file)
        else:
            (folder / file).unlink(missing_ok=True)
    light = replace(report, cells=(), random=(), learning_cells=())
    content = {"format": _FORMAT, "schema_version": _SCHEMA, **to_plain(light)}
    with atomic_write(folder / REPORT) as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", "utf-8")
    return folder


def load_report(cls: type[ReportT], folder: Path) -> ReportT:
    """Read a report; see `ValidationReport.load`."""
    path = folder / REPORT
    content = read_json(path)
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise DataError(f"{path} is not a validation report; expected one that save() wrote")
    version = content.pop("schema_version", None)
    if version != _SCHEMA:
        raise DataError(
            f"{path} has schema version {version}; this flasheval reads {_SCHEMA}: update it"
        )
    light = from_plain(cls, content, source=str(path))
    tables: dict[str, Any] = {
        name: _read_rows(folder / file, kind)
        for name, (file, kind) in _TABLES.items()
        if name == "cells" or (folder / file).exists()
    }
    return replace(light, **tables)


def _write_rows(rows: Sequence[object], kind: type[Any], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    hints = get_type_hints(kind)
    columns = [
        pa.array([getattr(row, field.name) for row in rows], type=types[hints[field.name]])
        for field in fields(kind)
    ]
    table = pa.table(columns, names=[field.name for field in fields(kind)])
    with atomic_write(path) as temporary:
        pq.write_table(table, temporary)


def _read_rows(path: Path, kind: type[Row]) -> tuple[Row, ...]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    require_file(path, "Parquet file of a validation")
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    try:
        rows = pq.read_table(path, columns=names, page_checksum_verification=True).to_pylist()
        return tuple(kind(**row) for row in rows)
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        reason = str(error).split(". ")[0].splitlines()[0]
        raise DataError(
            f"{path} is not readable as a validation's numbers ({reason}); is it cut short?"
        ) from error
