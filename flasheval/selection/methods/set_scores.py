"""Tau-b of candidate sets, averaged over metrics: what `frequency` and `evolve` raise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.base.threads import in_blocks
from flasheval.scores.ranking.blocks import accumulate, concordance, new_sums, tau_from_counts
from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.prepare import prepare_base, prepare_rows, prepare_target
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.random_sets import draw_set

__all__ = ["SetScores", "set_scores"]

_BLOCK = 4096  # sets a thread takes at a time


@dataclass(frozen=True)
class SetScores:
    """A problem's scores laid out for the kernels.

    Attributes:
        rows: float32 [metrics, prompts, width], each metric's variants in its target's order.
        base: float32 [metrics, width], sums over the required prompts.
        tied_until: int64 [metrics, n] ties of each target (see `PreparedTarget`).
        tied: bool [metrics], whether the target has ties at all.
        n_variants: Rows, n: search variants, or images of them (see `Problem.search_rows`).
        target_ties: int64 [metrics], pairs tied in each target.

    """

    rows: NDArray[np.float32]
    base: NDArray[np.float32]
    tied_until: NDArray[np.int64]
    tied: NDArray[np.bool_]
    n_variants: int
    target_ties: NDArray[np.int64]

    def of_sets(self, sets: NDArray[np.int32]) -> NDArray[np.float64]:
        """Mean tau-b of each row of int32 [sets, N] with the required prompts: float64 [sets].

        A set whose sums tie for every variant of a metric orders nothing and scores -1.
        """
        given = np.ascontiguousarray(sets, dtype=np.int32)
        taus = np.empty(len(given))

        def score(first: int, last: int) -> None:
            _score_sets(
                self.rows,
                self.base,
                self.tied_until,
                self.tied,
                self.n_variants,
                self.target_ties,
                given[first:last],
                taus[first:last],
            )

        in_blocks(len(given), _BLOCK, score)
        return taus

    def of_draws(
        self,
        key: np.uint64,
        first: int,
        last: int,
        pool: NDArray[np.int32],
        count: int,
        replace: bool,
    ) -> NDArray[np.float64]:
        """Mean tau-b of the drawn sets numbered first to last - 1 (see `draw_set`)."""
        taus = np.empty(last - first)

        def score(begin: int, end: int) -> None:
            _score_draws(
                self.rows,
                self.base,
                self.tied_until,
                self.tied,
                self.n_variants,
                self.target_ties,
                key,
                first + begin,
                pool,
                count,
                replace,
                taus[begin:end],
            )

        in_blocks(len(taus), _BLOCK, score)
        return taus


def set_scores(problem: Problem) -> SetScores:
    """Lay a problem's scores out for the kernels."""
    rows, base, tied_until, ties = [], [], [], []
    blocks, targets = problem.search_rows()
    n = len(targets[0])
    for scores, target in zip(blocks, targets, strict=True):
        prepared = prepare_target(target)
        rows.append(prepare_rows(scores.T, prepared))
        required = scores[:, problem.required].sum(axis=1, dtype=np.float64)
        base.append(prepare_base(required, prepared, np.float32))
        tied_until.append(prepared.first_below)
        ties.append(prepared.target_ties)
    target_ties = np.asarray(ties, dtype=np.int64)
    return SetScores(
        _stacked(rows), np.stack(base), np.stack(tied_until), target_ties > 0, n, target_ties
    )


def _stacked(rows: list[NDArray[np.floating]]) -> NDArray[np.float32]:
    # One metric keeps its aligned rows: a copy would give up their place on cache lines.
    stacked: NDArray[np.float32] = rows[0][None] if len(rows) == 1 else np.stack(rows)
    return stacked


@compiled
def _mean_tau(
    rows: NDArray[np.float32],
    base: NDArray[np.float32],
    tied_until: NDArray[np.int64],
    tied: NDArray[np.bool_],
    n_variants: int,
    target_ties: NDArray[np.int64],
    chosen: NDArray[np.int32],
    count: int,
    sums: NDArray[np.float32],
) -> float:
    pairs = n_variants * (n_variants - 1) // 2
    total = 0.0
    for m in range(rows.shape[0]):
        accumulate(rows[m], chosen, count, base[m], sums)
        ties = tied_until[m] if tied[m] else tied_until[m, :0]
        difference, tied_pairs = concordance(sums, n_variants, ties, 0.0)
        if tied_pairs == pairs:
            total -= 1.0
        else:
            total += tau_from_counts(difference, tied_pairs, pairs, target_ties[m])
    return float(total / rows.shape[0])


@compiled
def _score_sets(
    rows: NDArray[np.float32],
    base: NDArray[np.float32],
    tied_until: NDArray[np.int64],
    tied: NDArray[np.bool_],
    n_variants: int,
    target_ties: NDArray[np.int64],
    sets: NDArray[np.int32],
    taus: NDArray[np.float64],
) -> None:
    n_sets, count = sets.shape
    sums = new_sums(rows[0])
    for index in range(n_sets):
        taus[index] = _mean_tau(
            rows, base, tied_until, tied, n_variants, target_ties, sets[index], count, sums
        )


@compiled
def _score_draws(
    rows: NDArray[np.float32],
    base: NDArray[np.float32],
    tied_until: NDArray[np.int64],
    tied: NDArray[np.bool_],
    n_variants: int,
    target_ties: NDArray[np.int64],
    key: np.uint64,
    first: int,
    pool: NDArray[np.int32],
    count: int,
    replace: bool,
    taus: NDArray[np.float64],
) -> None:
    sums = new_sums(rows[0])
    chosen = np.empty(count, dtype=np.int32)
    seen = np.full(len(pool), -1, dtype=np.int64)
    for index in range(len(taus)):
        draw_set(key, first + index, pool, count, replace, seen, chosen)
        taus[index] = _mean_tau(
            rows, base, tied_until, tied, n_variants, target_ties, chosen, count, sums
        )
