"""Several worker processes started by `accelerate launch`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.extras import pip_command
from flasheval.runs.counting import Counter
from flasheval.runs.devices import device_count, device_kind
from flasheval.runs.executors.executor import Progress, check_least
from flasheval.runs.executors.processes import worker_environment
from flasheval.runs.run_plan import RunPlan
from flasheval.runs.run_plan_files import save_run_plan
from flasheval.runs.store import RunStore

__all__ = ["Accelerate"]

_LOOK = 0.5  # seconds between two looks at the launcher
_GRACE = 20.0  # seconds it gets to stop its workers


@dataclass(frozen=True)
class Accelerate:
    """An executor that starts workers through accelerate, which sets up devices as for training.

    The launcher stops all workers when one of them dies; what is done is kept. `processes` goes on
    with the others.

    Attributes:
        workers: Number of workers; None starts one a GPU, or one without GPUs.
        threads: CPU threads of each worker; None shares the cores out.
        options: Further arguments of `accelerate launch`, such as ``--config_file=FILE``.

    >>> Accelerate(workers=0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: executor.workers=0: expected at least 1

    """

    name: ClassVar[str] = "accelerate"
    workers: int | None = None
    threads: int | None = None
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_least(self, 1, "workers", "threads")

    def run(self, plan: RunPlan, store: RunStore, progress: Progress) -> None:
        """Do all units of the plan; see Executor.run."""
        if find_spec("accelerate") is None:
            raise SettingError(f"executor=accelerate needs: {pip_command('accelerate')}")
        world = self.workers or max(1, device_count(plan.work.device))
        command = self._command(plan, store, world)
        counter = Counter(plan, store)
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(  # noqa: S603
                command,
                env=worker_environment(world, self.threads),
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
            try:
                while process.poll() is None:
                    time.sleep(_LOOK)
                    progress(f"{world} workers", counter.done(), plan.n_units)
            finally:
                _stop(process)
            if process.returncode:
                log.seek(0)
                said = log.read().decode("utf-8", "replace")
                raise FlashevalError(_last_word(said, process.returncode))

    def _command(self, plan: RunPlan, store: RunStore, world: int) -> list[str]:
        kind = device_kind(plan.work.device)
        places = ["--cpu"] if kind == "cpu" else ["--multi_gpu"] if world > 1 else []
        return [
            *(sys.executable, "-m", "accelerate.commands.launch"),
            *("--num_processes", str(world), "--num_machines", "1", "--main_process_port", "0"),
            *("--mixed_precision", "no", "--dynamo_backend", "no", *places, *self.options),
            *("--module", "flasheval.runs.worker_process"),
            *(str(store.folder), str(save_run_plan(plan, store.folder / "plans"))),
            *("--accelerate", "--device", kind),
        ]


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_word(said: str, code: int) -> str:
    """Return what one of our workers said last, else the launcher's last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith("flasheval: error: ")]
    if ours:
        return ours[-1].removeprefix("flasheval: error: ")
    last = lines[-1] if lines else f"exit code {code}"
    return f"accelerate launch ended early ({last}); what is done is kept: run it again to go on"
