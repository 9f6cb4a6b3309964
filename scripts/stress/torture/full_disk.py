"""A disk that is full, or that refuses a file, in the middle of a run."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from torture.comparing import differences
from torture.outcome import Outcome
from torture.world import Ended, World

__all__ = ["fill_disk"]

_LIMITS = (100, 500, 1_000, 2_000, 8_000)  # bytes; a unit's images take more
_PAGE = 4096
_REASONS = ("File too large", "No space left on device")


def fill_disk(world: World, rounds: int, rng: random.Random) -> Outcome:
    """Run out of room at some point, make room, and run the same command again; some rounds of it.

    Files over a size are refused (RLIMIT_FSIZE), which takes no rights: the system fails the write
    as it does on a full disk. Where small file systems can be mounted, those are filled too.
    """
    outcome = Outcome()
    for number in range(rounds):
        run = world.folder / f"limited-{number}"
        refused = world.finish(run, most=_LIMITS[number % len(_LIMITS)])
        outcome.faults += _mistakes(refused, run) + _finished(world, run)
    full, room = 0, _room(world.reference)
    while full < rounds:
        run = world.folder / f"full-{full}"
        run.mkdir()
        size = rng.randrange(_PAGE, int(0.9 * room))
        if not _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", run):
            break
        try:
            outcome.faults += _mistakes(world.finish(run), run)
            _mount("-o", f"remount,size={4 * room}", run)
            outcome.faults += _finished(world, run)
        finally:
            _quietly("umount", run)
        full += 1
    outcome.what = f"{full}x disk full" if full else f"{rounds}x files refused"
    outcome.facts = {"files refused": rounds, "disks filled": full}
    return outcome


def _mistakes(ended: Ended, run: Path) -> list[str]:
    """Return what is wrong with how a command without room ended: one line with the file's name."""
    if ended.code != 1:
        return [f"{run.name}: exit code {ended.code} without room"]
    found = ended.mistakes((1,))
    if run.name not in ended.complaint or not any(one in ended.complaint for one in _REASONS):
        found.append(f"{run.name}: no file and reason in: {ended.complaint.strip()}")
    if ".tmp-" in ended.complaint:
        found.append(f"{run.name}: a name that tells a reader nothing: {ended.complaint.strip()}")
    return found


def _finished(world: World, run: Path) -> list[str]:
    return world.finish(run).mistakes() + differences(run, world.reference)


def _room(run: Path) -> int:
    """Return the bytes that a run takes on a file system of whole pages."""
    sizes = [path.stat().st_size for path in run.rglob("*") if path.is_file()]
    return sum(-(-size // _PAGE) * _PAGE for size in sizes)


def _mount(*words: str | Path) -> bool:
    return _quietly("mount", *words)


def _quietly(*words: str | Path) -> bool:
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False
