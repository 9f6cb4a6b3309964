"""Importer of TIFA's scores: one JSON object, an entry an image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.errors import DataError
from flasheval.base.files import content_suffix
from flasheval.scores.importers.results.cells import Cells, is_score
from flasheval.scores.importers.results.files import first_entry, read_document, walk
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["Tifa"]


@dataclass(frozen=True)
class Tifa(ResultLayout):
    """Read TIFA's ``{TEXTID_MODEL: {text_id, text, human_avg, tifa_vilt, ...}}``.

    Every number of an entry is a metric; the model is what stands behind the text's id.
    """

    name: ClassVar[str] = "tifa"
    title: ClassVar[str] = "TIFA scores"
    expected: ClassVar[str] = "a JSON object {TEXTID_MODEL: {text_id, text, human_avg, ...}}"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the JSON files whose first entry has a text_id, a text and a number."""
        for path in walk(source, most):
            if content_suffix(path) == ".json":
                entry = first_entry(path)
                value = entry[1] if entry else None
                if isinstance(value, dict) and _is_scored(value):
                    yield path

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up an image an entry."""
        for path in files:
            for key, entry in read_document(path, self.title).items():
                where = f"entry {key!r}"
                own = entry.get("text_id") if isinstance(entry, dict) else None
                model = str(key).removeprefix(f"{own}_")
                if own is None or model in (key, ""):
                    raise DataError(
                        f"{path} {where}: expected a text_id, and a key of the text_id, '_' and "
                        "the model"
                    )
                cells.start(path, model)
                prompt = cells.prompt(own, where, text=entry.get("text"))
                for metric, value in entry.items():
                    if is_score(value):
                        cells.add(metric, prompt, value, where, 0)


def _is_scored(entry: dict[str, Any]) -> bool:
    return {"text_id", "text"} <= entry.keys() and any(map(is_score, entry.values()))
