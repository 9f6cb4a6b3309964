"""Runs of the drawing functions through any executor, and their processes."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from flasheval.runs.run import run

HERE = Path(__file__).parent


@pytest.fixture
def draw_with(toys, prompts):
    """Run a population of the drawing functions through an executor."""

    def draw(out, executor, **settings):
        return run(
            toys.population("draw", "dark", "faulty"),
            prompts,
            [toys.scorer("brightness"), toys.scorer("contrast")],
            out=out,
            **{"device": "cpu", "chunk": 4, "progress": False, **settings},
            executor=executor,
        )

    return draw


@pytest.fixture
def expected(draw_with, toys, tmp_path):
    """The score files that a run in this process leaves."""
    draw_with(tmp_path / "here", "in_process")
    (toys.folder / "drawn.txt").unlink()
    return _score_files(tmp_path / "here")


@pytest.fixture
def score_files():
    """The bytes of a run's collected scores, by file."""
    return _score_files


def _score_files(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "scores").iterdir())}


@pytest.fixture
def signal_one(toys, monkeypatch):
    """Send a signal to one of the processes with some words in their command line, in the middle.

    Gives a function that starts the wait; the list it returns then holds the process.
    """
    psutil = pytest.importorskip("psutil", reason="psutil finds the workers' processes")
    monkeypatch.setenv("DRAWING_TIME", "0.05")
    threads = []

    def start(words, number):
        sent = []

        def wait():
            deadline = time.monotonic() + 60
            while not sent and time.monotonic() < deadline:
                time.sleep(0.05)
                if len(toys.drawn()) > 8:
                    for process in psutil.process_iter(["pid", "cmdline", "environ"]):
                        environment = process.info["environ"] or {}
                        ours = environment.get("TOYS") == str(toys.folder)
                        if ours and words in " ".join(process.info["cmdline"] or []):
                            sent.append(process.pid)
                            os.kill(process.pid, number)
                            break

        monkeypatch.setenv("TOYS", str(toys.folder))
        threads.append(threading.Thread(target=wait))
        threads[-1].start()
        return sent

    yield start
    for thread in threads:
        thread.join()


@pytest.fixture
def slurm_here(tmp_path, monkeypatch):
    """Put a SLURM of this machine on the path; give the folder of its state."""
    state, programs = tmp_path / "slurm", tmp_path / "bin"
    for folder in (state, programs):
        folder.mkdir()
    for name in ("sbatch", "srun", "sacct", "scancel", "scontrol"):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE}/slurm_here.py {name} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_HERE", str(state))
    return state
