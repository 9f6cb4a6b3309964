"""The executor protocol: an executor decides where the units of a run are done.

An executor starts workers (`flasheval.runs.worker.Worker`), here or elsewhere, and waits for them.
They share nothing but the run folder: claims on units keep them from doing the same work, and a
worker that dies leaves nothing to clean up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol, runtime_checkable

from flasheval.base.errors import SettingError
from flasheval.runs.devices import choose_device
from flasheval.runs.run_plan import RunPlan
from flasheval.runs.store import RunStore

__all__ = ["Elsewhere", "Executor", "Progress", "check_least", "worker_device"]

Progress = Callable[[str, float, int], None]
"""A function that takes a label, the units done and the units in all."""


class Executor(Protocol):
    """An object that does all units of a plan."""

    name: ClassVar[str]

    def run(self, plan: RunPlan, store: RunStore, progress: Progress) -> str | None:
        """Do all units of the plan.

        Failures of units are in the store's log afterwards. Returns None, or a sentence about the
        workers when they were left running. Raises FlashevalError when no unit can be done: a
        scorer that cannot be loaded, a folder that cannot be written to.
        """
        ...


@runtime_checkable
class Elsewhere(Protocol):
    """An executor whose workers may run on other machines than this one.

    >>> from flasheval.runs.executors import EXECUTORS
    >>> [name for name in EXECUTORS if hasattr(EXECUTORS[name], "device_there")]
    ['slurm', 'ray']
    """

    def device_there(self, asked: str) -> str:
        """Return the device the workers will have. Raises SettingError as choose_device does."""
        ...


def check_least(executor: Executor, least: int, *keys: str) -> None:
    """Raise SettingError when one of the settings ``keys`` is given and below ``least``.

    >>> from flasheval.runs.executors.processes import Processes
    >>> Processes(threads=0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: executor.threads=0: expected at least 1
    """
    for key in keys:
        value = getattr(executor, key)
        if value is not None and value < least:
            expected = f"at least {least}" if least else "0 or more"
            raise SettingError(f"executor.{key}={value}: expected {expected}")


def worker_device(executor: Executor, asked: str) -> str:
    """Return the device a plan is made for. Raises SettingError as choose_device does.

    >>> from flasheval.runs.executors.in_process import InProcess
    >>> worker_device(InProcess(), "cpu")
    'cpu'
    """
    if isinstance(executor, Elsewhere):
        return executor.device_there(asked)
    return choose_device(asked)
