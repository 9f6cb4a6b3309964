"""Importer of GenAI-Bench's ratings: one JSON object, an entry a prompt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.errors import DataError
from flasheval.base.files import content_suffix
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import first_entry, read_document, walk
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["GenAiBench"]


@dataclass(frozen=True)
class GenAiBench(ResultLayout):
    """Read GenAI-Bench's ratings ``{id: {prompt, models: {model: [ratings]}}}``.

    The metric is ``alignment``: the mean over the raters.
    """

    name: ClassVar[str] = "genai-bench"
    title: ClassVar[str] = "GenAI-Bench ratings"
    expected: ClassVar[str] = "a JSON object {id: {prompt, models: {model: [ratings]}}}"
    repeats: ClassVar[str] = "ratings"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the JSON files whose first entry has ratings by model."""
        for path in walk(source, most):
            if content_suffix(path) == ".json":
                entry = first_entry(path)
                value = entry[1] if entry else None
                if isinstance(value, dict) and isinstance(value.get("models"), dict):
                    yield path

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up the ratings of each prompt."""
        for path in files:
            for key, entry in read_document(path, self.title).items():
                where = f"entry {key!r}"
                if not isinstance(entry, dict) or not isinstance(entry.get("models"), dict):
                    raise DataError(f"{path} {where}: expected an object with prompt and models")
                for model, ratings in entry["models"].items():
                    cells.start(path, model)
                    prompt = cells.prompt(entry.get("id", key), where, text=entry.get("prompt"))
                    for rater, rating in enumerate(_listed(ratings)):
                        cells.add("alignment", prompt, rating, f"{where}, {model}", rater)


def _listed(ratings: Any) -> list[Any]:
    return ratings if isinstance(ratings, list) else [ratings]
