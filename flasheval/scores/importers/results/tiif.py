"""Importer of TIIF-Bench's results: a tree of one small JSON file a prompt."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.errors import DataError
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import read_document, walk
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["Tiif"]

_FILE = re.compile(r"\d+\.json", re.ASCII)
_LENGTHS = ("short", "long", "short_description", "long_description")


@dataclass(frozen=True)
class Tiif(ResultLayout):
    """Read TIIF-Bench's tree ``SET/SET_JUDGE/MODEL/TYPE/short|long/N.json``, or a part of it.

    A metric a judge: the share of its questions that are answered as they should be. A prompt's
    id is ``TYPE/short/N``.
    """

    name: ClassVar[str] = "tiif"
    title: ClassVar[str] = "TIIF-Bench results"
    expected: ClassVar[str] = "SET/SET_JUDGE/MODEL/TYPE/short|long/N.json"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the files N.json in folders called short or long, once one has the answers."""
        told = False
        for path in walk(source, most):
            length = Path(os.path.abspath(path)).parent.name
            if not _FILE.fullmatch(path.name) or length not in _LENGTHS:
                continue
            told = told or _has_answers(path)
            if told:
                yield path

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up a prompt a file."""
        started = None
        for path in files:
            length, kind, model, judge, whole = Path(os.path.abspath(path)).parents[:5]
            if started != model:
                cells.start(path, model.name)
                started = model
            record = read_document(path, self.title)
            if not isinstance(record, dict):
                raise DataError(f"{path}: expected an object with gt_answers and model_pred")
            prompt = cells.prompt(
                f"{kind.name}/{length.name}/{path.stem}",
                "",
                text=record.get("prompt"),
                group=whole.name,
                tags={"type": kind.name, "length": length.name},
            )
            metric = judge.name.removeprefix(f"{whole.name}_")
            cells.add(metric, prompt, _share(path, record), "", 0)


def _has_answers(path: Path) -> bool:
    try:
        record = read_document(path, "")
    except DataError:
        return False
    return isinstance(record, dict) and {"gt_answers", "model_pred"} <= record.keys()


def _share(path: Path, record: dict[str, Any]) -> float | None:
    """Return the share of answers that agree, of those given; None where there is none."""
    wanted, given = record.get("gt_answers"), record.get("model_pred")
    if given is None or wanted is None:
        return None
    if not isinstance(given, list) or not isinstance(wanted, list):
        raise DataError(f"{path}: gt_answers and model_pred must be lists of answers")
    pairs = [(_word(a), _word(b)) for a, b in zip(wanted, given, strict=False)]
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else None


def _word(answer: object) -> str:
    return str(answer).strip().rstrip(".").lower()
