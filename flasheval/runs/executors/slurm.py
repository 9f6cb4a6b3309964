"""The executor that submits workers as a SLURM job array through submitit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest
from flasheval.runs.counting import Counter
from flasheval.runs.devices import device_elsewhere, device_kind
from flasheval.runs.executors.endings import Endings
from flasheval.runs.executors.executor import Progress, check_least
from flasheval.runs.executors.remote_worker import DistantWorker
from flasheval.runs.executors.slurm_jobs import SlurmJobs, Task, trouble_of
from flasheval.runs.run_plan import RunPlan
from flasheval.runs.store import RunStore
from flasheval.runs.unit_work import missing_outputs

__all__ = ["Slurm"]

_LOOK = 2.0  # seconds between two looks at the jobs
_CLUSTERS = ("slurm", "local", "debug")


@dataclass(frozen=True)
class Slurm:
    """An executor that submits workers as one job array, and waits for them or returns at once.

    A task that is preempted or reaches its time limit is queued again automatically. The same
    command submits no further tasks while those of an earlier one are queued or running.

    Attributes:
        workers: Number of tasks in the array.
        gpus_per_worker: GPUs of each task, unless the device is the CPU.
        cpus: CPUs of each task, and its threads.
        memory: Gigabytes of memory for each task; None is the cluster's default.
        timeout: Minutes a task may take before it is stopped and queued again.
        timeouts: How often one task may reach its time limit.
        partition: The partition; None is the cluster's default.
        account: The account to charge; None is the cluster's default.
        options: Further parameters of submitit's `update_parameters`, such as ``slurm_qos``.
        cluster: ``slurm``, ``local`` (processes here), ``debug`` (in this process); None takes
            ``slurm`` where there is `srun`, else ``local``.
        detach: Submit and return at once. Otherwise Ctrl-C cancels the tasks.

    >>> Slurm(cluster="slrum")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: executor.cluster=slrum: expected slurm, local, debug; ...

    """

    name: ClassVar[str] = "slurm"
    workers: int = 1
    gpus_per_worker: int = 1
    cpus: int = 4
    memory: float | None = None
    timeout: int = 240
    timeouts: int = 100
    partition: str | None = None
    account: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    cluster: str | None = None
    detach: bool = False

    def __post_init__(self) -> None:
        check_least(self, 1, "workers", "cpus", "timeout")
        check_least(self, 0, "gpus_per_worker", "timeouts")
        if self.memory is not None and self.memory <= 0:
            raise SettingError(f"executor.memory={self.memory}: expected gigabytes, more than 0")
        if self.cluster is not None and self.cluster not in _CLUSTERS:
            raise SettingError(
                f"executor.cluster={self.cluster}: expected {', '.join(_CLUSTERS)}"
                f"{nearest(self.cluster, _CLUSTERS)}"
            )

    def device_there(self, asked: str) -> str:
        """Return the device of the workers; see Elsewhere.

        >>> Slurm().device_there("auto"), Slurm(gpus_per_worker=0).device_there("auto")
        ('cuda', 'cpu')
        """
        return device_elsewhere(asked, self.gpus_per_worker)

    def run(self, plan: RunPlan, store: RunStore, progress: Progress) -> str | None:
        """Do all units of the plan; see Executor.run."""
        workers = DistantWorker.of(plan, store, self.workers, self.cpus)
        jobs = SlurmJobs(store.folder.absolute() / "submitted", workers[0].plan)
        if not any(missing_outputs(plan, store, u) for v in plan.variants for u in plan.units(v)):
            return None
        there = jobs.left_running()
        if not there:
            parameters = self._parameters(device_kind(plan.work.device))
            tasks = [Task(worker) for worker in workers]
            there = jobs.submit(tasks, self.cluster, self.timeouts, parameters)
        if self.detach:
            return f"{jobs.named(there)}; logs in its folder submitted/"
        try:
            _watch(there, plan, store, progress)
        except KeyboardInterrupt:
            for job in there:
                job.cancel(check=False)
            raise
        return None

    def _parameters(self, kind: str) -> dict[str, Any]:
        """Return what submitit is told of the tasks; `options` have the last word."""
        return {
            "name": "flasheval",
            "timeout_min": self.timeout,
            "cpus_per_task": self.cpus,
            "gpus_per_node": (self.gpus_per_worker or None) if kind == "cuda" else None,
            "mem_gb": self.memory,
            "slurm_partition": self.partition,
            "slurm_account": self.account,
            "slurm_array_parallelism": self.workers,
            "slurm_additional_parameters": {"requeue": True},
            **self.options,
        }


def _watch(jobs: list[Any], plan: RunPlan, store: RunStore, progress: Progress) -> None:
    """Wait for jobs, tell how far the work is, and of each task that comes to grief."""
    counter, endings, waiting = Counter(plan, store), Endings(), list(jobs)
    while waiting:
        begun = time.monotonic()
        for job in [job for job in waiting if job.done()]:
            waiting.remove(job)
            endings.note(trouble_of(job))
        progress(f"{len(waiting)} of {len(jobs)} tasks", counter.done(), plan.n_units)
        if waiting:  # a look may itself take long, where there are very many files
            time.sleep(max(_LOOK, 10 * (time.monotonic() - begun)))
    endings.settle()
