"""Which variants the full set itself cannot tell apart, along its ranking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.report.page.ranks import Ranks
from flasheval.scores.matrix import sign_of
from flasheval.scores.ranking.significant import significant_pairs

__all__ = ["Ties", "ties_of"]


@dataclass(frozen=True, eq=False)
class Ties:
    """Near ties of one metric; variants in the order of the full set, the best first.

    Two variants are tied where their full means differ by no more than two paired standard errors.

    Attributes:
        metric: Its name.
        variants: Their names.
        full: float64 [variants], full means.
        best: int64 [variants], the best rank (from 1) among those tied with each, its own included.
        worst: int64 [variants], the worst.
        count: int64 [variants], how many others each is tied with.
        subset_rank: float64 [variants], rank by the subset; equal means share their mean rank.
        searched: bool [variants].

    """

    metric: str
    variants: tuple[str, ...]
    full: NDArray[np.float64]
    best: NDArray[np.int64]
    worst: NDArray[np.int64]
    count: NDArray[np.int64]
    subset_rank: NDArray[np.float64]
    searched: NDArray[np.bool_]

    @property
    def pairs(self) -> int:
        """Pairs of variants."""
        return len(self.full) * (len(self.full) - 1) // 2

    @property
    def tied_pairs(self) -> int:
        """Pairs that even all prompts do not tell apart."""
        return int(self.count.sum()) // 2

    @property
    def within(self) -> NDArray[np.bool_]:
        """Whether the subset's rank lies among those of the variants tied with each.

        Example:
            >>> best, worst, count = np.array([1, 1, 3]), np.array([2, 2, 3]), np.array([1, 1, 0])
            >>> full, ranks = np.array([0.3, 0.3, 0.1]), np.array([2.0, 3.0, 3.0])
            >>> found = (("a", "b", "c"), full, best, worst, count, ranks, np.ones(3, bool))
            >>> ties = Ties("clip", *found)
            >>> ties.within  # the subset puts b third, below its tie with a
            array([ True, False,  True])

        """
        inside: NDArray[np.bool_] = (self.best <= self.subset_rank) & (
            self.subset_rank <= self.worst
        )
        return inside


def ties_of(ranks: Ranks, values: NDArray[np.float32]) -> Ties:
    """Find the near ties of a metric.

    Args:
        ranks: Its variants by full and by subset mean.
        values: float32 [variants, prompts], their scores.

    Example:
        >>> values = np.array([[0, 1, 0, 1], [5, 6, 5, 7], [0, 1, 1, 0]], dtype=np.float32)
        >>> full = values.mean(axis=1, dtype=np.float64)
        >>> ranks = Ranks("clip", True, ("a", "b", "c"), full, full, np.ones(3, bool))
        >>> ties = ties_of(ranks, values)
        >>> ties.variants, ties.best.tolist(), ties.worst.tolist(), ties.tied_pairs
        (('b', 'a', 'c'), [1, 2, 2], [1, 3, 3], 1)

    """
    from scipy.stats import rankdata

    sign = sign_of(ranks.higher_is_better)
    order = np.argsort(-sign * ranks.full, kind="stable")
    tied = ~significant_pairs(values)[np.ix_(order, order)]
    np.fill_diagonal(tied, True)
    n = len(order)
    return Ties(
        ranks.metric,
        tuple(ranks.variants[row] for row in order),
        ranks.full[order],
        1 + np.argmax(tied, axis=1),
        n - np.argmax(tied[:, ::-1], axis=1),
        tied.sum(axis=1) - 1,
        np.asarray(rankdata(-sign * ranks.subset)[order], dtype=np.float64),
        ranks.searched[order],
    )
