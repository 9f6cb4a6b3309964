"""Loading scores from any file or folder; the importer is chosen by its layout."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import content_stem
from flasheval.base.resources import shipped_scores
from flasheval.base.table_files import read_columns
from flasheval.prompts import PromptSet
from flasheval.scores.importers import import_scores, recognised
from flasheval.scores.importers.in_memory import (
    from_memory,
    named_by_kind,
    with_default_name,
)
from flasheval.scores.importers.long_table import LongTable, is_long
from flasheval.scores.importers.npz import Npz
from flasheval.scores.importers.official_names import official_variant
from flasheval.scores.importers.results.means_only import refuse_means
from flasheval.scores.importers.settings import Direction, Prompts, as_prompts, direction_of, finish
from flasheval.scores.importers.wide_table import WideTable, wide_files
from flasheval.scores.parquet import is_saved_table
from flasheval.scores.table import ScoreTable

__all__ = [
    "load_by_shape",
    "load_scores",
]


def load_by_shape(
    source: Any, prompts: Prompts, metric: str | None, higher_is_better: Direction
) -> ScoreTable:
    """Read scores of any shape; see flasheval.scores.load_scores."""
    if not isinstance(source, str | Path):
        return _from_memory(source, prompts, metric, higher_is_better)
    path = shipped_scores(source)
    if path.is_dir() and is_saved_table(path):
        return _labelled(ScoreTable.load(path), prompts, metric, higher_is_better)
    layout = recognised(path)
    if layout is not None:
        settings = {"prompts": prompts, "metric": metric, "higher_is_better": higher_is_better}
        given = {key: value for key, value in settings.items() if value is not None}
        return import_scores(layout, path, **given).table
    refuse_means(path)
    if path.is_dir():
        return _from_folder(path, prompts, metric, higher_is_better)
    if path.suffix.lower() == ".npz":
        return Npz(prompts, metric, higher_is_better).read(path).table
    columns = read_columns(path, "score file or folder")
    return table_of(columns, prompts=prompts, metric=metric, higher_is_better=higher_is_better)


def table_of(
    columns: Columns, *, prompts: Prompts, metric: str | None, higher_is_better: Direction
) -> ScoreTable:
    """Return the table of one file's or object's columns, whatever their layout."""
    known = None if prompts is None else as_prompts(prompts)
    settings = (known, metric, higher_is_better)
    if is_long(columns):
        return LongTable(*settings).read(columns).table
    variant = next((name for name in ("variant", "model") if name in columns.names), None)
    if variant is None:
        return WideTable(*settings).read(columns).table
    others = [name for name in columns.names if name != variant]
    labels = [name for name in others if name in ("prompt_id", "prompt", "text", "caption")]
    scores = [name for name in others if name not in labels]
    if labels:  # tidy: a column a metric
        tables = []
        for name in scores:
            part = _scores_from(columns, name, (variant, *labels))
            mine = higher_is_better
            if isinstance(mine, Mapping):
                mine = {key: value for key, value in mine.items() if key == name}
            tables.append(LongTable(known, name, mine).read(part).table)
        return finish(reduce(ScoreTable.merge, tables), None, higher_is_better)
    name = metric or content_stem(columns.path)
    table = ScoreTable.from_arrays(
        columns.floats(scores).T,
        variants=[official_variant(one) for one in columns.ids(variant)],
        prompts=scores,
        metric=name,
        higher_is_better=direction_of(name, higher_is_better, None),
    )
    return finish(table, known, higher_is_better)


def _scores_from(columns: Columns, name: str, labels: tuple[str, ...]) -> Columns:
    """Return the labels and one column of scores, as a long table."""

    def fetch(wanted: Sequence[str]) -> list[Any]:
        return columns.fetch([name if one == "score" else one for one in wanted])

    return replace(columns, names=(*labels, "score"), fetch=fetch)


def _from_memory(
    source: Any, prompts: Prompts, metric: str | None, higher_is_better: Direction
) -> ScoreTable:
    known = None if prompts is None else as_prompts(prompts)
    with named_by_kind(source):
        found = from_memory(source, known, metric, higher_is_better)
        if isinstance(found, Columns):
            table = table_of(found, prompts=known, metric=metric, higher_is_better=higher_is_better)
            return with_default_name(table)
    if isinstance(found, Mapping):
        return _from_mapping(found, known, metric, higher_is_better)
    if source is not found and metric is not None and len(found.metrics) == 1:
        (matrix,) = found.matrices.values()
        named = {metric: replace(matrix, metric=metric)}
        found = ScoreTable(found.prompts, found.variants, named)
        metric = None
    return _labelled(found, known, metric, higher_is_better)


def _labelled(
    table: ScoreTable, prompts: Prompts, metric: str | None, higher_is_better: Direction
) -> ScoreTable:
    """Return a table that names its metrics itself: settings may agree, not rename."""
    if metric is not None:
        raise SettingError(
            f"metric={metric!r} is for a file that names none; these scores name theirs: "
            f"{', '.join(table.metrics)}"
        )
    for name, matrix in table.matrices.items():
        direction_of(name, higher_is_better, matrix.higher_is_better)
    return finish(table, prompts, higher_is_better)


def _from_mapping(
    sources: Mapping[Any, Any], prompts: Prompts, metric: str | None, higher_is_better: Direction
) -> ScoreTable:
    if metric is not None:
        raise SettingError(f"metric={metric!r} beside a mapping that names the metrics; leave out")
    if not sources:
        raise SettingError("the mapping of metric to score file is empty")
    known = None if prompts is None else as_prompts(prompts)
    tables = []
    for name, path in sources.items():
        mine = higher_is_better
        if isinstance(mine, Mapping):
            mine = {key: value for key, value in mine.items() if key == name}
        tables.append(load_by_shape(path, known, str(name), mine))
    return finish(reduce(ScoreTable.merge, tables), None, higher_is_better)


def _from_folder(
    path: Path, prompts: Prompts, metric: str | None, higher_is_better: Direction
) -> ScoreTable:
    if wide_files(path):
        return WideTable(prompts, metric, higher_is_better).read(path).table
    if any(next(path.glob(f"{'*/' * depth}*-score.json"), None) for depth in range(5)):
        raise DataError(
            f"{path} looks like the official FlashEval tree, which has faults to report; read it "
            "first, with: flasheval import flasheval-official root=... out=..."
        )
    raise DataError(
        f"{path} holds no scores: expected a folder written by ScoreTable.save, or wide tables "
        "(.parquet, .csv, .tsv), one a metric"
    )


def load_scores(
    source: Any,
    *,
    prompts: PromptSet | str | Path | None = None,
    metric: str | None = None,
    higher_is_better: bool | Mapping[str, bool] | None = None,
) -> ScoreTable:
    r"""Read scores from a file, a folder or an object in memory.

    ``source`` is a folder written by ScoreTable.save, a wide file or a folder of them
    (``prompt_id`` and one column a variant; Parquet, CSV, TSV), a long table (variant,
    prompt_id, metric, score; also JSON lines), an ``.npz`` (``scores`` [variants, prompts],
    ``variants`` or ``models``, ``prompt_ids``); or, in memory, a pandas or polars frame, an
    Arrow table, a ``datasets.Dataset``, a list of records, ``{variant: {prompt: score}}``, a
    mapping with the entries of an ``.npz``, a ScoreMatrix or a ScoreTable; or a mapping of metric
    to any of these. ``prompts`` gives the texts where the source has ids only. ``metric`` names the
    metric where the file does not (else its stem does). ``higher_is_better`` says the
    direction, for all metrics or for each; without it the file's own word counts, else True.

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
    return load_by_shape(source, prompts, metric, higher_is_better)
