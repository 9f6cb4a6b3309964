"""SLURM jobs through submitit: submitting them, finding them again, reading how they ended."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError, FlashevalError, SettingError
from flasheval.base.extras import pip_command
from flasheval.base.files import atomic_write
from flasheval.base.json_data import read_json
from flasheval.runs.executors.remote_worker import DistantWorker

__all__ = ["SlurmJobs", "Task", "trouble_of"]

_ERROR = "flasheval: error: "  # begins the line a task leaves with


@dataclass(frozen=True)
class Task:
    """The callable of a job: one worker. When it is stopped early, it is queued again."""

    worker: DistantWorker

    def __call__(self) -> None:
        """Do units until none is left; exit with one line when that is not possible."""
        _end_quietly_when_out_of_time()
        try:
            self.worker.work()
        except FlashevalError as error:
            raise SystemExit(f"{_ERROR}{' '.join(str(error).split())}") from error

    def checkpoint(self) -> Any:
        """Return the submission that replaces this task: itself, as all state is in the folder."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _end_quietly_when_out_of_time() -> None:
    """Keep submitit's last word, an exception, from being taken for a failure of the unit."""
    from submitit import JobEnvironment
    from submitit.core.utils import UncompletedJobError

    number = getattr(signal, f"SIG{JobEnvironment.USR_SIG}")
    theirs = signal.getsignal(number)
    if not callable(theirs):  # cluster=debug has no signals
        return

    def stop(number: int, frame: Any) -> None:
        try:
            theirs(number, frame)
        except UncompletedJobError as error:
            raise SystemExit(f"{_ERROR}{error}") from error

    signal.signal(number, stop)


class SlurmJobs:
    """The jobs of one plan, recorded in a file so that the next command finds them.

    Args:
        folder: The folder of submitit's scripts, submissions and logs.
        plan: The plan's folder.

    """

    def __init__(self, folder: Path, plan: str) -> None:
        self.folder = folder
        self._record = folder / f"{Path(plan).name}.json"

    def submit(
        self,
        tasks: Sequence[Task],
        cluster: str | None,
        timeouts: int,
        parameters: Mapping[str, Any],
    ) -> list[Any]:
        """Submit tasks as one array.

        Raises:
            SettingError: submitit is not installed, or does not know a parameter.
            FlashevalError: The scheduler refuses them.

        """
        if find_spec("submitit") is None:
            raise SettingError(f"executor=slurm needs: {pip_command('submitit')}")
        from submitit import AutoExecutor

        try:
            executor = AutoExecutor(
                self.folder,
                cluster=cluster,
                slurm_max_num_timeout=timeouts,
                local_max_num_timeout=timeouts,
            )
            executor.update_parameters(**parameters)
        except (AssertionError, NameError, TypeError, ValueError, RuntimeError) as error:
            raise SettingError(f"executor=slurm: {' '.join(str(error).split())[:400]}") from error
        try:
            with executor.batch():
                jobs: list[Any] = [executor.submit(task) for task in tasks]
        except Exception as error:  # sbatch says no in words of its own
            said = " ".join(str(error).split())[-400:]
            raise FlashevalError(f"the tasks could not be submitted: {said}") from error
        body = {"cluster": executor.cluster, "jobs": [job.job_id for job in jobs]}
        with atomic_write(self._record) as temporary:
            temporary.write_text(json.dumps(body), "utf-8")
        return jobs

    def left_running(self) -> list[Any]:
        """Return the jobs of an earlier command that are still queued or running."""
        try:
            record = read_json(self._record)
            cluster, names = record["cluster"], [str(name) for name in record["jobs"]]
        except (DataError, KeyError, TypeError):
            return []
        if cluster == "local":
            from submitit.local.local import LocalJob

            return [_Left(LocalJob(self.folder, name)) for name in names if _lives(name)]
        if cluster == "slurm":
            from submitit.slurm.slurm import SlurmJob

            jobs: list[Any] = [SlurmJob(self.folder, name) for name in names]
            SlurmJob.watcher.update()  # one question to the scheduler, about all of them
            return [job for job in jobs if not job.done()]
        return []

    def named(self, jobs: Sequence[Any]) -> str:
        """Return a short description of jobs: how many, and their ids."""
        names = list(dict.fromkeys(str(job.job_id).partition("_")[0] for job in jobs))
        more = " ..." if len(names) > 3 else ""
        plural = "" if len(jobs) == 1 else "s"
        return f"{len(jobs)} task{plural} queued or at work, job {', '.join(names[:3])}{more}"


class _Left:
    """A local job of an earlier command: submitit tells how it is only to the one that began it."""

    def __init__(self, job: Any) -> None:
        self.job_id, self.paths, self.exception = job.job_id, job.paths, job.exception

    def done(self) -> bool:
        return not _lives(self.job_id)

    @property
    def state(self) -> str:
        return "FINISHED" if self.done() else "RUNNING"

    def cancel(self, check: bool = True) -> None:
        if _lives(self.job_id):
            os.kill(int(self.job_id), signal.SIGINT)


def _lives(process: str) -> bool:
    """Tell whether a process is there, be it a child of this one or not."""
    try:
        return os.waitpid(int(process), os.WNOHANG)[0] == 0
    except ChildProcessError:
        pass
    try:
        os.kill(int(process), 0)
    except OSError:
        return False
    return True


def trouble_of(job: Any) -> str | None:
    """Return one line about how a finished job failed, or None when it ended normally."""
    ended_by_itself = job.paths.result_pickle.exists() or job.state == "DONE"  # cluster=debug
    if job.state == "COMPLETED" or (ended_by_itself and job.exception() is None):
        return None
    log = job.paths.stderr
    try:
        lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()]
    except OSError:
        lines = []
    ours = [line for line in lines if line.startswith(_ERROR)]
    last = [line for line in lines if line and ended_by_itself]
    said = ours or last or [f"it was killed or cut short ({job.state.lower()})"]
    return f"task {job.job_id} failed: {said[-1].removeprefix(_ERROR)} (log: {log})"
