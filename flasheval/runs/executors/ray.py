"""The executor that runs workers as tasks of a Ray cluster, or of a local Ray."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.extras import pip_command
from flasheval.runs.counting import Counter
from flasheval.runs.devices import device_elsewhere, device_kind
from flasheval.runs.executors.endings import Endings
from flasheval.runs.executors.executor import Progress, check_least
from flasheval.runs.executors.remote_worker import DistantWorker
from flasheval.runs.run_plan import RunPlan
from flasheval.runs.run_plan_files import save_run_plan
from flasheval.runs.store import RunStore

__all__ = ["Ray"]

_LOOK = 0.5  # seconds between two looks at the workers
_ENVIRONMENT = {  # read when Ray is imported
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # which Ray else warns of
}
_STORE = 100 * 2**20  # bytes; nothing is passed around but paths


@dataclass(frozen=True)
class Ray:
    """An executor that starts each worker as one long Ray task, which keeps its model in memory.

    A worker that dies, or whose machine is lost, is started again where there is room.

    Attributes:
        workers: Number of workers; None starts as many as there is room for.
        gpus_per_worker: GPUs of each worker, also a part of one; None means 1 on a GPU.
        cpus: CPUs of each worker, and its threads.
        restarts: How often each worker may be started again.
        address: ``auto`` or a cluster's address; None starts a local Ray and stops it at the end.

    >>> Ray(gpus_per_worker=1.5)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: executor.gpus_per_worker=1.5: expected a part of one ...

    """

    name: ClassVar[str] = "ray"
    workers: int | None = None
    gpus_per_worker: float | None = None
    cpus: int = 1
    restarts: int = 3
    address: str | None = None

    def __post_init__(self) -> None:
        check_least(self, 1, "workers", "cpus")
        check_least(self, 0, "restarts")
        gpus = self.gpus_per_worker
        if gpus is not None and (gpus < 0 or (gpus > 1 and gpus % 1)):
            raise SettingError(
                f"executor.gpus_per_worker={gpus}: expected a part of one GPU or a whole number"
            )

    def device_there(self, asked: str) -> str:
        """Return the device of the workers; see Elsewhere.

        >>> [Ray(gpus_per_worker=gpus).device_there("auto") for gpus in (0.5, 0)]
        ['cuda', 'cpu']
        """
        return device_elsewhere(asked, self.gpus_per_worker)

    def run(self, plan: RunPlan, store: RunStore, progress: Progress) -> None:
        """Do all units of the plan; see Executor.run."""
        gpus = 1.0 if self.gpus_per_worker is None else self.gpus_per_worker
        gpus = gpus if device_kind(plan.work.device) == "cuda" else 0.0
        save_run_plan(plan, store.folder / "plans")  # one that cannot go there is told at once
        with self._connected() as ray:
            world = self._room(ray, gpus)
            workers = DistantWorker.of(plan, store, self.workers or world, self.cpus)
            options = {"num_cpus": self.cpus, "num_gpus": gpus, "max_retries": self.restarts}
            remote = ray.remote(_work).options(**options)
            tasks = {remote.remote(worker): worker.rank for worker in workers}
            try:
                _watch(ray, tasks, plan, store, progress)
            finally:
                for task in tasks:  # only what goes on: Ray ends this process where one just ended
                    ray.cancel(task, force=True)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Give Ray, connected; what was started or connected here is ended."""
        if find_spec("ray") is None:
            raise SettingError(f"executor=ray needs: {pip_command('ray')}")
        for key, value in _ENVIRONMENT.items():
            os.environ.setdefault(key, value)
        import ray

        if ray.is_initialized():  # by the caller, in a notebook: theirs to end
            yield ray
            return
        on_term = signal.getsignal(signal.SIGTERM)
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        try:
            if self.address is None:
                cpus = max(os.cpu_count() or 1, (self.workers or 1) * self.cpus)
                ray.init(
                    address="local",
                    num_cpus=cpus,
                    object_store_memory=_STORE,
                    include_dashboard=False,
                    **quiet,
                )
            else:
                ray.init(address=self.address, **quiet)
        except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
            said = " ".join(str(error).split())[:400]
            raise FlashevalError(f"executor=ray cannot reach Ray: {said}") from error
        with suppress(ValueError):  # not in the main thread; Ray takes the signal for itself
            signal.signal(signal.SIGTERM, on_term)
        try:
            yield ray
        finally:
            ray.shutdown()

    def _room(self, ray: Any, gpus: float) -> int:
        """Return how many workers there is room for. Raises SettingError for none, ever."""
        there = ray.cluster_resources()
        if self.address is None and gpus > there.get("GPU", 0):  # a cluster may grow
            raise SettingError(
                f"executor.gpus_per_worker={gpus:g}: Ray finds {there.get('GPU', 0):g} GPUs here; "
                "name a cluster by executor.address=, or take device=cpu"
            )
        fit = there.get("CPU", 0) // self.cpus
        return max(1, int(min(fit, there.get("GPU", 0) // gpus) if gpus else fit))


def _work(worker: DistantWorker) -> str | None:
    """Do units until none is left; return the line with which that cannot go on, if it cannot."""
    try:
        worker.work()
    except FlashevalError as error:
        return str(error)
    return None


def _watch(
    ray: Any, tasks: dict[Any, int], plan: RunPlan, store: RunStore, progress: Progress
) -> None:
    """Wait for all tasks; each that has ended leaves ``tasks``."""
    counter, endings, begun = Counter(plan, store), Endings(), len(tasks)
    while tasks:
        over, _ = ray.wait(list(tasks), num_returns=len(tasks), timeout=_LOOK)
        for task in over:
            rank = tasks.pop(task)
            trouble = _ending(ray, task)
            endings.note(None if trouble is None else f"worker {rank}: {trouble}")
        progress(f"{len(tasks)} of {begun} workers", counter.done(), plan.n_units)
    endings.settle()


def _ending(ray: Any, task: Any) -> str | None:
    try:
        trouble: str | None = ray.get(task)
    except ray.exceptions.RayError as error:
        lines = str(error).strip().splitlines()
        return f"it died ({type(error).__name__}: {lines[0] if lines else ''})"
    return trouble
