"""The tracker that does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["NoTracker"]


@dataclass
class NoTracker:
    """A tracker that ignores everything."""

    name: ClassVar[str] = "none"

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Do nothing."""

    def log_report(self, report: Report, step: int) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""
