"""A SLURM of one machine for tests: sbatch, srun, sacct, scancel and scontrol, by argv[1]."""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

STATE = Path(os.environ["SLURM_HERE"])
JOB = "4100"
LOOP = """
while :; do
  bash {script} > /dev/null 2>&1
  code=$?
  [ -e {state}.requeue ] || break
  mv {state}.requeue {state}.requeued
done
echo $code > {state}.code
"""


def sbatch(script):
    text = Path(script).read_text()
    (STATE / "script").write_text(text)
    array = re.search(r"--array=0-(\d+)", text)
    for task in range(int(array[1]) + 1) if array else [None]:
        name = JOB if task is None else f"{JOB}_{task}"
        place = {} if task is None else {"ARRAY_JOB_ID": JOB, "ARRAY_TASK_ID": str(task)}
        place |= {"JOB_ID": JOB, "NTASKS": "1", "JOB_NUM_NODES": "1", "NODEID": "0", "PROCID": "0"}
        started = subprocess.Popen(
            ["bash", "-c", LOOP.format(script=STATE / "script", state=STATE / name)],
            env={**os.environ, **{f"SLURM_{key}": value for key, value in place.items()}},
            stdout=subprocess.DEVNULL,  # who submits reads sbatch's to its end
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        (STATE / f"{name}.pid").write_text(str(started.pid))
    print(f"Submitted batch job {JOB}")


def srun(*words):
    task = os.environ.get("SLURM_ARRAY_TASK_ID", "")
    words = list(words)
    while words[0].startswith("--"):
        option = words.pop(0)
        if option in ("--output", "--error"):
            name = words.pop(0).replace("%A", JOB).replace("%a", task)
            path = name.replace("%j", JOB).replace("%t", "0")
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            os.dup2(os.open(path, flags), 1 if option == "--output" else 2)
    os.execvp(words[0], words)  # noqa: S606


def sacct(*_):
    print("JobID|State|NodeList")
    for path in sorted(STATE.glob("*.pid")):
        code = path.with_suffix(".code")
        done = code.read_text().strip() if code.exists() else None
        state = {None: "RUNNING", "0": "COMPLETED", "x": "CANCELLED"}.get(done, "FAILED")
        print(f"{path.stem}|{state}|here")


def scancel(job):
    (STATE / f"{job}.code").write_text("x")
    with suppress(ProcessLookupError):
        os.killpg(int((STATE / f"{job}.pid").read_text()), signal.SIGTERM)
        os.killpg(int((STATE / f"{job}.pid").read_text()), signal.SIGKILL)


def scontrol(what, job):
    (STATE / f"{job}.{what}").touch()


globals()[sys.argv[1]](*sys.argv[2:])
