"""The trackers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flasheval.base.registry import Registry
from flasheval.evaluation.trackers.json_lines import JsonLines
from flasheval.evaluation.trackers.no_tracker import NoTracker
from flasheval.evaluation.trackers.tensorboard import TensorBoard
from flasheval.evaluation.trackers.tracker import Tracker
from flasheval.evaluation.trackers.wandb import Wandb

__all__ = ["TRACKERS", "make_tracker", "make_trackers"]

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


def make_trackers(entries: Any) -> tuple[Tracker, ...]:
    """Return several trackers: names and mappings are made, objects are taken as they are.

    Args:
        entries: What `make_tracker` takes, or an iterable of it.

    Raises SettingError as `make_tracker` does.

    >>> [one.name for one in make_trackers([{"name": "json_lines", "path": "a.jsonl"}])]
    ['json_lines']
    >>> make_trackers("none") == make_trackers(None) == ()
    True

    """
    named = (str, Mapping, type(None))
    entries = (entries,) if isinstance(entries, named) else entries
    made = [make_tracker(one) if isinstance(one, named) else one for one in entries]
    return tuple(one for one in made if not isinstance(one, NoTracker))
