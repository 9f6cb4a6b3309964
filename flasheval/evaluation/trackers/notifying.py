"""Sending an evaluation to trackers; an error of a tracker never ends a training."""

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
    """Log scalars and a report to each tracker; an error of a tracker becomes a warning.

    The report itself is saved elsewhere, so nothing is lost.

    >>> from flasheval.evaluation.trackers.no_tracker import NoTracker
    >>> class Broken(NoTracker):
    ...     def log(self, scalars, step):
    ...         raise OSError("the disk is full")
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     notify([Broken()], {"CLIP": 0.25}, None, 100)
    >>> str(caught[0].message)
    'tracker Broken: OSError: the disk is full'
    """
    for tracker in trackers:
        try:
            tracker.log(scalars, step)
            tracker.log_report(report, step)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            warnings.warn(f"tracker {type(tracker).__name__}: {reason}", stacklevel=3)
