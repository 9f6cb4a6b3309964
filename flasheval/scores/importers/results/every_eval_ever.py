"""Importer of Every Eval Ever's instance-level results: JSON lines, one a sample."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from flasheval.base.errors import DataError
from flasheval.base.records import read_records
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import read_document, records_of_shape
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["EveryEvalEver"]

_KEYS = {"model_id", "evaluation_name", "evaluation"}


@dataclass(frozen=True)
class EveryEvalEver(ResultLayout):
    """Read Every Eval Ever's ``data/BENCHMARK/DEVELOPER/MODEL/UUID.jsonl``.

    A metric an ``evaluation_name``, its score ``evaluation.score``; models are told by
    ``model_id``. The aggregate file beside it, where there is one, says the direction.
    """

    name: ClassVar[str] = "every-eval-ever"
    title: ClassVar[str] = "Every Eval Ever results"
    expected: ClassVar[str] = "instance-level JSON lines: model_id, evaluation_name, evaluation"
    repeats: ClassVar[str] = "samples"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the files whose first line has a model and an evaluation."""
        return records_of_shape(source, _KEYS.issubset, most)

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up a sample a line."""
        for path in files:
            model = None
            for where, record in read_records(path, self.title):
                name, metric = record.get("model_id"), record.get("evaluation_name")
                evaluation, given = record.get("evaluation"), record.get("input")
                if not (isinstance(name, str) and isinstance(metric, str)) or not isinstance(
                    evaluation, dict
                ):
                    raise DataError(
                        f"{path} {where}: expected model_id, evaluation_name, evaluation"
                    )
                if name != model:
                    cells.start(path, name)
                    model = name
                prompt = cells.prompt(
                    record.get("sample_id"),
                    where,
                    text=given.get("raw") if isinstance(given, dict) else None,
                    group=str(record.get("evaluation_id", "")).partition("/")[0],
                )
                cells.add(metric.replace("/", "-"), prompt, evaluation.get("score"), where)
            for metric, lower in _directions(path):
                cells.lower_is_better(metric.replace("/", "-"), lower)


def _directions(path: Path) -> Iterator[tuple[str, bool]]:
    """Give what the aggregate file says of each metric's direction."""
    aggregate = path.with_name(f"{path.stem.removesuffix('_samples')}.json")
    if not aggregate.is_file():
        return
    found = read_document(aggregate, "Every Eval Ever's aggregate results")
    results = found.get("evaluation_results") if isinstance(found, dict) else None
    for entry in results if isinstance(results, list) else []:
        settings = entry.get("metric_config") if isinstance(entry, dict) else None
        lower = settings.get("lower_is_better") if isinstance(settings, dict) else None
        if isinstance(lower, bool) and isinstance(entry.get("evaluation_name"), str):
            yield entry["evaluation_name"], lower
