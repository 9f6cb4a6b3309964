"""The tracker protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["Tracker"]


class Tracker(Protocol):
    """An object that shows evaluations; in distributed training only the first process has one."""

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Log plain numbers by name at a training step. Each step comes once, in order."""
        ...

    def log_report(self, report: Report, step: int) -> None:
        """Log a report's scores by prompt, and its images if it holds any."""
        ...

    def finish(self) -> None:
        """Write everything that is not written yet."""
        ...
