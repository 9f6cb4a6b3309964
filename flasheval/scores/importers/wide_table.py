"""Importer of wide tables: one row a prompt, one column a variant, one file a metric."""

from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import content_stem, content_suffix
from flasheval.base.table_files import read_columns
from flasheval.prompts import PromptSet
from flasheval.scores.importers.official_names import official_variant
from flasheval.scores.importers.result import ImportResult
from flasheval.scores.importers.settings import Direction, direction_of, finish
from flasheval.scores.parquet import matrix_from_columns
from flasheval.scores.table import ScoreTable

__all__ = ["WideTable", "wide_files"]

_IDS = ("prompt_id", "id", "prompt")
_TEXTS = ("text", "caption", "prompt")
_SUFFIXES = (".parquet", ".csv", ".tsv")
_INDEX = "__index_level_0__"  # what pandas adds when it writes an unnamed index


@dataclass(frozen=True)
class WideTable:
    r"""Read a wide Parquet, CSV or TSV file, or a folder of them, one a metric.

    A column ``prompt_id`` (or ``id``), optionally the texts (``text`` or ``caption``), and a
    column of scores for each variant; an empty cell or NaN is not measured. Names of the
    official form give the variants their factors.

    Attributes:
        prompts: A PromptSet or its file, for the texts.
        metric: The metric's name, else the Parquet file's metadata name it, else the file's stem.
        higher_is_better: The direction, for all metrics or for each.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "clip.csv").write_text("prompt_id,sd15\n1,0.25\n")
    ...     _ = (Path(folder) / "hps.tsv").write_text("prompt_id\tsd15\n1\t0.5\n")
    ...     table = WideTable().read(folder).table
    >>> table.metrics, table.n_prompts
    (('clip', 'hps'), 1)

    """

    name: ClassVar[str] = "wide"
    prompts: Any = None
    metric: str | None = None
    higher_is_better: Any = None

    def read(self, source: str | Path | Columns) -> ImportResult:
        """Read the file or the folder.

        Raises DataError naming file, row and column for anything that is no finite number,
        repeated ids, and damaged files.
        """
        if isinstance(source, Columns):
            return ImportResult(
                finish(_table(source, self.metric, self.higher_is_better), self.prompts)
            )
        path = Path(source)
        if not path.is_dir():
            table = _table(
                read_columns(path, "wide table of scores"), self.metric, self.higher_is_better
            )
            return ImportResult(finish(table, self.prompts, self.higher_is_better))
        files = wide_files(path)
        if not files:
            raise DataError(f"{path} holds no wide tables of scores ({', '.join(_SUFFIXES)})")
        if self.metric is not None and len(files) > 1:
            raise SettingError(
                f"metric={self.metric!r} cannot name all {len(files)} files of {path}"
            )
        tables = [_table(read_columns(file), self.metric, self.higher_is_better) for file in files]
        return ImportResult(
            finish(reduce(ScoreTable.merge, tables), self.prompts, self.higher_is_better)
        )


def wide_files(folder: Path) -> list[Path]:
    """Return the files of a folder that can be wide tables, sorted by name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("hps.csv.gz", "clip.parquet", "notes.txt"):
    ...         (Path(folder) / name).touch()
    ...     [path.name for path in wide_files(Path(folder))]
    ['clip.parquet', 'hps.csv.gz']
    """
    return sorted(
        path for path in folder.iterdir() if path.is_file() and content_suffix(path) in _SUFFIXES
    )


def _table(columns: Columns, metric: str | None, higher_is_better: Direction) -> ScoreTable:
    path = columns.path
    id_column = columns.pick(None, _IDS, "prompt ids")
    texts = [name for name in _TEXTS if name in columns.names and name != id_column]
    said = "flasheval.higher_is_better" in columns.metadata
    if metric is None and "flasheval.metric" not in columns.metadata:
        metric = content_stem(path)
    try:
        matrix = matrix_from_columns(
            columns, metric=metric, id_column=id_column, leave_out=(*texts, _INDEX)
        )
        direction = direction_of(
            matrix.metric, higher_is_better, matrix.higher_is_better if said else None
        )
        matrix = replace(matrix, higher_is_better=direction)
        bare = PromptSet(content_stem(path), matrix.prompt_ids)
        variants = tuple(map(official_variant, matrix.variants))
        table = ScoreTable(bare, variants, {matrix.metric: matrix})
        if texts:
            known = PromptSet(bare.name, bare.ids, columns.texts(texts[0]))
            table = table.with_prompts(known)
    except DataError as error:
        raise type(error)(str(error) if str(path) in str(error) else f"{path}: {error}") from error
    return table
