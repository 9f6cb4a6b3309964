"""The executor that starts several worker processes on this machine, one a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, ClassVar

from flasheval.base.errors import FlashevalError
from flasheval.runs.counting import Counter
from flasheval.runs.devices import device_count
from flasheval.runs.executors.executor import Progress, check_least
from flasheval.runs.run_plan import RunPlan
from flasheval.runs.run_plan_files import save_run_plan
from flasheval.runs.store import RunStore

__all__ = ["Processes", "worker_environment"]

_LOOK = 0.5  # seconds between two looks at the workers
_GRACE = 10.0  # seconds a worker gets to stop


@dataclass(frozen=True)
class Processes:
    """An executor that starts worker processes; one that dies is started again.

    Attributes:
        workers: Number of workers; None starts one a GPU, or one without GPUs.
        threads: CPU threads of each worker; None shares the cores out.
        restarts: How often a dead worker may be started again, over all workers.

    >>> Processes(workers=0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: executor.workers=0: expected at least 1

    """

    name: ClassVar[str] = "processes"
    workers: int | None = None
    threads: int | None = None
    restarts: int = 3

    def __post_init__(self) -> None:
        check_least(self, 1, "workers", "threads")

    def run(self, plan: RunPlan, store: RunStore, progress: Progress) -> None:
        """Do all units of the plan; see Executor.run."""
        world = self.workers or max(1, device_count(plan.work.device))
        folder = save_run_plan(plan, store.folder / "plans")
        with _Workers(plan, store.folder, folder, world, self.threads) as workers:
            counter, restarts = Counter(plan, store), self.restarts
            while workers.running():
                time.sleep(_LOOK)
                progress(f"{world} workers", counter.done(), plan.n_units)
                for rank in workers.killed():
                    if restarts == 0:
                        raise FlashevalError(
                            f"worker {rank} died again ({workers.reason(rank)}); what is done is "
                            "kept: run the same command to go on"
                        )
                    restarts -= 1
                    workers.start(rank)
            workers.complain()
        progress("done", plan.n_units, plan.n_units)


def worker_environment(world: int, threads: int | None) -> dict[str, str]:
    """Return the environment of one of ``world`` workers, with its number of CPU threads.

    >>> worker_environment(world=4, threads=2)["OMP_NUM_THREADS"]
    '2'
    """
    share = threads or max(1, (os.cpu_count() or 1) // world)
    held = {key: str(share) for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**os.environ, **held, "TOKENIZERS_PARALLELISM": "false"}


@dataclass
class _Workers:
    """The worker processes, stopped when the block ends."""

    plan: RunPlan
    run_folder: Path
    plan_folder: Path
    world: int
    threads: int | None
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    logs: dict[int, IO[bytes]] = field(default_factory=dict)

    def __enter__(self) -> _Workers:
        for rank in range(self.world):
            self.logs[rank] = tempfile.TemporaryFile()
            self.start(rank)
        return self

    def start(self, rank: int) -> None:
        device = self.plan.work.device.partition(":")[0]
        count = device_count(device)
        command = [
            *(sys.executable, "-m", "flasheval.runs.worker_process"),
            *(str(self.run_folder), str(self.plan_folder)),
            *("--rank", str(rank), "--world", str(self.world), "--parent", str(os.getpid())),
            *("--device", f"{device}:{rank % count}" if count else device),
        ]
        environment = worker_environment(self.world, self.threads)
        self.processes[rank] = subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=subprocess.DEVNULL, stderr=self.logs[rank]
        )

    def running(self) -> bool:
        return any(process.poll() is None for process in self.processes.values()) or bool(
            self.killed()
        )

    def killed(self) -> list[int]:
        """Return the workers that a signal ended: out of memory, say."""
        return [rank for rank, one in self.processes.items() if (one.poll() or 0) < 0]

    def reason(self, rank: int) -> str:
        return f"signal {-(self.processes[rank].returncode or 0)}"

    def complain(self) -> None:
        """Raise FlashevalError with what the first worker said that could not go on."""
        for rank, process in self.processes.items():
            if process.returncode:
                self.logs[rank].seek(0)
                said = self.logs[rank].read().decode("utf-8", "replace").strip().splitlines()
                line = said[-1] if said else f"exit code {process.returncode}"
                raise FlashevalError(line.removeprefix("flasheval: error: "))

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for log in self.logs.values():
            log.close()
