"""Where units run: one executor a file, one registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from flasheval.errors import SettingError
from flasheval.runs.executors.accelerate import Accelerate
from flasheval.runs.executors.executor import Executor, worker_device
from flasheval.runs.executors.in_process import InProcess
from flasheval.runs.executors.processes import Processes
from flasheval.runs.executors.ray import Ray
from flasheval.runs.executors.slurm import Slurm
from flasheval.storage.plain import from_plain
from flasheval.suggest import nearest

__all__ = ["EXECUTORS", "Executor", "make_executor", "worker_device"]

EXECUTORS: dict[str, type[Any]] = {
    executor.name: executor for executor in (InProcess, Processes, Accelerate, Slurm, Ray)
}
"""The executors by name."""


def make_executor(name: str, settings: Mapping[str, Any] | None = None) -> Executor:
    """Return an executor from its name and settings.

    Raises SettingError for a name or setting that is not known.

    >>> make_executor("processes", {"workers": 2}).workers
    2
    """
    if name not in EXECUTORS:
        raise SettingError(
            f"there is no executor {name!r}; there are: {', '.join(EXECUTORS)}"
            f"{nearest(name, EXECUTORS)}"
        )
    known = [field.name for field in fields(EXECUTORS[name])]
    for key in settings or {}:
        if key not in known:
            raise SettingError(
                f"executor {name!r} has no setting {key!r}; it has: {', '.join(known) or 'none'}"
                f"{nearest(key, known)}"
            )
    executor: Executor = from_plain(EXECUTORS[name], dict(settings or {}), source="executor")
    return executor
