"""Ways to disturb a command that writes, and how to tell that its result is the undisturbed one."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from torture.comparing import columns_but_times
from torture.outcome import Outcome
from torture.verbs import Bench, Command, ended

__all__ = ["DISTURBANCES", "kill"]

_DAY = 86_400
# What tells of the command and not of its result.
_OF_COMMANDS = (".claims", "plans/", "config/", ".hydra", ".flasheval")
_TIMES = (
    re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d"),
    re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.+:Z]*"),
    re.compile(rb'"(?:seconds|record_hash|check)": *[^,}\n]+'),
    re.compile(rb"\b[\d.]+ (?:s|ms|min)\b"),
    re.compile(rb"[0-9a-f]{64}"),
    re.compile(rb"\| [\d.]+ \|$", re.MULTILINE),  # the last column of a report, seconds
)


def kill(bench: Bench, command: Command, kills: int, seconds: float, rng: random.Random) -> Outcome:
    """Kill a command at random moments of its life, start it again each time, and finish."""
    outcome, killed, folders = Outcome(), 0, 0
    while killed < kills:
        name = f"killed{folders}"
        folders += 1
        for _ in range(3):  # then it is left to finish
            process = bench.start(command, name)
            try:
                process.communicate(timeout=rng.uniform(0.1, 1.0) * seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            if process.returncode != -signal.SIGKILL:
                break
            killed += 1
            if killed == kills:
                break
        outcome.faults += _finished(bench, command, name)
    return outcome


def together(bench: Bench, command: Command, seconds: float, rng: random.Random) -> list[str]:
    """Start a command twice at once on one place: both end well, or one in a line."""
    first = bench.start(command, "together")
    time.sleep(rng.uniform(0, 0.3) * seconds)
    second = bench.start(command, "together")
    faults = []
    for process in (first, second):
        faults += ended(process).mistakes((0, 1, 2))
    return faults + _finished(bench, command, "together")


def refused(bench: Bench, command: Command, seconds: float, rng: random.Random) -> list[str]:
    """Have the system refuse files over a size, as a full disk does, then finish."""
    faults = []
    for size in (0, 300, rng.randrange(400, 4_000)):
        faults += bench.finish(command, "refused", limits={"FSIZE": size}).mistakes((0, 1))
    return faults + _finished(bench, command, "refused")


def few_handles(bench: Bench, command: Command, seconds: float, rng: random.Random) -> list[str]:
    """Allow few open files."""
    faults = bench.finish(command, "handles", limits={"NOFILE": 40}).mistakes((0, 1))
    return faults + _finished(bench, command, "handles")


def read_only(bench: Bench, command: Command, seconds: float, rng: random.Random) -> list[str]:
    """Name a place where nothing can be written."""
    words = tuple(word.replace("OUT", f"/proc/no/OUT{command.suffix}") for word in command.words)
    found = bench.finish(Command(command.name, words, command.suffix), "nowhere")
    return found.mistakes((1, 2))


def no_home(bench: Bench, command: Command, seconds: float, rng: random.Random) -> list[str]:
    """Take HOME and the cache's folders away."""
    faults = bench.finish(command, "homeless", HOME="").mistakes()
    return faults + _differences(bench, command, "homeless")


def clock_back(bench: Bench, command: Command, seconds: float, rng: random.Random) -> list[str]:
    """Kill it and set the clock back a day: what is there seems to be from tomorrow."""
    process = bench.start(command, "clock")
    try:
        process.communicate(timeout=rng.uniform(0.5, 0.9) * seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    place = bench.path(command, "clock")
    for path in (place, *place.rglob("*")) if place.exists() else ():
        os.utime(path, (time.time() + _DAY,) * 2)
    return _finished(bench, command, "clock")


def deleted(bench: Bench, command: Command, seconds: float, rng: random.Random) -> list[str]:
    """Delete what it writes to while it works."""
    process = bench.start(command, "deleted")
    time.sleep(rng.uniform(0.4, 0.9) * seconds)
    place = bench.path(command, "deleted")
    shutil.rmtree(place, ignore_errors=True)
    place.unlink(missing_ok=True) if place.is_file() else None
    faults = ended(process).mistakes((0, 1))
    if place.is_dir():  # what was begun elsewhere is not there: begin anew
        shutil.rmtree(place)
    return faults + _finished(bench, command, "deleted")


def odd_names(bench: Bench, command: Command, seconds: float, rng: random.Random) -> list[str]:
    """Write to names that differ in case only, of odd characters, and too long ones."""
    faults = []
    for name in ("Aa", "aA", "a b [x] 100% $y$ ünï;'q'"):
        faults += bench.finish(_quoted(command), name).mistakes()
        faults += _differences(bench, command, name)
    faults += bench.finish(command, "x" * 300).mistakes((1, 2))
    return faults


DISTURBANCES = {
    "two at once": together,
    "files refused": refused,
    "few handles": few_handles,
    "nowhere to write": read_only,
    "no HOME": no_home,
    "clock set back": clock_back,
    "deleted meanwhile": deleted,
    "odd names": odd_names,
}


def _quoted(command: Command) -> Command:
    words = tuple(word.replace("=OUT", '="OUT"') for word in command.words)
    return Command(command.name, words, command.suffix, command.start)


def _finished(bench: Bench, command: Command, name: str) -> list[str]:
    found = bench.finish(command, name).mistakes()
    return [f"{command.name}, {name}: {one}" for one in found] + _differences(bench, command, name)


def _differences(bench: Bench, command: Command, name: str) -> list[str]:
    """Return which files are missing, too many, or not those of the undisturbed command.

    Byte by byte, but for times, hashes of what holds times, and the place itself.
    """
    ours = _files(bench.path(command, name))
    reference = _files(bench.path(command, "reference"))
    names = (command.out(name), command.out("reference"))
    found = [f"{one} is missing" for one in sorted(reference.keys() - ours.keys())]
    found += [f"{one} is too many" for one in sorted(ours.keys() - reference.keys())]
    for one in sorted(ours.keys() & reference.keys()):
        if one.startswith("units/") and one.endswith(".json") and command.start:
            first, own = (_scores(path[one]) for path in (reference, ours))
        elif one.endswith(".parquet"):
            first, own = (columns_but_times(path[one]) for path in (reference, ours))
        else:
            first, own = reference[one].read_bytes(), ours[one].read_bytes()
            if not one.endswith(".png"):
                first, own = _plain(first, names[1]), _plain(own, names[0])
        if own != first:
            found.append(f"{one} differs")
    return [f"{command.name}, {name}: {one}" for one in found]


def _scores(path: Path) -> Any:
    """Return what a unit's file says but for its record of times."""
    body = json.loads(path.read_bytes())
    return {key: value for key, value in body.items() if key not in ("record", "check")}


def _plain(content: bytes, name: str) -> bytes:
    for pattern in _TIMES:
        content = pattern.sub(b"", content)
    stem = Path(name).stem
    for one in (name, stem):
        content = content.replace(one.encode(), b"OUT")
    return content


def _files(place: Path) -> dict[str, Path]:
    if place.is_file():
        beside = place.with_name(f"{place.stem}-plots")
        plots = {f"plots/{one.name}": one for one in beside.glob("[!.]*")}
        return {"": place, **plots}
    found = {}
    for path in place.rglob("*"):
        name = path.relative_to(place).as_posix()
        ours = name.endswith(".log") or name.startswith(_OF_COMMANDS) or ".tmp-" in name
        if path.is_file() and not ours:
            found[name] = path
    return found
