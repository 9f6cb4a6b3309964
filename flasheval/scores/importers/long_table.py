"""Importer of long tables: one row for each variant, prompt and metric."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.columns import Columns
from flasheval.base.table_files import read_columns
from flasheval.scores.importers.asked import ask
from flasheval.scores.importers.one_table import TableSettings, read_table
from flasheval.scores.importers.result import ImportResult

__all__ = ["LongTable"]


@dataclass(frozen=True)
class LongTable:
    r"""Read a long table: CSV, TSV, Parquet, or JSON lines.

    Columns ``variant`` (or ``model``), ``prompt_id`` (or ``prompt``), ``metric`` (without it the
    one metric is named by the setting, else by the file's stem) and ``score`` (or ``value``), or a
    column for each metric; ``text`` or ``caption`` gives the texts. Variants, prompts and metrics
    keep the order in which they first appear; what has no row, or an empty or NaN score, is not
    measured. Several scores of one variant, prompt and metric give their mean.

    Attributes:
        prompts: A PromptSet or its file, for the texts.
        metric: The metric's name, where there is no such column.
        higher_is_better: The direction, for all metrics or for each.
        factors: A column that becomes a factor of the variants, or several. Columns that are the
            same for all rows of a variant become factors unasked.
        columns: Which columns are what, see `flasheval.load_scores`.
        drop: Columns and rows to leave out.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "long.csv"
    ...     rows = ["model,prompt_id,metric,score", "sd15,1,clip,0.25", "sdxl,2,clip,0.5"]
    ...     _ = file.write_text("\n".join(rows))
    ...     table = LongTable().read(file).table
    >>> table.variant_names, table["clip"].values.tolist()
    (('sd15', 'sdxl'), [[0.25, nan], [nan, 0.5]])

    """

    name: ClassVar[str] = "long"
    prompts: Any = None
    metric: str | None = None
    higher_is_better: Any = None
    factors: Any = ()
    columns: Any = None
    drop: Any = ()

    def read(self, source: str | Path | Columns) -> ImportResult:
        """Read the table.

        Raises ConflictError when a prompt has two texts or a variant two values of a factor asked
        for, and DataError for anything unreadable.
        """
        columns = (
            source if isinstance(source, Columns) else read_columns(Path(source), "long table")
        )
        factors = (self.factors,) if isinstance(self.factors, str) else tuple(self.factors)
        return read_table(
            columns,
            TableSettings(
                self.prompts,
                self.metric,
                self.higher_is_better,
                ask(self.columns, self.drop or None),
                factors,
            ),
        )
