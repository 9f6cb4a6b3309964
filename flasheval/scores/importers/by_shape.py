"""Loading scores from any file or folder; the importer is chosen by its layout."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from flasheval.base.arguments import checked_arguments
from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import content_suffix
from flasheval.base.resources import bundled, score_names, shipped_scores
from flasheval.base.suggest import nearest
from flasheval.base.table_files import TABLE_SUFFIXES
from flasheval.prompts import PromptSet
from flasheval.prompts.loading import as_prompts
from flasheval.scores.importers import import_scores, recognised
from flasheval.scores.importers.asked import ask
from flasheval.scores.importers.in_memory import (
    from_memory,
    named_by_kind,
    path_of,
    with_default_name,
)
from flasheval.scores.importers.npz import Npz
from flasheval.scores.importers.one_table import TableSettings, read_table
from flasheval.scores.importers.result import ImportResult
from flasheval.scores.importers.results.means_only import refuse_means
from flasheval.scores.importers.settings import Direction, Prompts, direction_of, finish
from flasheval.scores.importers.table_folders import (
    how_of_metrics,
    read_tables,
    read_variants,
    table_files,
    tables_in,
)
from flasheval.scores.parquet import is_saved_table
from flasheval.scores.table import ScoreTable

__all__ = [
    "load_by_shape",
    "load_scores",
    "read_scores",
]

_log = logging.getLogger(__name__)


def load_by_shape(source: Any, settings: TableSettings) -> ImportResult:
    """Read scores of any shape, with a line that says how; see flasheval.scores.load_scores."""
    if not isinstance(source, str | Path):
        return _from_memory(source, settings)
    if not str(source) or "\0" in str(source):
        raise SettingError(f"scores={str(source)!r}: expected a file or a folder of scores")
    path = shipped_scores(source)
    _refuse_unknown_name(path)
    if path.is_dir() and is_saved_table(path):
        return _labelled(ScoreTable.load(path), settings)
    layout = recognised(path)
    if layout is not None:
        _refuse_columns(settings, f"{path} holds results in a layout of its own ({layout})")
        keys = ("prompts", "metric", "higher_is_better")
        given = {key: getattr(settings, key) for key in keys}
        told = {key: value for key, value in given.items() if value is not None}
        return import_scores(layout, path, **told)
    refuse_means(path)
    if path.is_dir():
        return _from_folder(path, settings)
    if path.suffix.lower() in (".npz", ".npy"):
        _refuse_columns(settings, f"{path} is an array, which has no columns")
        return Npz(settings.prompts, settings.metric, settings.higher_is_better).read(path)
    return read_tables(path, tables_in(path), settings)


def _refuse_unknown_name(path: Path) -> None:
    """Say which scores are shipped where a bare name is neither a file nor one of them."""
    name = str(path)
    if path.suffix or path.name != name or path.exists():
        return
    other = "; a subset of that name is shipped, but no scores" if name in bundled() else ""
    raise DataError(
        f"{name} does not exist; expected a score file or folder of yours, or the name of scores "
        f"that are shipped: {', '.join(score_names())}{other or nearest(name, score_names())}"
    )


def _from_memory(source: Any, settings: TableSettings) -> ImportResult:
    prompts = None if settings.prompts is None else as_prompts(settings.prompts)
    settings = replace(settings, prompts=prompts)
    with named_by_kind(source):
        found = from_memory(source, prompts, settings.metric, settings.higher_is_better)
    if isinstance(found, Columns):
        return _from_columns(found, source, settings)
    if isinstance(found, Mapping):
        return _from_mapping(found, settings)
    if source is not found and settings.metric is not None and len(found.metrics) == 1:
        (matrix,) = found.matrices.values()
        named = {settings.metric: replace(matrix, metric=settings.metric)}
        found = ScoreTable(found.prompts, found.variants, named)
        settings = replace(settings, metric=None)
    return _labelled(found, settings)


def _from_columns(columns: Columns, source: Any, settings: TableSettings) -> ImportResult:
    if isinstance(source, str | Path):
        return read_table(columns, settings)
    with named_by_kind(source):
        result = read_table(columns, settings)
    return replace(result, table=with_default_name(result.table))


def _refuse_columns(settings: TableSettings, why: str) -> None:
    if settings.asked != ask(None, None):
        raise SettingError(f"{why}: leave out columns and drop")


def _labelled(table: ScoreTable, settings: TableSettings) -> ImportResult:
    """Return a table that names its metrics itself: settings may agree, not rename."""
    _refuse_columns(settings, "these scores are a table already")
    if settings.metric is not None:
        raise SettingError(
            f"metric={settings.metric!r} is for a file that names none; these scores name theirs: "
            f"{', '.join(table.metrics)}"
        )
    for name, matrix in table.matrices.items():
        direction_of(name, settings.higher_is_better, matrix.higher_is_better)
    return ImportResult(finish(table, settings.prompts, settings.higher_is_better))


def _from_mapping(sources: Mapping[Any, Any], settings: TableSettings) -> ImportResult:
    if not sources:
        raise SettingError("the mapping of metric to score file is empty")
    known = None if settings.prompts is None else as_prompts(settings.prompts)
    opened = [_opened(source, known) for source in sources.values()]
    if all(isinstance(one, Columns) for one in opened):
        names = list(map(str, sources))
        with named_by_kind(sources):
            told = replace(settings, prompts=known)
            result = read_variants(path_of(sources), opened, names, told, "table")
        if result is not None:
            return replace(result, table=with_default_name(result.table))
    if settings.metric is not None:
        raise SettingError(
            f"metric={settings.metric!r} beside a mapping that names the metrics; leave out"
        )
    results = []
    for (name, source), one in zip(sources.items(), opened, strict=True):
        mine = settings.higher_is_better
        if isinstance(mine, Mapping):
            mine = {key: value for key, value in mine.items() if key == name}
        own = replace(settings, prompts=known, metric=str(name), higher_is_better=mine)
        if isinstance(one, Columns):
            results.append(_from_columns(one, source, own))
        else:
            results.append(load_by_shape(source, own))
    table = reduce(ScoreTable.merge, [result.table for result in results])
    how = how_of_metrics(table, results) if any(result.how for result in results) else ""
    return ImportResult(finish(table, None, settings.higher_is_better), how=how)


def _opened(source: Any, prompts: PromptSet | None) -> Any:
    """Return a table in memory, or in a file of one table, as columns; all else as it is."""
    if not isinstance(source, str | Path):
        with named_by_kind(source):
            found = from_memory(source, prompts, None, None)
        return found if isinstance(found, Columns) else source
    path = Path(source)
    if not path.is_file() or content_suffix(path) not in TABLE_SUFFIXES:
        return source
    if recognised(path) is not None:
        return source
    refuse_means(path)
    tables = tables_in(path)
    return tables[0] if len(tables) == 1 else source


def _from_folder(path: Path, settings: TableSettings) -> ImportResult:
    files = table_files(path)
    if files:
        return read_tables(path, [one for file in files for one in tables_in(file)], settings)
    if any(next(path.glob(f"{'*/' * depth}*-score.json"), None) for depth in range(5)):
        raise DataError(
            f"{path} looks like the official FlashEval tree, which has faults to report; read it "
            "first, with: flasheval import flasheval-official root=... out=..."
        )
    raise DataError(
        f"{path} holds no scores: expected a folder written by ScoreTable.save, or tables "
        "(.parquet, .csv, .tsv, ...), one a metric or one a variant"
    )


@checked_arguments
def load_scores(
    source: Any,
    *,
    prompts: PromptSet | str | Path | None = None,
    metric: str | None = None,
    higher_is_better: bool | Mapping[str, bool] | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    drop: str | Sequence[str] = (),
) -> ScoreTable:
    r"""Read scores from a file, a folder or an object in memory.

    ``source`` is a folder written by ScoreTable.save; a table (CSV, TSV, Excel, Parquet, Feather,
    JSON) with a column a variant, a column a prompt, or a row for each variant and prompt with
    one column of scores or one a metric; a folder of such files, one a metric or one a variant;
    an ``.npz`` (``scores`` [variants, prompts], ``variants`` or ``models``, ``prompt_ids``);
    the results of a public benchmark as they lie; or, in memory, a pandas or polars frame, an
    Arrow table, a ``datasets.Dataset``, a list of records, ``{variant: {prompt: score}}``, a
    mapping with the entries of an ``.npz``, a ScoreMatrix or a ScoreTable; or a mapping of metric
    to any of these. The names of the columns and their cells tell the layout; a warning says
    what is doubtful in it.

    Args:
        source: The scores.
        prompts: The texts, where the source has ids only.
        metric: The metric's name, where the file has none (else its stem).
        higher_is_better: The direction, for all metrics or for each; without it the file's own
            word counts, else True.
        columns: Which columns are what: ``variant``, ``prompt`` (ids), ``text``, ``metric``,
            ``score`` (one, or a list of metrics), and ``seed``, ``image`` or ``rater`` (several
            values of one cell, of which the mean is taken). A list for ``variant`` or ``prompt``,
            or ``"*"`` for all other columns, says that these columns are variants or prompts
            themselves; ``"model+steps"`` joins two columns to a variant.
        drop: Columns, variants and prompts to leave out.

    Raises DataError or ConflictError in one line naming the file and the row, column or key.
    The official FlashEval tree has faults to report: see flasheval.scores.importers.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "clip.csv"
    ...     _ = file.write_text("prompt_id,sd15,sdxl\n1,0.25,0.5\n2,0.5,\n")
    ...     table = load_scores(file)
    >>> table.metrics, table.variant_names, table["clip"].values.tolist()
    (('clip',), ('sd15', 'sdxl'), [[0.25, 0.5], [0.5, nan]])

    """
    result = read_scores(
        source,
        prompts=prompts,
        metric=metric,
        higher_is_better=higher_is_better,
        columns=columns,
        drop=drop,
    )
    if "; " in result.how:  # more than the plain reading
        name = source if isinstance(source, str | Path) else f"a {type(source).__name__}"
        warnings.warn(f"{name}: {result.how}", UserWarning, stacklevel=3)
    return result.table


def read_scores(
    source: Any,
    *,
    prompts: Prompts = None,
    metric: str | None = None,
    higher_is_better: Direction = None,
    columns: Any = None,
    drop: Any = (),
) -> ImportResult:
    """Read scores as `load_scores` does; the result says in a line how (``how``).

    >>> from flasheval.scores.synthetic import synthetic_scores
    >>> read_scores(synthetic_scores(4, 6)).how
    ''
    """
    asked = ask(columns, drop or None)
    result = load_by_shape(source, TableSettings(prompts, metric, higher_is_better, asked))
    size = len(result.table), result.table.n_prompts
    where = source if isinstance(source, str | Path) else type(source).__name__
    _log.info("read scores of %d variants on %d prompts: %s", *size, where)
    return result
