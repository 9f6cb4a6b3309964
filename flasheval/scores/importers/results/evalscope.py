"""Importer of evalscope's reviews: JSON lines, one a sample."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.errors import DataError
from flasheval.base.files import content_stem
from flasheval.base.records import Records, read_records
from flasheval.scores.importers.results.cells import Cells, is_score
from flasheval.scores.importers.results.files import records_of_shape
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["Evalscope"]


@dataclass(frozen=True)
class Evalscope(ResultLayout):
    """Read evalscope's output folder, from ``reviews/MODEL/DATASET_SUBSET.jsonl``.

    A metric each of ``sample_score.score.value``. Samples of one group with one input are repeats
    of a prompt. Of several files a model the file's name stands before the prompts' ids.
    """

    name: ClassVar[str] = "evalscope"
    title: ClassVar[str] = "evalscope reviews"
    expected: ClassVar[str] = "reviews/MODEL/DATASET_SUBSET.jsonl with index and sample_score"
    repeats: ClassVar[str] = "samples"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the files whose first line has an index and a sample_score."""
        return records_of_shape(source, {"index", "sample_score"}.issubset, most)

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up a sample a line."""
        for path in files:
            cells.start(path, Path(os.path.abspath(path)).parent.name)
            records = read_records(path, self.title)
            grouped = _groups_are_prompts(records)
            for where, record in records:
                sample = record.get("sample_score")
                score = (sample.get("score") or {}) if isinstance(sample, dict) else None
                values = (score.get("value") or {}) if isinstance(score, dict) else None
                if not isinstance(sample, dict) or not isinstance(values, dict):
                    raise DataError(f"{path} {where}: expected sample_score.score.value, an object")
                prompt = cells.prompt(
                    sample["group_id"] if grouped else record.get("index"),
                    where,
                    text=record.get("input"),
                    group=content_stem(path),
                )
                for metric, value in values.items():
                    if value is None or is_score(value):
                        cells.add(metric, prompt, value, where)


def _groups_are_prompts(records: Records) -> bool:
    """Tell whether every sample has a group, and every group one input."""
    inputs: dict[Any, Any] = {}
    for _, record in records:
        sample = record.get("sample_score")
        group = sample.get("group_id") if isinstance(sample, dict) else None
        if not isinstance(group, int | str):
            return False
        if inputs.setdefault(group, record.get("input")) != record.get("input"):
            return False
    return True
