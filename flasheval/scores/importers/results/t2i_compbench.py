"""Importer of T2I-CompBench's results: `annotation_METRIC/vqa_result.json`."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from flasheval.base.records import read_records
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import walk
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["T2iCompBench"]

_ANNOTATION = "annotation_"
_CATEGORIES = (
    *("color", "shape", "texture", "spatial", "3d_spatial", "non_spatial", "numeracy", "complex"),
    *("2d_spatial", "non-spatial", "3d-spatial"),
)


@dataclass(frozen=True)
class T2iCompBench(ResultLayout):
    """Read T2I-CompBench's output folders, a folder a model.

    The metric is what stands behind ``annotation_`` (blip, clip, obj_detection, ...). A folder
    named after a category (color, texture, ...) names no model: it stands before the prompts' ids.
    """

    name: ClassVar[str] = "t2i-compbench"
    title: ClassVar[str] = "T2I-CompBench results"
    expected: ClassVar[str] = "MODEL/annotation_METRIC/vqa_result.json"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the files vqa_result.json of folders annotation_METRIC."""
        for path in walk(source, most):
            if path.name == "vqa_result.json" and _folder(path).name.startswith(_ANNOTATION):
                yield path

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up an answer a question, which is a prompt."""
        top = Path(os.path.abspath(root))
        places, groups = [], []
        for path in files:
            folder = _folder(path).parent
            below = folder.relative_to(top).parts if folder.is_relative_to(top) else ()
            group = next((part for part in below if _is_category(part)), "")
            groups.append(group)
            kept = [part for part in below if part != group]
            places.append(top.joinpath(*kept) if below else folder)
        named = self.by_model(root, files, places)
        for (path, model, seed), group in zip(named, groups, strict=True):
            cells.start(path, model, seed)
            metric = _folder(path).name.removeprefix(_ANNOTATION)
            for where, record in read_records(path, self.title):
                prompt = cells.prompt(
                    record.get("question_id"), where, text=record.get("text"), group=group
                )
                cells.add(metric, prompt, record.get("answer"), where)


def _folder(path: Path) -> Path:
    return Path(os.path.abspath(path)).parent


def _is_category(part: str) -> bool:
    name = part.lower()
    return name.removesuffix("_val").removesuffix("_train") in _CATEGORIES
