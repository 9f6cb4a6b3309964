"""Runs killed at random moments, alone and side by side."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from torture.comparing import damaged_units, differences, temporaries
from torture.outcome import Outcome
from torture.world import World

__all__ = ["kill_commands", "kill_parent", "kill_workers", "run_side_by_side"]

_AGED = 7200.0  # seconds: older than what a run sweeps away


def kill_commands(world: World, kills: int, rng: random.Random) -> Outcome:
    """Kill the command at random moments of its life, start it again each time, and finish."""
    outcome, moments, runs, left = Outcome(f"{kills} kills"), Counter[str](), [], 0
    remade = killed = 0
    while killed < kills:
        run = world.folder / f"killed-{len(runs)}"
        runs.append(run)
        before = killed
        while killed < kills and _killed(world, run, rng.uniform(0, world.seconds)):
            killed += 1
            moments[_moment(world, run)] += 1
            outcome.faults += [f"a kill left {path} damaged" for path in damaged_units(run)]
        ended = world.finish(run)
        outcome.faults += ended.mistakes() + differences(run, world.reference)
        left += len(temporaries(run))
        again = _again(world, run)
        remade += again
        outcome.twice += max(0, again - (killed - before))
        outcome.lost += _lost(world, run)
    outcome.faults += _sweep(world, runs[0])
    outcome.facts = {
        "folders": len(runs),
        "moments of the kills": ", ".join(f"{n} {name}" for name, n in moments.most_common()),
        "units drawn again, at most one a kill": remade,
        "temporary files left by kills": left,
    }
    return outcome


def run_side_by_side(world: World, runners: int, rng: random.Random, *, kill: bool) -> Outcome:
    """Start several commands on one folder at once, kill one if asked, wait for the others."""
    outcome = Outcome()
    run = world.folder / f"side-by-side-{runners}{'-kill' if kill else ''}"
    processes = [world.start(run) for _ in range(runners)]
    if kill:
        time.sleep(rng.uniform(0.5, 1.0) * world.seconds)
        processes.pop().kill()
    for process in processes:
        if process.wait(120):
            outcome.faults.append(f"{run.name}: a runner ended with code {process.returncode}")
    outcome.faults += differences(run, world.reference)
    outcome.twice = max(0, _again(world, run) - kill)
    outcome.lost = _lost(world, run)
    return outcome


def kill_workers(world: World, kills: int, rng: random.Random) -> Outcome:
    """Kill worker processes at random, then the command that started them, and finish."""
    outcome = Outcome()
    run = world.folder / "workers"
    words = ("executor=processes", "executor.workers=2", f"executor.restarts={kills}")
    process, killed = world.start(run, *words), 0
    while process.poll() is None and killed < kills:
        time.sleep(rng.uniform(0.05, 0.25) * world.seconds)
        workers = _children(process.pid)
        if workers:
            killed += _kill(rng.choice(workers))
    if process.wait(120):
        outcome.faults.append(f"{run.name}: the command ended with code {process.returncode}")
    outcome.faults += differences(run, world.reference)
    outcome.twice, outcome.lost = max(0, _again(world, run) - killed), _lost(world, run)
    outcome.what = f"{killed} workers killed"
    return outcome


def kill_parent(world: World, rng: random.Random) -> Outcome:
    """Kill a command whose workers go on for a moment, and start it again at once."""
    outcome = Outcome()
    run = world.folder / "orphans"
    words = ("executor=processes", "executor.workers=2")
    killed = _killed(world, run, rng.uniform(0.6, 1.2) * world.seconds, *words)
    ended = world.finish(run, *words)
    outcome.faults += ended.mistakes() + differences(run, world.reference)
    outcome.twice, outcome.lost = max(0, _again(world, run) - 2 * killed), _lost(world, run)
    return outcome


def _killed(world: World, run: Path, after: float, *words: str) -> bool:
    """Start the command, kill it some seconds later, and tell whether it was still running."""
    process = world.start(run, *words)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() == -signal.SIGKILL


def _moment(world: World, run: Path) -> str:
    """Return how far a command had come when it was killed."""
    if not (run / "run.json").exists():
        return "at the start"
    done = len(list(run.glob("units/*/*/*.json")))
    if done == 0:
        return "planning"
    return "working" if done < 2 * world.n_units else "collecting"


def _again(world: World, run: Path) -> int:
    """Return how many drawings there were beyond one a unit."""
    calls = world.calls(run)
    return calls.total() - len(calls)


def _lost(world: World, run: Path) -> int:
    return 2 * world.n_units - len(list(run.glob("units/*/*/*.json")))


def _sweep(world: World, run: Path) -> list[str]:
    """Return what is wrong with how temporary files are swept: old ones go, young ones stay."""
    young = run / "units" / ".tmp-000000000000"
    old = run / "units" / "v0" / ".tmp-111111111111"
    for path in (young, old, *temporaries(run)):
        path.write_bytes(b"half a file")
        if path != young:
            os.utime(path, (time.time() - _AGED,) * 2)
    faults = world.finish(run).mistakes()
    if temporaries(run) != [young]:
        faults.append(f"temporary files are there for ever: {temporaries(run)}")
    young.unlink()
    return faults


def _children(parent: int) -> list[int]:
    """Return the child processes of a process, by Linux's own list."""
    try:
        listed = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii")
    except OSError:
        return []
    return [int(child) for child in listed.split()]


def _kill(process: int) -> bool:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
