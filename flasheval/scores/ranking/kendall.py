"""Kendall's tau-b, the agreement of two rankings: of two arrays, of many rows, of many prompt sets.

tau-b = (C - D) / sqrt((n0 - n1) (n0 - n2)), where of the n0 = n (n - 1) / 2 pairs C are ordered the
same way by both sides, D the opposite way, n1 are tied in the scores and n2 in the target (Kendall,
"The treatment of ties in ranking problems", 1945). Equal to `scipy.stats.kendalltau`.

Conventions, as in scipy: NaN where one side is constant, where there are fewer than two values, and
where a value is NaN.

Margins. Scores that differ by no more than `margin` are tied. It is a statement about the side
being judged: two generations of the same images differ by that much. The target rests on all
prompts and has a smaller error, hence a `target_margin` of its own; FlashEval's official search
gives both the same value. Such ties need not be transitive; the formula does not ask it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError
from flasheval.base.threads import in_blocks
from flasheval.scores.ranking.blocks import accumulate, concordance, new_sums, tau_from_counts
from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.prepare import (
    PreparedTarget,
    checked_margin,
    prepare_base,
    prepare_rows,
    prepare_target,
)

__all__ = ["count_pairs", "kendall_tau_b", "kendall_tau_b_many", "tau_b_of_sets"]

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]
_BLOCK = 4096  # sets a thread takes at a time: about a millisecond of work


def kendall_tau_b(
    x: npt.ArrayLike, y: npt.ArrayLike, *, margin: float = 0.0, target_margin: float = 0.0
) -> float:
    """Kendall's tau-b of scores x against a target y, both [n]; in [-1, 1] or NaN.

    margin, target_margin: |difference| up to which two values of x, of y, are tied; see the module.
    Raises DataError if the shapes differ.

    >>> kendall_tau_b([1, 2, 3, 4], [10, 20, 40, 30])  # 5 pairs agree, 1 does not
    0.6666666666666666
    >>> kendall_tau_b([1.0, 1.01, 3.0], [1, 2, 3], margin=0.1)  # 2 agree, 1 of 3 tied in x
    0.8164965809277261
    >>> kendall_tau_b([1, 1, 1], [1, 2, 3])
    nan
    """
    scores = np.asarray(x)
    if scores.ndim != 1:
        raise DataError(f"scores have shape {scores.shape}; expected one number a variant")
    taus = kendall_tau_b_many(scores[None], y, margin=margin, target_margin=target_margin)
    return float(taus[0])


def kendall_tau_b_many(
    scores: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    margin: float = 0.0,
    target_margin: float = 0.0,
) -> npt.NDArray[np.float64]:
    """Kendall's tau-b of each row of scores [n_sets, n_variants] against target [n_variants].

    Returns float64 [n_sets]. Rows run in parallel; float32 scores are compared as they are, any
    other type as float64.

    >>> kendall_tau_b_many([[1, 2, 3], [3, 2, 1], [1, 1, 2]], [1, 2, 3]).round(3).tolist()
    [1.0, -1.0, 0.816]
    """
    values = _as_scores(scores)
    ranked = np.asarray(target, dtype=np.float64)
    if np.isnan(ranked).any():
        return np.full(len(values), np.nan)
    prepared = prepare_target(ranked, margin=target_margin)
    counts = count_pairs(values, prepared, margin=margin)
    return _taus(counts, prepared.pairs, prepared.target_ties)


def tau_b_of_sets(
    matrix: npt.ArrayLike,
    target: npt.ArrayLike,
    sets: npt.ArrayLike,
    *,
    base: npt.ArrayLike | None = None,
    margin: float = 0.0,
    target_margin: float = 0.0,
) -> npt.NDArray[np.float64]:
    """Kendall's tau-b between target and the sums of scores over each of many sets of prompts.

    matrix: [P, n_variants], one row a prompt, float32 (any other type but float64 becomes float32;
        float64 is summed in float64). See `flasheval.scores.ranking.blocks` for the arithmetic.
    target: float [n_variants], the full scores.
    sets: integers [n_sets, N], each a row number of matrix; a prompt listed twice counts twice.
    base: float [n_variants], sums over prompts that every set contains besides its own N.
    margin: |difference| of two *sums* (N times that of means) up to which they are tied.
    Returns float64 [n_sets]: NaN where a set's sums are constant or NaN. Sets run in parallel and
    the result is the same on any number of threads.
    Raises DataError for shapes that do not fit and for numbers that are not rows of matrix.

    >>> matrix = np.array([[1, 2, 3], [3, 2, 1], [0, 1, 5]], dtype=np.float32)
    >>> tau_b_of_sets(matrix, [1, 2, 3], [[0, 2], [1, 1], [0, 1]]).tolist()
    [1.0, -1.0, nan]
    """
    scores = np.asarray(matrix)
    if scores.dtype != np.float64:
        scores = scores.astype(np.float32, copy=False)
    chosen = _as_sets(sets, len(scores))
    ranked = np.asarray(target, dtype=np.float64)
    if np.isnan(ranked).any():
        return np.full(len(chosen), np.nan)
    prepared = prepare_target(ranked, margin=target_margin)
    rows, more = prepare_rows(scores, prepared), prepare_base(base, prepared, scores.dtype)
    counts = np.empty((len(chosen), 2), np.int64)
    allowed, n = checked_margin(margin), prepared.n_variants

    def count(first: int, last: int) -> None:
        part = slice(first, last)
        _count_sets(rows, chosen[part], more, n, prepared.tied_until, allowed, counts[part])

    in_blocks(len(chosen), _BLOCK, count)
    return _taus(counts, prepared.pairs, prepared.target_ties)


def count_pairs(
    scores: npt.ArrayLike, target: PreparedTarget, *, margin: float = 0.0
) -> npt.NDArray[np.int64]:
    """Of each row of scores [n_sets, n_variants]: concordant - discordant pairs, and tied ones.

    Returns int64 [n_sets, 2]; pairs tied in the target are in the second count only. A row with a
    NaN is (0, all pairs).

    >>> from flasheval.scores.ranking.prepare import prepare_target
    >>> count_pairs([[1, 2, 3], [1, 1, 2]], prepare_target([1, 2, 3])).tolist()
    [[3, 0], [2, 1]]
    """
    values = _as_scores(scores)
    if values.shape[1] != target.n_variants:
        raise DataError(
            f"scores have {values.shape[1]} columns, but the target {target.n_variants} values; "
            "expected one of each a variant"
        )
    counts = np.empty((len(values), 2), np.int64)
    allowed = checked_margin(margin)

    def count(first: int, last: int) -> None:
        part = slice(first, last)
        _count_rows(
            values[part], target.order, target.tied_until, target.width, allowed, counts[part]
        )

    in_blocks(len(values), _BLOCK, count)
    return counts


@compiled
def _count_sets(
    rows: Floats,
    sets: Ints,
    base: Floats,
    n_variants: int,
    tied_until: Ints,
    margin: float,
    counts: npt.NDArray[np.int64],
) -> None:
    n_sets, size = sets.shape
    sums = new_sums(rows)
    for index in range(n_sets):
        accumulate(rows, sets[index], size, base, sums)
        difference, ties = concordance(sums, n_variants, tied_until, margin)
        counts[index, 0] = difference
        counts[index, 1] = ties


@compiled
def _count_rows(
    scores: Floats,
    order: Ints,
    tied_until: Ints,
    width: int,
    margin: float,
    counts: npt.NDArray[np.int64],
) -> None:
    n_sets, n_variants = scores.shape
    sums = new_sums(np.empty((1, width), scores.dtype))
    for index in range(n_sets):
        for variant in range(n_variants):
            sums[variant] = scores[index, order[variant]]
        difference, ties = concordance(sums, n_variants, tied_until, margin)
        counts[index, 0] = difference
        counts[index, 1] = ties


@compiled
def _taus(counts: npt.NDArray[np.int64], pairs: int, target_ties: int) -> npt.NDArray[np.float64]:
    taus = np.empty(len(counts))
    for index in range(len(counts)):
        taus[index] = tau_from_counts(counts[index, 0], counts[index, 1], pairs, target_ties)
    return taus


def _as_scores(scores: npt.ArrayLike) -> Floats:
    values = np.asarray(scores)
    if values.ndim != 2:
        raise DataError(f"scores have shape {values.shape}; expected one row a set")
    if values.dtype == np.float32:
        return np.ascontiguousarray(values)
    return np.ascontiguousarray(values, dtype=np.float64)


def _as_sets(sets: npt.ArrayLike, n_prompts: int) -> npt.NDArray[np.int32]:
    """Check every number, for the kernels do not, and return int32: one kernel fewer to compile."""
    chosen = np.asarray(sets)
    if chosen.ndim != 2:
        raise DataError(f"sets have shape {chosen.shape}; expected one row of prompts a set")
    if chosen.size and not np.issubdtype(chosen.dtype, np.integer):
        raise DataError(f"sets are {chosen.dtype}; expected integers, the row numbers of prompts")
    if chosen.size and (chosen.min() < 0 or chosen.max() >= n_prompts):
        outside = (chosen < 0) | (chosen >= n_prompts)
        where = tuple(int(i) for i in np.argwhere(outside)[0])
        raise DataError(
            f"set {where[0]} names prompt {int(chosen[where])}, but the matrix has {n_prompts} "
            "rows, numbered from 0"
        )
    return np.ascontiguousarray(chosen, dtype=np.int32)
