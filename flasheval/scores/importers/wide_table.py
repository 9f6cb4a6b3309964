"""Importer of wide tables: one row a prompt, one column a variant, one file a metric."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.table_files import TABLE_SUFFIXES
from flasheval.scores.importers.asked import ask
from flasheval.scores.importers.one_table import TableSettings, read_table
from flasheval.scores.importers.result import ImportResult
from flasheval.scores.importers.table_folders import read_tables, table_files, tables_in

__all__ = ["WideTable"]


@dataclass(frozen=True)
class WideTable:
    r"""Read a wide file (Parquet, CSV, TSV, Excel, Feather), or a folder of them, one a metric.

    A column of prompt ids or texts, and a column of scores for each variant; an empty cell or NaN
    is not measured. Names of the official form give the variants their factors. Unlike
    `flasheval.load_scores`, columns that are called like metrics are variants.

    Attributes:
        prompts: A PromptSet or its file, for the texts.
        metric: The metric's name, else the Parquet file's metadata name it, else the file's stem.
        higher_is_better: The direction, for all metrics or for each.
        columns: Which columns are what, see `flasheval.load_scores`.
        drop: Columns and rows to leave out.

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
    columns: Any = None
    drop: Any = ()

    def read(self, source: str | Path | Columns) -> ImportResult:
        """Read the file or the folder.

        Raises DataError naming file, row and column for anything that is no finite number,
        repeated ids, and damaged files.
        """
        settings = TableSettings(
            self.prompts,
            self.metric,
            self.higher_is_better,
            ask(self.columns, self.drop or None),
            files_are="wide",
        )
        if isinstance(source, Columns):
            return read_table(source, settings)
        path = Path(source)
        if not path.is_dir():
            return read_tables(path, tables_in(path), settings)
        files = table_files(path)
        if not files:
            raise DataError(f"{path} holds no wide tables of scores ({', '.join(TABLE_SUFFIXES)})")
        return read_tables(path, [one for file in files for one in tables_in(file)], settings)
