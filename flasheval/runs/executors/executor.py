"""What decides where units run: the executor protocol.

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
"""Takes what is under way, units done and units in all."""


class Executor(Protocol):
    """Runs a plan to its end."""

    name: ClassVar[str]

    def run(self, plan: RunPlan, store: RunStore, progress: Progress) -> str | None:
        """Do all units of the plan.

        Failures of units are in the store's log afterwards. Returns None; where workers were left
        running a sentence that says what of them is known. Raises FlashevalError where no unit
        can be done: a scorer that cannot be loaded, a folder that cannot be written to.
        """
        ...


@runtime_checkable
class Elsewhere(Protocol):
    """An executor whose workers may run on other machines than this one."""

    def device_there(self, asked: str) -> str:
        """Return the device the workers will have. Raises SettingError as choose_device does."""
        ...


def check_least(executor: Executor, least: int, *keys: str) -> None:
    """Raise SettingError where a setting that is given is below the least it can be, 0 or 1."""
    for key in keys:
        value = getattr(executor, key)
        if value is not None and value < least:
            expected = f"at least {least}" if least else "0 or more"
            raise SettingError(f"executor.{key}={value}: expected {expected}")


def worker_device(executor: Executor, asked: str) -> str:
    """Return the device a plan is made for. Raises SettingError as choose_device does."""
    if isinstance(executor, Elsewhere):
        return executor.device_there(asked)
    return choose_device(asked)
