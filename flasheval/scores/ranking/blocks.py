"""Building blocks that turn a set of prompts into Kendall's tau-b, for use inside compiled loops.

A kernel that draws its own sets never has to store them: it accumulates each one into a small
buffer and scores it there. The arrays it needs are prepared once, in Python, by
`flasheval.scores.ranking.prepare`:

    target = prepare_target(full_means)              # float[n_variants] -> PreparedTarget
    rows = prepare_rows(matrix, target)              # [P, n_variants]   -> [P, width]
    base = prepare_base(None, target, rows.dtype)    # float[n_variants] -> [width]

and then, in any compiled function,

    sums = new_sums(rows)                            # one buffer a thread (or chunk of sets)
    for index in range(first, last):
        ...                                          # fill chosen[:count] with row numbers
        accumulate(rows, chosen, count, base, sums)
        difference, ties = concordance(sums, n_variants, tied_until, margin)
        tau = tau_from_counts(difference, ties, pairs, target_ties)

with `n_variants`, `tied_until`, `pairs` and `target_ties` the fields of the prepared target.

Why it is fast. Variants are put in the order of descending target, so a pair i < j agrees with the
target exactly when sum i > sum j and the target itself never appears in the inner loop. Rows are
padded to a multiple of 16 with NaN, which compares as neither above nor below: no loop has a
remainder. A row is aligned to 64 bytes: one cache line for every 16 float32.

Arithmetic. Sums are accumulated in the dtype of the rows, from base on, in the order in which the
prompts are listed; nothing is reordered, so a set's tau depends only on that order, never on
threads or machine. Scores that were computed in float16 (CLIP) have exact float32 sums, in any
order: between 1/8 and 1/2 they are multiples of 2^-13, and float32 holds all of those below 2,048,
the sum of more than 4,000 prompts. For other scores, two sums equal in exact arithmetic may differ
in the last of 24 bits. A float64 matrix is summed in float64, at half the speed.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.lanes import (
    LANES,
    add,
    count_above,
    count_below,
    count_nan,
    load,
    store,
    subtract,
)

__all__ = ["accumulate", "concordance", "new_sums", "tau_from_counts"]

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


@compiled
def new_sums(rows: Floats) -> Floats:
    """Make a buffer for `accumulate` and `concordance`: [width + 16] of the rows' dtype, all NaN.

    The last 16 must stay NaN: `concordance` reads into them.
    """
    return np.full(rows.shape[1] + LANES, np.nan, rows.dtype)


@compiled
def accumulate(rows: Floats, chosen: Ints, count: int, base: Floats, sums: Floats) -> None:
    """Sum a set: sums[v] = base[v] + rows[chosen[0], v] + ... + rows[chosen[count - 1], v].

    rows: [P, width] from `prepare_rows`; chosen: int32 or int64 [>= count], each in [0, P), not
    checked; base: [width] from `prepare_base`; sums: from `new_sums`, overwritten. A prompt that is
    listed twice counts twice.
    """
    width = rows.shape[1]
    start = 0
    while width - start > 4 * LANES:
        _sum_four(rows, chosen, count, base, sums, start)
        start += 4 * LANES
    left = (width - start) // LANES
    if left == 4:
        _sum_four(rows, chosen, count, base, sums, start)
    elif left == 3:
        _sum_three(rows, chosen, count, base, sums, start)
    elif left == 2:
        _sum_two(rows, chosen, count, base, sums, start)
    elif left == 1:
        _sum_one(rows, chosen, count, base, sums, start)


@compiled
def concordance(sums: Floats, n_variants: int, tied_until: Ints, margin: float) -> tuple[int, int]:
    """Count pairs: (concordant - discordant, tied in sums), both int64.

    Pairs tied in the target are in the second count only, as tau-b wants it. Sums are tied when
    |difference| <= margin, computed in their dtype. A NaN among the sums makes every pair tied:
    tau-b is then NaN.

    sums: from `new_sums`, [:n_variants] in the target's order, the rest NaN; tied_until: the
    prepared target's.
    """
    pairs = n_variants * (n_variants - 1) // 2
    nans = 0
    for start in range(0, len(sums), LANES):
        nans += count_nan(load(sums, start))
    if nans > len(sums) - n_variants:
        return 0, pairs
    limit = sums.dtype.type(margin)
    above = 0
    below = 0
    for start in range(0, n_variants, LANES):
        first = load(sums, start)
        # Lane l holds the pair (start + l, start + l + shift); past the last variant is NaN.
        for shift in range(1, n_variants - start):
            gap = subtract(first, load(sums, start + shift))
            above += count_above(gap, limit)
            below += count_below(gap, -limit)
    difference = above - below
    for i in range(len(tied_until)):
        for j in range(i + 1, tied_until[i]):
            lead = sums[i] - sums[j]
            difference -= int(lead > limit) - int(lead < -limit)
    return difference, pairs - above - below


@compiled
def tau_from_counts(difference: int, ties: int, pairs: int, target_ties: int) -> float:
    """Kendall's tau-b = (C - D) / sqrt((n0 - n1) (n0 - n2)); NaN where either side is constant.

    n0 = pairs, n1 = pairs tied in the scores, n2 = pairs tied in the target (Kendall 1945).

    >>> tau_from_counts(4, 1, 6, 0)
    0.7302967433402214
    """
    product = float(pairs - ties) * float(pairs - target_ties)
    if product <= 0.0:
        return math.nan
    return difference / math.sqrt(product)


# One pass over a set's rows adds up as many lanes as it can keep in registers: a row's cache lines
# are then fetched together, and several chains of additions run at once.


@compiled
def _sum_one(
    rows: Floats, chosen: Ints, count: int, base: Floats, sums: Floats, start: int
) -> None:
    a = load(base, start)
    for k in range(count):
        at = np.int64(chosen[k]) * rows.shape[1] + start
        a = add(a, load(rows, at))
    store(sums, start, a)


@compiled
def _sum_two(
    rows: Floats, chosen: Ints, count: int, base: Floats, sums: Floats, start: int
) -> None:
    a, b = load(base, start), load(base, start + LANES)
    for k in range(count):
        at = np.int64(chosen[k]) * rows.shape[1] + start
        a = add(a, load(rows, at))
        b = add(b, load(rows, at + LANES))
    store(sums, start, a)
    store(sums, start + LANES, b)


@compiled
def _sum_three(
    rows: Floats, chosen: Ints, count: int, base: Floats, sums: Floats, start: int
) -> None:
    a, b, c = load(base, start), load(base, start + LANES), load(base, start + 2 * LANES)
    for k in range(count):
        at = np.int64(chosen[k]) * rows.shape[1] + start
        a = add(a, load(rows, at))
        b = add(b, load(rows, at + LANES))
        c = add(c, load(rows, at + 2 * LANES))
    store(sums, start, a)
    store(sums, start + LANES, b)
    store(sums, start + 2 * LANES, c)


@compiled
def _sum_four(
    rows: Floats, chosen: Ints, count: int, base: Floats, sums: Floats, start: int
) -> None:
    _sum_two(rows, chosen, count, base, sums, start)
    _sum_two(rows, chosen, count, base, sums, start + 2 * LANES)
