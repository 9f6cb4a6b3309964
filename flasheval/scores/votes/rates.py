"""How often variants and pairs won, tied and lost, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from flasheval.base.drawing.brief import Brief
from flasheval.scores.ranking.simultaneous import check_level
from flasheval.scores.votes.arrays import VoteArrays
from flasheval.scores.votes.clusters import VoteClusters

__all__ = ["KINDS", "Rates", "bounded_interval", "left_rate", "pair_rates", "variant_rates"]

Floats = NDArray[np.float64]

KINDS = ("won", "tied", "lost", "share")
"""The rates there are; `share` is won and half of tied."""

_VALUES = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.5, 1.0]])
"""Each rate's value of a vote that was lost, tied, won."""


@dataclass(frozen=True, eq=False, repr=False)
class Rates(Brief):
    """Rates of variants or of pairs.

    Attributes:
        votes: int64 [k], on how many votes they rest.
        values: float64 [4, k], the rates in the order of `KINDS`; NaN where there is no vote.
        errors: float64 [4, k], their standard errors, see `flasheval.scores.votes.clusters`.
        low: float64 [4, k], lower ends of their intervals, each alone; NaN where they rest on one
            cluster.
        high: float64 [4, k], their upper ends.

    """

    votes: NDArray[np.int64]
    values: Floats
    errors: Floats
    low: Floats
    high: Floats

    def of(self, kind: str) -> tuple[Floats, Floats, Floats]:
        """Return one kind of rate with the ends of its intervals, float64 [k] each.

        >>> one = np.array([[0.6], [0.1], [0.3], [0.65]])
        >>> Rates(np.array([10]), one, one, one, one).of("share")[0].tolist()
        [0.65]
        """
        row = KINDS.index(kind)
        return self.values[row], self.low[row], self.high[row]


def variant_rates(votes: VoteArrays, clusters: VoteClusters, level: float = 0.95) -> Rates:
    """Return the rates of each variant over all votes it was in; k is the number of variants.

    A variant that met weaker ones wins more: strengths take that into account, rates do not.
    """
    rows = np.arange(len(votes))
    columns = np.concatenate([votes.first, votes.second]).astype(np.int64)
    outcomes = np.concatenate([votes.outcome, -votes.outcome])
    both = np.concatenate([rows, rows])
    return _rates(clusters, both, columns, outcomes, len(votes.variants), level)


def pair_rates(
    votes: VoteArrays, clusters: VoteClusters, level: float = 0.95
) -> tuple[NDArray[np.int64], Rates]:
    """Return the pairs that met, int64 [k, 2], and the rates of the first of each.

    Pairs stand in the order of the variants, the earlier first.
    """
    m = len(votes.variants)
    first, second = votes.first.astype(np.int64), votes.second.astype(np.int64)
    turned = first > second
    keys = np.where(turned, second * m + first, first * m + second)
    outcomes = np.where(turned, -votes.outcome, votes.outcome)
    met, columns = np.unique(keys, return_inverse=True)
    rates = _rates(clusters, np.arange(len(votes)), columns, outcomes, len(met), level)
    return np.stack(np.divmod(met, m), axis=1), rates


def left_rate(
    votes: VoteArrays, clusters: VoteClusters, level: float = 0.95
) -> tuple[int, float, float, float] | None:
    """Return how often the variant shown left won: votes, share of wins, and its interval.

    Ties say nothing of it and are left out. None where the sides are not known, or all are ties.
    """
    if votes.left is None:
        return None
    rows = np.flatnonzero((votes.left != 0) & (votes.outcome != 0))
    if not rows.size:
        return None
    outcomes = votes.left[rows] * votes.outcome[rows]
    found = _rates(clusters, rows, np.zeros(len(rows), dtype=np.int64), outcomes, 1, level)
    won, low, high = (float(one[0]) for one in found.of("won"))
    return len(rows), won, low, high


def bounded_interval(
    values: Floats, errors: Floats, units: NDArray[np.int64], level: float
) -> tuple[Floats, Floats]:
    """Return intervals of means of numbers between 0 and 1, which never leave 0 to 1.

    Wilson's interval ("Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927) 209) with the effective number of
    votes p (1 - p) / error^2 in place of their number, and the number of units where all agree;
    the quantile is Student's with one degree of freedom less than units. NaN with fewer than two.

    >>> low, high = bounded_interval(*np.array([[0.5, 1.0], [0.05, 0.0]]), np.array([99, 20]), 0.95)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.403, 0.82], [0.597, 1.0])
    """
    check_level(level)
    spread = values * (1 - values)
    effective = np.divide(
        spread, errors**2, out=units.astype(np.float64), where=(errors > 0) & (spread > 0)
    )
    enough = units > 1
    quantile = stdtrit(np.maximum(units - 1, 1).astype(np.float64), (1 + level) / 2)
    share = quantile**2 / np.maximum(effective, 1e-6)
    middle = (values + share / 2) / (1 + share)
    room = np.sqrt(share * spread + share**2 / 4) / (1 + share)
    low = np.where(enough, np.clip(middle - room, 0, 1), np.nan)
    high = np.where(enough, np.clip(middle + room, 0, 1), np.nan)
    return low, high


def _rates(
    clusters: VoteClusters,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    outcomes: NDArray[np.int8],
    width: int,
    level: float,
) -> Rates:
    says = outcomes.astype(np.int64) + 1
    values, errors, units = clusters.mean_errors(rows, columns, says, _VALUES, width)
    ends = [bounded_interval(*one, units, level) for one in zip(values, errors, strict=True)]
    low, high = np.stack(ends, axis=1)
    return Rates(np.bincount(columns, minlength=width), values, errors, low, high)
