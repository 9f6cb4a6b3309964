"""The trackers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import check_names, from_plain
from flasheval.evaluation.trackers.json_lines import JsonLines
from flasheval.evaluation.trackers.no_tracker import NoTracker
from flasheval.evaluation.trackers.tensorboard import TensorBoard
from flasheval.evaluation.trackers.tracker import Tracker
from flasheval.evaluation.trackers.wandb import Wandb

__all__ = ["TRACKERS", "make_tracker"]

TRACKERS: dict[str, type[Any]] = {
    tracker.name: tracker for tracker in (NoTracker, Wandb, TensorBoard, JsonLines)
}
"""The trackers by name."""

_DOES = ("log", "log_report", "finish")


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
    if entry is None:
        return NoTracker()
    if not isinstance(entry, str | Mapping):
        if isinstance(entry, type) or not all(callable(getattr(entry, d, None)) for d in _DOES):
            raise SettingError(
                f"tracker: {_called(entry)} is none; expected one of {', '.join(TRACKERS)}, "
                f"settings of one, or an object with {', '.join(_DOES)}"
            )
        return cast("Tracker", entry)
    settings: dict[str, object] = {"name": entry} if isinstance(entry, str) else dict(entry)
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise SettingError(f"a tracker's settings need its name: one of {', '.join(TRACKERS)}")
    check_names(TRACKERS, name, settings, "tracker", f"tracker {name!r}")
    try:
        tracker: Tracker = from_plain(TRACKERS[name], settings, source=f"tracker {name}")
    except DataError as error:
        raise SettingError(str(error)) from None
    return tracker


def _called(entry: object) -> str:
    return f"the class {entry.__name__}" if isinstance(entry, type) else f"a {type(entry).__name__}"
