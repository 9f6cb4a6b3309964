"""The executor that does units one after the other in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flasheval.runs.counting import unit_costs
from flasheval.runs.executors.executor import Progress
from flasheval.runs.run_plan import RunPlan, Unit
from flasheval.runs.store import RunStore
from flasheval.runs.worker import Worker

__all__ = ["InProcess"]


@dataclass(frozen=True)
class InProcess:
    """An executor that does every unit in this process: for one GPU, or none."""

    name: ClassVar[str] = "in_process"

    def run(self, plan: RunPlan, store: RunStore, progress: Progress) -> None:
        """Do all units of the plan; see Executor.run."""
        count, costs = 0.0, unit_costs(plan)

        def done(unit: Unit) -> None:
            nonlocal count
            count += costs[unit.variant.name]
            progress(unit.variant.name, count, plan.n_units)

        try:
            Worker(plan, store, done=done).work()
        finally:
            store.claims.close()
