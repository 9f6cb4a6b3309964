"""One worker in a process started by a cluster's scheduler, perhaps on another machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from flasheval.runs.devices import choose_device
from flasheval.runs.run_plan import RunPlan
from flasheval.runs.run_plan_files import load_run_plan, save_run_plan
from flasheval.runs.store import RunStore
from flasheval.runs.worker import Place, Worker

__all__ = ["DistantWorker"]


@dataclass(frozen=True)
class DistantWorker:
    """The description of a worker elsewhere: paths and numbers; the rest is in the folder.

    Attributes:
        run: The run folder, an absolute path that is the same on every machine.
        plan: The plan's folder, also an absolute path.
        rank: The worker's number, from 0.
        world: Number of workers.
        device: ``cpu``, ``cuda``, ...
        folder: The working folder, which relative paths in the plan start from.
        threads: CPU threads.

    """

    run: str
    plan: str
    rank: int
    world: int
    device: str
    folder: str
    threads: int

    @classmethod
    def of(cls, plan: RunPlan, store: RunStore, world: int, threads: int) -> list[DistantWorker]:
        """Save a plan and return its workers.

        Raises SettingError for a plan with Python objects in it.
        """
        run, here = store.folder.absolute(), str(Path.cwd())
        folder = str(save_run_plan(plan, run / "plans"))
        return [
            cls(str(run), folder, rank, world, plan.work.device, here, threads)
            for rank in range(world)
        ]

    def work(self) -> None:
        """Do units until none is left.

        Raises:
            FlashevalError: The device or a scorer is missing, or the folder cannot be written to.

        """
        os.chdir(self.folder)
        for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[key] = str(self.threads)
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        device = choose_device(self.device.partition(":")[0])
        store = RunStore(Path(self.run))
        try:
            Worker(
                load_run_plan(Path(self.plan), device), store, Place(self.rank, self.world)
            ).work()
        finally:
            store.claims.close()
