"""Random sets that are never stored: each is a pure function of a key and its own number.

A kernel can draw set 1,234,567 twice, on any thread, and get the same prompts, so a search over
millions of sets keeps their scores only and draws the best ones again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.ranking.jit import compiled

__all__ = ["draw_key", "draw_set", "draw_sets"]

# Constants of the SplitMix64 generator (Steele, Lea and Flood, OOPSLA 2014).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)


def draw_key(rng: np.random.Generator) -> np.uint64:
    """Take a key for `draw_set` from a generator.

    Example:
        >>> int(draw_key(np.random.default_rng(0))) == int(draw_key(np.random.default_rng(0)))
        True

    """
    return np.uint64(rng.integers(0, 2**64, dtype=np.uint64))


@compiled
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> _S30)) * _MIX_1
    value = (value ^ (value >> _S27)) * _MIX_2
    return value ^ (value >> _S31)


@compiled
def draw_set(
    key: np.uint64,
    number: int,
    pool: NDArray[np.int32],
    count: int,
    replace: bool,
    seen: NDArray[np.int64],
    chosen: NDArray[np.int32],
) -> None:
    """Draw one set into `chosen[:count]`, uniformly from `pool`.

    key: from `draw_key`; number: which set, from 0; replace: whether a prompt may come twice,
    otherwise count <= len(pool) is needed; seen: int64 [len(pool)] scratch that belongs to one
    thread, filled with -1 before its first use and never shared between two keys.
    """
    state = _mix(key + np.uint64(number) * _MIX_1)
    size = np.uint64(len(pool))
    filled = 0
    while filled < count:
        state += _GOLDEN
        # The high 32 bits times the pool's size: bias below size / 2^32, far under the noise.
        place = np.int64(((_mix(state) >> _S32) * size) >> _S32)
        if not replace:
            if seen[place] == number:
                continue
            seen[place] = number
        chosen[filled] = pool[place]
        filled += 1


@compiled
def draw_sets(
    key: np.uint64, numbers: NDArray[np.int64], pool: NDArray[np.int32], count: int, replace: bool
) -> NDArray[np.int32]:
    """Draw the sets of the given numbers, all different: int32 [len(numbers), count]."""
    sets = np.empty((len(numbers), count), dtype=np.int32)
    seen = np.full(len(pool), -1, dtype=np.int64)
    for row in range(len(numbers)):
        draw_set(key, numbers[row], pool, count, replace, seen, sets[row])
    return sets
