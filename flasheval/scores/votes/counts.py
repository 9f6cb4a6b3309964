"""How often each variant beat, tied with and lost to each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.votes.arrays import VoteArrays

__all__ = ["PairCounts", "pair_counts"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counts of votes by pair.

    Attributes:
        wins: float64 [variants, variants], how often the row's variant beat the column's.
        ties: float64 [variants, variants], symmetric.

    """

    wins: Floats
    ties: Floats

    @cached_property
    def votes(self) -> Floats:
        """Votes of each pair, float64 [variants, variants], symmetric."""
        return self.wins + self.wins.T + self.ties

    @cached_property
    def shares(self) -> Floats:
        """Share of its votes with the column that the row's variant won, a tie counting half.

        float64 [variants, variants], NaN for pairs that never met.
        """
        nothing = np.full_like(self.votes, np.nan)
        found: Floats = np.divide(
            self.wins + self.ties / 2, self.votes, out=nothing, where=self.votes > 0
        )
        return found


def pair_counts(votes: VoteArrays) -> PairCounts:
    """Count the votes of every pair.

    >>> from flasheval.prompts import PromptSet
    >>> pets = PromptSet("pets", ("1", "2"))
    >>> met = ([0, 1, 0], [1, 0, 1])
    >>> found = pair_counts(VoteArrays(("a", "b"), pets, *met, [0, 0, 1], [1, 1, 0]))
    >>> found.wins.tolist(), found.ties.tolist()
    ([[0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]])
    >>> found.shares.tolist()
    [[nan, 0.5], [0.5, nan]]
    """
    m = len(votes.variants)
    first, second = votes.first.astype(np.int64), votes.second.astype(np.int64)
    won = votes.outcome == 1
    winner, loser = np.where(won, first, second), np.where(won, second, first)
    decided = votes.outcome != 0

    def table(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
        counted = np.bincount(rows * m + columns, minlength=m * m).reshape(m, m)
        return counted.astype(np.float64)

    ties = table(first[~decided], second[~decided])
    return PairCounts(table(winner[decided], loser[decided]), ties + ties.T)
