"""What a tracker can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["Tracker"]


class Tracker(Protocol):
    """Takes what an evaluation gave. Only the first process of a distributed training has one."""

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Take plain numbers by name, at a step of training. A step comes once, in order."""
        ...

    def log_report(self, report: Report, step: int) -> None:
        """Take a report's scores prompt by prompt, and its images where it holds some."""
        ...

    def finish(self) -> None:
        """Write what is not written yet."""
        ...
