"""Importer of lm-evaluation-harness' samples: JSON lines, one a document and filter."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.files import content_stem
from flasheval.base.records import Records, read_records
from flasheval.scores.importers.results.cells import Cells, is_score
from flasheval.scores.importers.results.files import model_place, records_of_shape
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["LmEval"]

_KEYS = {"doc_id", "doc", "filtered_resps"}
_NAME = re.compile(r"(?:samples_)?(?P<task>.+?)(?:_\d{4}-\d\d-\d\dT.*)?")
_TEXTS = ("prompt", "text", "caption", "question", "query", "problem", "input")
_OTHERS = {"doc_id", "doc_hash", "prompt_hash", "target_hash", "target", "filter", "metrics"}


@dataclass(frozen=True)
class LmEval(ResultLayout):
    """Read lm-evaluation-harness' ``samples_TASK_DATE.jsonl``, a folder a model.

    Metrics are those a line names; of several filters the filter stands behind the metric. Of
    several tasks the task stands before the prompts' ids.
    """

    name: ClassVar[str] = "lm-eval"
    title: ClassVar[str] = "lm-eval samples"
    expected: ClassVar[str] = "MODEL/samples_TASK_DATE.jsonl (lm_eval --log_samples)"
    repeats: ClassVar[str] = "samples"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the files whose first line is a sample."""
        return records_of_shape(source, _KEYS.issubset, most)

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up a document and filter a line."""
        places = [model_place(path, usual=True) for path in files]
        for path, model, seed in self.by_model(root, files, places):
            cells.start(path, model, seed)
            found = _NAME.fullmatch(content_stem(path))
            records = read_records(path, self.title)
            several = _has_filters(records)
            for where, record in records:
                doc = record.get("doc")
                texts = [doc.get(key) for key in _TEXTS] if isinstance(doc, dict) else []
                prompt = cells.prompt(
                    record.get("doc_id"),
                    where,
                    text=next((text for text in texts if isinstance(text, str)), None),
                    group=found["task"] if found else "",
                )
                for metric in _metrics(record):
                    name = f"{metric}-{record.get('filter')}" if several else metric
                    cells.add(name, prompt, record[metric], where)


def _has_filters(records: Records) -> bool:
    return len({str(record.get("filter")) for _, record in records}) > 1


def _metrics(record: dict[str, Any]) -> list[str]:
    """Return the keys of a sample that hold scores: those it names, else every other number."""
    named = record.get("metrics")
    keys = named if isinstance(named, list) else [key for key in record if key not in _OTHERS]
    return [key for key in keys if isinstance(key, str) and is_score(record.get(key))]
