"""Stages of training in processes of their own, each as soon as what it waits for is done."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["do_all", "do_one"]


def do_all(stages: Mapping[str, Sequence[str]], workers: int) -> None:
    """Do every stage by calling this program again with `--stage NAME`.

    Args:
        stages: What each stage waits for, by its name; the longest way first.
        workers: Stages at a time.

    """
    begun, done = time.monotonic(), set[str]()
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        while len(done) < len(stages):
            for name, needs in stages.items():
                ready = name not in done and name not in running and done.issuperset(needs)
                if ready and len(running) < workers:
                    command = [sys.executable, *sys.argv, "--stage", name]
                    running[name] = subprocess.Popen(command)  # noqa: S603
            time.sleep(1)
            for name in [name for name, process in running.items() if process.poll() is not None]:
                if running.pop(name).returncode:
                    raise SystemExit(f"stage {name} failed; what is done stays, type this again")
                done.add(name)
                print(f"{name} done, {time.monotonic() - begun:.0f} s in all", flush=True)
    finally:
        for process in running.values():
            process.terminate()


def do_one(name: str, out: Path, stage: Callable[[], None]) -> None:
    """Do one stage on one thread; a finished one leaves a mark and is not done again."""
    import torch
    from transformers.utils import logging

    torch.set_num_threads(1)
    logging.set_verbosity_error()
    mark = out / "done" / name
    if mark.exists():
        return
    stage()
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
