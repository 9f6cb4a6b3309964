"""Folders of tables: one file a metric, or one a variant; the names of files and columns tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import content_stem, content_suffix
from flasheval.base.table_files import EXCEL_SUFFIXES, columns_of_sheets, read_columns
from flasheval.base.text import plain_name
from flasheval.scores.importers.column_names import (
    GENERIC_SCORES,
    is_metric,
    is_nothing,
    is_summary,
    look_of,
    role_of,
)
from flasheval.scores.importers.one_table import TableSettings, read_table
from flasheval.scores.importers.result import ImportResult
from flasheval.scores.importers.settings import finish
from flasheval.scores.table import ScoreTable

__all__ = ["how_of_metrics", "read_tables", "read_variants", "table_files", "tables_in"]

_FIRST = (".parquet", ".csv", ".tsv")
_ELSE = (".feather", ".arrow", ".jsonl", ".ndjson", ".json", *EXCEL_SUFFIXES)
_NUMBERS = ("number", "percent", "truth", "list")


def table_files(folder: Path) -> list[Path]:
    """Return the files of a folder that can be tables of scores, sorted by name.

    JSON and Excel files count where there is no CSV, TSV or Parquet file; where there is no file
    at all, folders that hold one table each do, but not one JSON file, which may be anything.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("hps.csv.gz", "clip.parquet", "notes.txt"):
    ...         (Path(folder) / name).touch()
    ...     [path.name for path in table_files(Path(folder))]
    ['clip.parquet', 'hps.csv.gz']
    """
    found = _tables_here(folder)
    if found:
        return found
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and _is_seen(path))
    inner = [_tables_here(path) for path in folders]
    alone = [files[0] for files in inner if len(files) == 1 and content_suffix(files[0]) != ".json"]
    return alone if len(alone) > 1 and len(alone) == len(inner) else []


def _tables_here(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if path.is_file() and _is_seen(path))
    for suffixes in (_FIRST, _ELSE):
        found = [path for path in files if content_suffix(path) in suffixes]
        if found:
            return found
    return []


def _is_seen(path: Path) -> bool:
    return path.name[0] not in "._~"


def tables_in(path: Path) -> list[Columns]:
    """Return the tables of a file: one, or the sheets of an Excel file."""
    if content_suffix(path) in EXCEL_SUFFIXES:
        return columns_of_sheets(path, "score file or folder")
    return [read_columns(path, "score file or folder")]


def read_tables(path: Path, tables: Sequence[Columns], settings: TableSettings) -> ImportResult:
    """Read several tables of one folder, or of one Excel file.

    Raises DataError where it cannot be told whether a file is a metric or a variant, and as
    `flasheval.scores.importers.one_table.read_table` does.
    """
    if len(tables) == 1:
        return read_table(tables[0], settings)
    result = read_variants(path, tables, [_stem(path, one) for one in tables], settings)
    if result is not None:
        return result
    if settings.metric is not None:
        raise SettingError(
            f"metric={settings.metric!r} cannot name all {len(tables)} files of {path}"
        )
    alone = replace(settings, prompts=None, files_are="metric")
    results = []
    for one in tables:
        folder = None if one.path.parent == path else _stem(path, one)
        results.append(read_table(one, replace(alone, metric=folder)))
    table = reduce(ScoreTable.merge, [result.table for result in results])
    table = finish(table, settings.prompts, settings.higher_is_better)
    return ImportResult(table, how=how_of_metrics(table, results))


def read_variants(
    path: Path,
    tables: Sequence[Columns],
    names: Sequence[str],
    settings: TableSettings,
    what: str = "file",
) -> ImportResult | None:
    """Read tables that are one a variant; None where they are one a metric.

    ``names`` are the tables', and ``what`` a table is called in messages.
    """
    if (settings.files_are or _what_tables_are(path, tables, names, settings, what)) != "variant":
        return None
    result = read_table(_joined(path, tables, names), replace(settings, files_are="variant"))
    counted = f", one {what} a variant ({len(tables)}): "
    return replace(result, how=result.how.replace(": ", counted, 1))


def how_of_metrics(table: ScoreTable, results: Sequence[ImportResult]) -> str:
    """Return the line that says how several files or objects, a metric each, were read."""
    notes = dict.fromkeys(note for result in results for note in result.how.split("; ")[1:])
    metrics = f"metrics {', '.join(table.metrics)}"[:80]
    how = (
        f"read as one file a metric: {len(table)} variants, {table.n_prompts:,} prompts, {metrics}"
    )
    return "; ".join((how, *notes))


def _stem(path: Path, columns: Columns) -> str:
    """Return what a table is called: its file, or the folder in which it lies alone."""
    parent = columns.path.parent
    return parent.name if parent != path and parent.is_dir() else content_stem(columns.path)


def _what_tables_are(
    path: Path, tables: Sequence[Columns], stems: Sequence[str], settings: TableSettings, what: str
) -> str:
    """Return whether a table is a `variant` or a `metric`."""
    asked = settings.asked
    if asked.variants:
        return "metric"
    if any("flasheval.metric" in one.metadata for one in tables):
        return "metric"
    variant = [_variant_column(one) for one in tables]
    if all(variant):
        return _of_long_tables(tables, [name for name in variant if name], stems)
    if any(variant):
        return "metric"
    scores = [_score_columns(one, asked.drop) for one in tables]
    if asked.scores:
        return "variant"
    same = all(set(one) == set(scores[0]) for one in scores)
    names = scores[0]
    if not names:
        return "metric"
    if all(plain_name(name) in GENERIC_SCORES for one in scores for name in one):
        return "metric" if look_of(stems) == "metrics" else "variant"
    if look_of(stems) == "metrics":
        return "metric"
    metrics = all(is_metric(name) for one in scores for name in one)
    if metrics:
        return "variant"
    if not same:
        return _of_other_columns(path, scores, what)
    if len(names) == 1 or (look_of(stems) == "variants" and look_of(names) != "variants"):
        raise DataError(
            f"{path} can be read two ways: a {what} a variant ({stems[0]}, ...) with the metrics "
            f"{', '.join(names[:3])} (columns={{score:[{','.join(names[:3])}]}}), or a {what} a "
            f"metric with the variants {', '.join(names[:3])} (columns={{variant:'*'}}); say which"
        )
    return "metric"


def _of_long_tables(tables: Sequence[Columns], variant: Sequence[str], stems: Sequence[str]) -> str:
    """Files that name their variants: parts of one table, or a metric each."""
    seen: set[str] = set()
    apart = True
    for one, name in zip(tables, variant, strict=True):
        labels = set(one.codes(name)[0])
        apart = apart and not labels & seen
        seen |= labels
    same = all(set(one.names) == set(tables[0].names) for one in tables)
    parts = len(tables) > 1 and apart and same and look_of(stems) != "metrics"
    return "variant" if parts else "metric"


def _of_other_columns(path: Path, scores: Sequence[Sequence[str]], what: str) -> str:
    """Files whose columns differ: metrics of some variants each, unless no variant is in two."""
    every = [name for one in scores for name in one]
    if len(set(every)) < len(every) or not all(len(one) == 1 for one in scores):
        return "metric"
    raise DataError(
        f"{path} has a {what} for each of the columns {', '.join(every[:3])}: no variant is in two "
        f"{what}s, so they are no metrics of the same variants; put the columns into one {what}, "
        f"or name each the same and the {what}s after the variants"
    )


def _variant_column(columns: Columns) -> str | None:
    for name in role_of("variant", columns.names):
        (kind,) = columns.kinds([name])
        if kind == "text":
            return name
    return None


def _score_columns(columns: Columns, drop: Sequence[str]) -> list[str]:
    gone = {plain_name(name) for name in drop}
    ids = [*role_of("prompt", columns.names), *role_of("text", columns.names)]
    free = [
        name
        for name in columns.names
        if name not in ids
        and name.strip()
        and plain_name(name) not in gone
        and not is_nothing(name)
        and not is_summary(name)
        and not name.startswith(("Unnamed: ", "__index_level"))
    ]
    return [name for name, kind in zip(free, columns.kinds(free), strict=True) if kind in _NUMBERS]


def _joined(path: Path, tables: Sequence[Columns], stems: Sequence[str]) -> Columns:
    """Return the tables below one another, with a column of the files' names where it is needed."""
    import pyarrow as pa

    names = list(dict.fromkeys(name for one in tables for name in one.names))
    named = all(_variant_column(one) is not None for one in tables)
    begins = [0]
    for one in tables:
        begins.append(begins[-1] + one.n_rows)

    def part(place: int, name: str, text: bool) -> Any:
        one = tables[place]
        if name == _VARIANT and not named:
            return pa.array([stems[place]] * one.n_rows, pa.string())
        if name not in one.names:
            return pa.nulls(one.n_rows, pa.string() if text else None)
        (array,) = one.fetch([name])
        return array.cast(pa.string()) if text else array

    def fetch(wanted: Sequence[str]) -> list[Any]:
        found = []
        for name in wanted:
            kinds = {str(one.fetch([name])[0].type) for one in tables if name in one.names}
            missing = any(name not in one.names for one in tables) and name != _VARIANT
            text = len(kinds) > 1 or missing
            parts = [part(place, name, text) for place in range(len(tables))]
            chunks = [
                chunk
                for one in parts
                for chunk in (one.chunks if isinstance(one, pa.ChunkedArray) else [one])
            ]
            found.append(pa.chunked_array(chunks))
        return found

    def where(row: int) -> str:
        place = next(i for i in range(len(tables)) if row < begins[i + 1])
        file = tables[place].path
        label = file.name if file.parent == path or file.is_file() else stems[place]
        return f"{label} {tables[place].where(row - begins[place])}"

    return Columns(
        path,
        tuple(names if named else [_VARIANT, *names]),
        begins[-1],
        fetch,
        where,
        typed=all(one.typed for one in tables),
        commas=any(one.commas for one in tables),
    )


_VARIANT = "variant"
