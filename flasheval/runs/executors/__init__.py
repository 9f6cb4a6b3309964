"""Executors: where the units of a run are done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flasheval.base.json_data import check_names, from_plain
from flasheval.runs.executors.accelerate import Accelerate
from flasheval.runs.executors.executor import Executor, worker_device
from flasheval.runs.executors.in_process import InProcess
from flasheval.runs.executors.processes import Processes
from flasheval.runs.executors.ray import Ray
from flasheval.runs.executors.slurm import Slurm

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
    given = dict(settings or {})
    check_names(EXECUTORS, name, given, "executor", f"executor {name!r}")
    executor: Executor = from_plain(EXECUTORS[name], given, source="executor")
    return executor
