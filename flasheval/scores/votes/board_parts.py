"""What a board of votes holds, without how it is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.base.drawing.brief import Brief
from flasheval.scores.leaderboard.standings import Standings
from flasheval.scores.votes.checks import Circles, RaterAgreement
from flasheval.scores.votes.rates import Rates
from flasheval.scores.votes.strengths import Strengths

__all__ = ["BoardParts", "Expected"]


@dataclass(frozen=True, eq=False, repr=False)
class Expected(Brief):
    """Shares of wins that the strengths expect against all others, each counting alike.

    Attributes:
        shares: float64 [variants], a tie counting half, in the order of the votes' variants.
        low: float64 [variants], lower ends of their intervals, each alone.
        high: float64 [variants], their upper ends.

    """

    shares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BoardParts:
    """What a board of votes holds.

    Attributes:
        prompt_set: Name of the prompt set.
        votes: How many there are.
        prompts: How many prompts were voted on.
        raters: How many raters are known.
        level: Probability that an interval holds what it is of.
        clusters: What errs together: votes on one "prompt", votes of one "rater", or both.
        units: How many prompts or raters there are, of which there are the fewer.
        variants: Names, the strongest first; by their plain share of wins without strengths.
        labels: The same names in the votes' order, in which the rates, `fit` and `expected` stand.
        rates: Of each variant over all votes it was in.
        pairs: int64 [k, 2], the pairs that met, by places in `labels`.
        pair_rates: Of the first of each pair.
        ties: The model of ties.
        fit: The strengths; None where none are finite.
        standings: Their order, intervals and ties, as `flasheval.rank` has them.
        expected: What they expect against all others.
        agreement: How the raters agree.
        circles: How many majorities run in circles.
        left: How often the one shown left won: votes, share, and the ends of its interval; None
            where the sides are not known.
        seconds: Median of the seconds a vote took; NaN where they are not known.
        notes: What a reader must know, one line each.

    """

    prompt_set: str
    votes: int
    prompts: int
    raters: int
    level: float
    clusters: tuple[str, ...]
    units: int
    variants: tuple[str, ...]
    labels: tuple[str, ...]
    rates: Rates
    pairs: NDArray[np.int64]
    pair_rates: Rates
    ties: str
    fit: Strengths | None
    standings: Standings | None
    expected: Expected | None
    agreement: RaterAgreement
    circles: Circles
    left: tuple[int, float, float, float] | None
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def order(self) -> list[int]:
        """Place in `labels` of each variant, the strongest first."""
        place = {name: number for number, name in enumerate(self.labels)}
        return [place[name] for name in self.variants]
