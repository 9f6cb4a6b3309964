"""Trackers told of an evaluation, none of which may end a training."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from flasheval.evaluation.trackers.tracker import Tracker

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["notify"]


def notify(
    trackers: Iterable[Tracker], scalars: Mapping[str, float], report: Report, step: int
) -> None:
    """Log scalars and a report to each; what one of them raises becomes a warning.

    They mirror: the report is kept all the same.
    """
    for tracker in trackers:
        try:
            tracker.log(scalars, step)
            tracker.log_report(report, step)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            warnings.warn(f"tracker {type(tracker).__name__}: {reason}", stacklevel=3)
