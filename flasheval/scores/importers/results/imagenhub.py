"""Importer of ImagenHub's human ratings: a TSV a rater, its cells pairs [SC,PQ]."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.files import content_stem, content_suffix
from flasheval.base.table_files import read_columns
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import head_of, walk
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["ImagenHub"]

_PAIR = re.compile(r"\[\s*([-+.\w]+)\s*,\s*([-+.\w]+)\s*\]", re.ASCII)
_RATER = re.compile(r"[ _-]?rater[ _-]?\w*$", re.IGNORECASE)
_NOTHING = ("", "[]", "nan", "none", "null")
_METRICS = ("SC", "PQ")


@dataclass(frozen=True)
class ImagenHub(ResultLayout):
    """Read ImagenHub's ratings of one task, ``TASK_rater1.tsv`` and so on: uid, then the models.

    Metrics are SC (semantic consistency) and PQ (perceptual quality), each the mean over the
    raters.
    """

    name: ClassVar[str] = "imagenhub"
    title: ClassVar[str] = "ImagenHub ratings"
    expected: ClassVar[str] = "TASK_raterN.tsv with uid and a column of [SC,PQ] for each model"
    repeats: ClassVar[str] = "raters"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the tables whose first row holds pairs behind its first cell."""
        for path in walk(source, most):
            if content_suffix(path) in (".tsv", ".csv"):
                lines = head_of(path).splitlines()
                if lines[0:1] and lines[0].lower().startswith("uid") and _has_pair(lines[1:20]):
                    yield path

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up a pair of scores a cell."""
        raters = Counter[str]()
        for path in files:
            task = _task(path)
            raters[task] += 1
            columns = read_columns(path, self.title)
            uid, models = columns.names[0], columns.names[1:]
            ids = columns.ids(uid)
            for model in models:
                cells.start(path, model, f"rater {raters[task]}")
                _add(cells, columns, model, ids)
        if len(raters) > 1:
            raise DataError(
                f"{root} holds {self.title} of {len(raters)} tasks, each of other prompts "
                f"({', '.join(sorted(raters))}); name the folder of one"
            )


def _add(cells: Cells, columns: Columns, model: str, ids: Sequence[str]) -> None:
    for row, (identifier, cell) in enumerate(
        zip(ids, columns.plain(model) or [None] * len(ids), strict=True)
    ):
        where = columns.where(row)
        prompt = cells.prompt(identifier, where)
        text = "" if cell is None else str(cell).strip()
        pair = _PAIR.fullmatch(text)
        if pair is None and text.lower() not in _NOTHING:
            raise DataError(
                f"{columns.path} {where}: column {model!r} is {text[:40]!r}; expected a pair "
                "such as [0.5,1]"
            )
        for metric, value in zip(_METRICS, pair.groups() if pair else (None, None), strict=True):
            cells.add(metric, prompt, value, f"{where}, column {model!r}", 0)


def _has_pair(lines: Sequence[str]) -> bool:
    return any(_PAIR.search(line) for line in lines)


def _task(path: Path) -> str:
    return _RATER.sub("", content_stem(path))
