"""The tracker that writes JSON lines: a file of scalars, and one of scores by prompt."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from flasheval.base.errors import DataError, SettingError

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["JsonLines"]


@dataclass(eq=False)
class JsonLines:
    """A tracker with one JSON object a line, such as ``{"step": 100, "time": ..., "CLIP": 0.31}``.

    Scores by prompt go into a second file, ``NAME.prompts.jsonl`` beside ``NAME.jsonl``, one report
    a line. Each line is written at once, so that a killed process leaves at most one incomplete
    line, which the next start removes. A step that is in a file already is not written again.
    Numbers that are not finite become null.

    Attributes:
        path: The file of scalars; existing lines are kept.

    Raises SettingError without a path; DataError, when first used, for a file with other lines.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tracker = JsonLines(f"{folder}/training.jsonl")
    ...     tracker.log({"CLIP": 0.25}, step=100)
    ...     json.loads(Path(tracker.path).read_text())["CLIP"]
    0.25

    """

    name: ClassVar[str] = "json_lines"

    path: str | None = None

    def __post_init__(self) -> None:
        if not self.path:
            raise SettingError("tracker json_lines needs its path: the file to write lines to")
        path = Path(self.path)
        self._scalars = _Lines(path)
        self._reports = _Lines(path.with_name(f"{path.stem}.prompts{path.suffix or '.jsonl'}"))

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Append a line of numbers by name, unless the step has a line already.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tracker = JsonLines(f"{folder}/training.jsonl")
        ...     tracker.log({"loss": float("nan")}, step=100)
        ...     tracker.log({"loss": 0.5}, step=100)  # the step has a line already
        ...     [json.loads(line)["loss"] for line in Path(tracker.path).read_text().splitlines()]
        [None]
        """
        self._scalars.append(step, {name: _plain(float(value)) for name, value in scalars.items()})

    def log_report(self, report: Report, step: int) -> None:
        """Append a line of scores by metric and prompt id to the second file, null for none.

        Where prompts have several images, the scores of these are there too, as ``images``.

        >>> import tempfile
        >>> from flasheval.evaluation.report import MetricScores, Report
        >>> from flasheval.subset import Method, Subset, SubsetPrompt
        >>> subset = Subset("one", "pets", None, (SubsetPrompt("7"),), (), Method("random"))
        >>> report = Report(subset, 0, {"clip": MetricScores("1", True, (0.5,))})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     JsonLines(f"{folder}/training.jsonl").log_report(report, step=100)
        ...     json.loads(Path(folder, "training.prompts.jsonl").read_text())["scores"]
        {'clip': {'7': 0.5}}
        """
        scores = {
            metric: dict(zip(report.subset.ids, map(_plain, part.scores), strict=True))
            for metric, part in report.metrics.items()
        }
        about: dict[str, Any] = {
            "name": report.name,
            "subset": report.subset.name,
            "content_hash": report.subset.content_hash,
            "seed": report.seed,
            "scores": scores,
            "faults": dict(report.faults),
        }
        if report.images_per_prompt > 1:
            about["images"] = {
                metric: dict(zip(report.subset.ids, map(list, part.images), strict=True))
                for metric, part in report.metrics.items()
            }
        self._reports.append(step, about)

    def finish(self) -> None:
        """Do nothing: every line is written."""


class _Lines:
    """A file of JSON objects, each with its step, that only grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._steps: set[int] | None = None

    def append(self, step: int, values: Mapping[str, Any]) -> None:
        """Write a line, unless there is one of the step."""
        step = int(step)
        try:
            if self._steps is None:
                self._steps = self._known()
            if step in self._steps:
                return
            line = {"step": step, "time": datetime.now(UTC).isoformat(timespec="seconds")}
            text = json.dumps({**line, **values, **line}, ensure_ascii=False, allow_nan=False)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab", buffering=0) as file:
                _write_whole(file, f"{text}\n".encode())
        except OSError as error:
            reason = error.strerror or error
            raise DataError(f"cannot write {self._path}: {reason}") from error
        self._steps.add(step)

    def _known(self) -> set[int]:
        """Return the steps in the file, which ends in a whole line afterwards."""
        if not self._path.exists():
            return set()
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        steps = {self._step(i, line) for i, line in enumerate(data[:whole].splitlines(), start=1)}
        if torn := data[whole:]:
            start = b'{"step": '
            if not start.startswith(torn[: len(start)]):  # not a line of ours: nothing is cut off
                self._refuse(data.count(b"\n") + 1)
            with self._path.open("r+b") as file:
                file.truncate(whole)
        return steps

    def _step(self, number: int, line: bytes) -> int:
        try:
            step: object = json.loads(line)["step"]
        except (ValueError, KeyError, TypeError):
            step = None
        if not isinstance(step, int) or isinstance(step, bool):
            self._refuse(number)
        return step

    def _refuse(self, number: int) -> NoReturn:
        raise DataError(
            f'{self._path}: line {number} is not a JSON object with a whole "step"; give another '
            "path, or mend the file"
        )


def _plain(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _write_whole(file: FileIO, line: bytes) -> None:
    """Write a line at the end in one go; on a full disk, nothing of it."""
    before = file.tell()
    try:
        if file.write(line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        file.truncate(before)
        raise
