"""What decides where units run: the executor protocol.

An executor starts workers (`flasheval.runs.worker.Worker`), here or elsewhere, and waits for them.
They share nothing but the run folder: claims on units keep them from doing the same work, and a
worker that dies leaves nothing to clean up. One for a cluster is the same with another way to
start `python -m flasheval.runs.worker_process RUN PLAN --rank R --world W`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from flasheval.runs.plan import Plan
from flasheval.runs.store import RunStore

__all__ = ["Executor", "Progress"]

Progress = Callable[[str, float, int], None]
"""Takes what is under way, units done and units in all."""


class Executor(Protocol):
    """Runs a plan to its end."""

    name: ClassVar[str]

    def run(self, plan: Plan, store: RunStore, progress: Progress) -> None:
        """Do all units of the plan.

        Failures of units are in the store's log afterwards. Raises FlashevalError where no unit
        can be done: a scorer that cannot be loaded, a folder that cannot be written to.
        """
        ...
