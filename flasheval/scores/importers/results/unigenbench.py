"""Importer of UniGenBench's results: a CSV a model, its verdicts the text of a Python dict."""

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.files import content_suffix
from flasheval.base.table_files import read_columns
from flasheval.scores.importers.results.cells import Cells, is_score
from flasheval.scores.importers.results.files import head_of, model_place, walk
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["UniGenBench"]

_VERDICTS = "result_json"
_NOTHING = ("", "nan", "none", "null")


@dataclass(frozen=True)
class UniGenBench(ResultLayout):
    """Read UniGenBench's ``NAME_output.csv``, or a folder of one a model.

    The metric is ``testpoints``: the share of a prompt's test points that an image meets.
    """

    name: ClassVar[str] = "unigenbench"
    title: ClassVar[str] = "UniGenBench results"
    expected: ClassVar[str] = "NAME_output.csv with index, prompt and result_json"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the tables that have the columns index and result_json."""
        for path in walk(source, most):
            if content_suffix(path) in (".csv", ".tsv"):
                header = head_of(path, line=True)
                if _VERDICTS in header and "index" in header:
                    yield path

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up an image a row."""
        for path, model, seed in self.by_model(root, files, [model_place(p) for p in files]):
            cells.start(path, model, seed)
            columns = read_columns(path, self.title)
            ids = columns.ids(columns.pick("index", (), "prompts"))
            verdicts = columns.plain(columns.pick(_VERDICTS, (), "verdicts")) or [None] * len(ids)
            texts = _plain(columns, "prompt", len(ids))
            points = [_listed(cell) for cell in _plain(columns, "testpoint", len(ids))]
            for row, verdict in enumerate(verdicts):
                where = columns.where(row)
                prompt = cells.prompt(
                    ids[row], where, text=texts[row], tags={"testpoint": points[row]}
                )
                cells.add("testpoints", prompt, _share(verdict, f"{path} {where}"), where)


def _plain(columns: Columns, name: str, rows: int) -> list[Any]:
    return (columns.plain(name) if name in columns.names else None) or [None] * rows


def _listed(cell: Any) -> Any:
    """Return the list that a cell holds as Python's text; any other cell as it is."""
    try:
        found = ast.literal_eval(cell) if isinstance(cell, str) and cell.startswith("[") else cell
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return cell
    return found if isinstance(found, list) else cell


def _share(verdict: Any, where: str) -> float | None:
    """Return the share of test points met; None where nothing was judged."""
    text = "" if verdict is None else str(verdict).strip()
    if text.lower() in _NOTHING:
        return None
    try:
        found = ast.literal_eval(text)  # reads literals only, runs nothing
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
    scores = found.get("score") if isinstance(found, dict) else None
    scores = [scores] if is_score(scores) else scores
    if not isinstance(scores, list) or not all(map(is_score, scores)):
        raise DataError(
            f"{where}: {_VERDICTS} is {text[:60]!r}; expected the text of a Python dict with a "
            "list of numbers 'score', or nothing for an image that was not judged"
        )
    return sum(map(float, scores)) / len(scores) if scores else None
