"""Files of a finished run with another digit or bit, cut short, emptied or deleted."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from torture.comparing import differences
from torture.outcome import Outcome
from torture.world import Ended, World

__all__ = ["damage_files"]

_NAMED = 5  # the command names so many, and counts them all


def damage_files(world: World, each: int, rng: random.Random) -> Outcome:
    """Damage files of every kind, in rounds of their own, and run the same command again.

    Args:
        world: The world, its reference run finished.
        each: How many files of a kind.
        rng: Draws files and damage.

    """
    run = world.folder / "damaged"
    shutil.copytree(world.reference, run)
    outcome, total = Outcome(), 0
    for kind, part in (("scores of units", _units), ("kept images", _images)):
        count, faults = part(world, run, each, rng)
        total += count
        outcome.facts[kind] = count
        outcome.faults += [f"{kind}: {fault}" for fault in faults]
    for name in ("run.json", "known/*/*.json", "*.parquet", "scores/*.parquet"):
        count, faults = _settings(world, run, name, each, rng)
        total += count
        outcome.facts[name] = count
        outcome.faults += [f"{name}: {fault}" for fault in faults]
    outcome.what = f"{total} damaged files"
    return outcome


def _units(world: World, run: Path, each: int, rng: random.Random) -> tuple[int, list[str]]:
    paths = rng.sample(sorted(run.glob("units/*/*/*.json")), each)
    return each, _made_again(world, run, paths, rng)


def _images(world: World, run: Path, each: int, rng: random.Random) -> tuple[int, list[str]]:
    """Damage kept images, and take scores away for which they have to be read."""
    paths = []
    for tar in rng.sample(sorted(run.glob("images/*/*.tar")), each):
        paths.append(tar)
        for unit in run.glob(f"units/{tar.parent.name}/mean/*.json"):
            unit.unlink()
    return each, _made_again(world, run, paths, rng)


def _made_again(world: World, run: Path, paths: Sequence[Path], rng: random.Random) -> list[str]:
    """Damage files and return which the command does not name, or does not make again."""
    damages = {path: _damage(path, number, rng) for number, path in enumerate(paths)}
    ended = world.finish(run)
    said = " ".join(ended.said.split())
    found = ended.mistakes() + differences(run, world.reference)
    if f"{len(paths)} damaged file" not in said:
        found.append(f"not told how many were damaged ({len(paths)}): {said}")
    for path, damage in damages.items():
        if len(paths) <= _NAMED and path.relative_to(run).as_posix() not in said:
            found.append(f"{path.name}, {damage}, is not named: {said}")
    return found


def _settings(
    world: World, run: Path, pattern: str, each: int, rng: random.Random
) -> tuple[int, list[str]]:
    """Damage files that say what a run is; one line must say so, or they are written anew."""
    found = []
    for number in range(each):
        path = rng.choice(sorted(run.glob(pattern)))
        damage = _damage(path, number, rng, _delete)
        ended = world.finish(run)
        found += ended.mistakes((0, 1))
        if ended.code:
            found += _advised(ended, path)
            path.unlink()
            found += world.finish(run).mistakes()
        found += [f"{damage}: {one}" for one in differences(run, world.reference)]
    return each, found


def _advised(ended: Ended, path: Path) -> list[str]:
    named = path.name in ended.complaint and "delete it" in ended.complaint
    return [] if named else [f"no file and no advice: {ended.complaint.strip()}"]


Damaging = Callable[[Path, random.Random], str]


def _damage(path: Path, number: int, rng: random.Random, *more: Damaging) -> str:
    """Damage a file in one of the ways there are, by its number, and say how."""
    kinds = [_change_digit] if path.suffix == ".json" else []
    kinds += [_flip, _cut, _empty, *more]
    return kinds[number % len(kinds)](path, rng)


def _change_digit(path: Path, rng: random.Random) -> str:
    """Put another digit in the place of one: the file may be as good JSON as before."""
    data = bytearray(path.read_bytes())
    place = rng.choice([i for i, byte in enumerate(data) if byte in b"0123456789"])
    data[place] = rng.choice([digit for digit in b"0123456789" if digit != data[place]])
    path.write_bytes(data)
    return f"another digit at byte {place}"


def _cut(path: Path, rng: random.Random) -> str:
    data = path.read_bytes()
    keep = rng.randrange(1, len(data))
    path.write_bytes(data[:keep])
    return f"cut to {keep} of {len(data)} bytes"


def _flip(path: Path, rng: random.Random) -> str:
    data = bytearray(path.read_bytes())
    bit = rng.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    return f"bit {bit} flipped"


def _empty(path: Path, rng: random.Random) -> str:
    path.write_bytes(b"")
    return "emptied"


def _delete(path: Path, rng: random.Random) -> str:
    path.unlink()
    return "deleted"
