"""Importer of VBench's results: `NAME_eval_results.json`, a list of videos a dimension."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from flasheval.base.errors import DataError
from flasheval.base.files import content_stem, content_suffix
from flasheval.scores.importers.results.cells import Cells
from flasheval.scores.importers.results.files import head_of, model_place, read_document, walk
from flasheval.scores.importers.results.layout import ResultLayout

__all__ = ["VBench"]

_BEGINS = re.compile(r'\{\s*"[^"]+"\s*:\s*\[')
_STAMP = re.compile(r"(?:results?_)?\d{4}-?\d\d-?\d\d.*")  # what VBench calls a run without a name
_VIDEO = re.compile(r"(?P<text>.+)-(?P<number>\d+)", re.ASCII)


@dataclass(frozen=True)
class VBench(ResultLayout):
    """Read VBench's ``NAME_eval_results.json``, or a folder of one a model.

    A metric a dimension. Scores are those of the videos (the average of a dimension may be on
    another scale); a prompt is a video's name without its number.
    """

    name: ClassVar[str] = "vbench"
    title: ClassVar[str] = "VBench results"
    expected: ClassVar[str] = "NAME_eval_results.json: {dimension: [average, [videos]]}"
    repeats: ClassVar[str] = "videos"

    @classmethod
    def find(cls, source: Path, most: int | None = None) -> Iterator[Path]:
        """Give the JSON files that begin with a dimension's list of videos."""
        for path in walk(source, most):
            if content_suffix(path) == ".json":
                head = head_of(path)
                if _BEGINS.match(head) and '"video_path"' in head and '"video_results"' in head:
                    yield path

    def fill(self, cells: Cells, root: Path, files: Sequence[Path]) -> None:
        """Take up the videos of each dimension."""
        found = [read_document(path, self.title) for path in files]
        usual = [_names_no_model(path, set(one)) for path, one in zip(files, found, strict=True)]
        places = [model_place(path, usual=no) for path, no in zip(files, usual, strict=True)]
        for (path, model, seed), document in zip(
            self.by_model(root, files, places), found, strict=True
        ):
            cells.start(path, model, seed)
            for dimension, entry in document.items():
                if not isinstance(entry, list) or len(entry) < 2 or not isinstance(entry[1], list):
                    raise DataError(
                        f"{path}: {dimension} must be [average, [videos]], not {entry!r:.40}"
                    )
                for number, video in enumerate(entry[1], start=1):
                    _add(cells, path, dimension, video, f"{dimension}, video {number}")


def _add(cells: Cells, path: Path, dimension: str, video: Any, where: str) -> None:
    if not isinstance(video, dict) or not isinstance(video.get("video_path"), str):
        raise DataError(f"{path} {where}: expected an object with video_path and video_results")
    file = video["video_path"].replace("\\", "/").rpartition("/")[2]
    stem = file.rpartition(".")[0] or file
    numbered = _VIDEO.fullmatch(stem)
    text = numbered["text"] if numbered else stem
    image = int(numbered["number"]) if numbered else None
    prompt = cells.prompt(text, where, text=text)
    cells.add(dimension, prompt, video.get("video_results"), where, image)


def _names_no_model(path: Path, dimensions: set[str]) -> bool:
    stem = content_stem(path).removesuffix("_eval_results")
    return bool(_STAMP.fullmatch(stem)) or stem in dimensions
