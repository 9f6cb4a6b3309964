"""Where the runner's own time goes."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runner_costs.work import (
    CHUNK,
    Mean,
    Row,
    drawn_by,
    made_up_prompts,
    photograph_like,
    run_once,
)

__all__ = ["measure_profile"]

_PLACES = {
    "fsync": ("posix.fsync",),
    "other calls of the file system": (
        *("posix.open", "posix.replace", "posix.stat", "posix.mkdir", "posix.close"),
        *("posix.lstat", "posix.scandir", "io.open", "posix.listdir", "posix.unlink"),
        *("'write' of '_io", "'read' of '_io", "fcntl.lockf"),
    ),
    "JSON": ("json/", "_json"),
    "hashing": ("_hashlib", "sha256"),
}


def measure_profile(options: argparse.Namespace, _: Path) -> list[Row]:
    """Measure where the runner's time goes when images and scores cost nothing."""
    prompts = made_up_prompts(CHUNK * options.units)
    image = photograph_like().resize((32, 32))
    units = options.units

    def make(texts: list[str], seeds: list[int]) -> list[Any]:
        return [image] * len(texts)

    free = drawn_by(make)
    run_once(free, prompts, Mean())
    fixed = statistics.median(run_once(free, made_up_prompts(1), Mean())[0] for _ in range(9))
    seconds = statistics.median(run_once(free, prompts, Mean())[0] for _ in range(9)) - fixed
    profile = cProfile.Profile()
    profile.runcall(run_once, free, prompts, Mean())
    entries: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    total = sum(entry[2] for entry in entries.values())
    rows: list[Row] = [("where", "share of the runner's own time", "ms a unit")]
    rows.append(("a command, whatever it does", "", f"{1000 * fixed:.1f} ms, once"))
    rows.append((f"a unit of {CHUNK} images of 32 x 32", "100%", f"{1000 * seconds / units:.2f}"))
    shares = {
        what: sum(entry[2] for key, entry in entries.items() if _is_of(key, words)) / total
        for what, words in _PLACES.items()
    }
    for what, share in sorted(shares.items(), key=lambda pair: -pair[1]):
        rows.append((what, f"{share:.0%}", f"{1000 * seconds * share / units:.2f}"))
    return rows


def _is_of(key: tuple[str, int, str], words: Sequence[str]) -> bool:
    return any(word in f"{key[0]} {key[2]}" for word in words)
