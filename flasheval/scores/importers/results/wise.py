"""Importer of WISE's scores: JSON lines, one a prompt."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from flasheval.base.files import content_stem
from flasheval.base.records import read_records
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import model_place, records_of_shape
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["Wise"]

_METRICS = ("consistency", "realism", "aesthetic_quality")
_PART = re.compile(r"(?:cultural_common_sense|spatio-temporal_reasoning|natural_science)(?:_.*)?")


@dataclass(frozen=True)
class Wise(ResultLayout):
    """Read WISE's ``scores_results.jsonl``, a folder a model, in one file or one a category.

    Metrics are consistency, realism and aesthetic_quality, from 0 to 2.
    """

    name: ClassVar[str] = "wise"
    title: ClassVar[str] = "WISE scores"
    expected: ClassVar[str] = "MODEL/scores_results.jsonl with prompt_id, consistency, realism, ..."

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the files whose first line has a prompt_id and the three scores."""
        return records_of_shape(source, {"prompt_id", *_METRICS}.issubset, most)

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up three scores a line."""
        places = [
            model_place(path, usual=bool(_PART.fullmatch(content_stem(path)))) for path in files
        ]
        for path, model, seed in self.by_model(root, files, places):
            cells.start(path, model, seed)
            for where, record in read_records(path, self.title):
                prompt = cells.prompt(
                    record.get("prompt_id"),
                    where,
                    text=record.get("Prompt"),
                    tags={"category": record.get("Subcategory")},
                )
                for metric in _METRICS:
                    cells.add(metric, prompt, record.get(metric), where)
