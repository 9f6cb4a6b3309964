"""The trackers by name."""

from __future__ import annotations

from flasheval.base.registry import Registry
from flasheval.evaluation.trackers.json_lines import JsonLines
from flasheval.evaluation.trackers.no_tracker import NoTracker
from flasheval.evaluation.trackers.tensorboard import TensorBoard
from flasheval.evaluation.trackers.tracker import Tracker
from flasheval.evaluation.trackers.wandb import Wandb

__all__ = ["TRACKERS", "make_tracker"]

TRACKERS: Registry[Tracker] = Registry(
    "tracker",
    "flasheval.trackers",
    Tracker,
    [NoTracker, Wandb, TensorBoard, JsonLines],
    default=NoTracker.name,
)
"""The trackers by name."""


def make_tracker(entry: object) -> Tracker:
    """Return a tracker; nothing is written or started before it is first used.

    Args:
        entry: A name, such as ``"wandb"``; a mapping of settings with the ``name``; None for none;
            or, in Python, any object with the methods of a `Tracker`.

    Raises:
        SettingError: No such tracker, no such setting of it, a value that cannot be, or a library
            that is not there.

    >>> make_tracker({"name": "json_lines", "path": "training.jsonl"}).path
    'training.jsonl'
    >>> make_tracker("wand")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: there is no tracker 'wand'; ... did you mean 'wandb'?

    """
    return TRACKERS.make(entry)
