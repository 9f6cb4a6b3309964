"""Executors: where the units of a run are done."""

from __future__ import annotations

from collections.abc import Mapping

from flasheval.base.registry import Registry
from flasheval.runs.executors.accelerate import Accelerate
from flasheval.runs.executors.executor import Executor, worker_device
from flasheval.runs.executors.in_process import InProcess
from flasheval.runs.executors.processes import Processes
from flasheval.runs.executors.ray import Ray
from flasheval.runs.executors.slurm import Slurm

__all__ = ["EXECUTORS", "Executor", "make_executor", "worker_device"]

EXECUTORS: Registry[Executor] = Registry(
    "executor",
    "flasheval.executors",
    Executor,
    [InProcess, Processes, Accelerate, Slurm, Ray],
    default=InProcess.name,
)
"""The executors by name."""


def make_executor(entry: object, settings: Mapping[str, object] | None = None) -> Executor:
    """Return an executor from a name, a mapping of settings with a ``name``, or an executor.

    None stands for ``in_process``; ``settings`` are those beside a name.

    Raises SettingError for a name, a setting or a value that cannot be.

    >>> make_executor("processes", {"workers": 2}).workers
    2
    """
    return EXECUTORS.make(entry, settings)
