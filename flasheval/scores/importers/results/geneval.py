"""Importer of GenEval's results: JSON lines, one an image."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from flasheval.base.records import read_records
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import model_place, records_of_shape
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["GenEval"]

_KEYS = {"filename", "prompt", "correct"}
_IMAGE = re.compile(r"(\d+)/(?:samples/)?(\d+)\.\w+$", re.ASCII)  # 00012/samples/0003.png


@dataclass(frozen=True)
class GenEval(ResultLayout):
    """Read GenEval's ``results.jsonl``, or a folder of one a model.

    The metric is ``correct``: the share of a prompt's images that show what it asks for.
    Prompts are told by their folder of images, else by their text; models by the folder or the
    name of their file.
    """

    name: ClassVar[str] = "geneval"
    title: ClassVar[str] = "GenEval results"
    expected: ClassVar[str] = "JSON lines with filename, prompt and correct, a file a model"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the files whose first line has the keys of GenEval."""
        return records_of_shape(source, _KEYS.issubset, most)

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up an image a line."""
        for path, model, seed in self.by_model(root, files, [model_place(p) for p in files]):
            cells.start(path, model, seed)
            for where, record in read_records(path, self.title):
                found = _IMAGE.search(str(record.get("filename", "")).replace("\\", "/"))
                prompt = cells.prompt(
                    found[1] if found else None,
                    where,
                    text=record.get("prompt"),
                    tags={"tag": record.get("tag")},
                )
                image = int(found[2]) if found else None
                cells.add("correct", prompt, record.get("correct"), where, image)
