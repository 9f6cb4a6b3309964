"""Strengths of variants from votes between pairs: Bradley and Terry's model, with ties.

With d the difference of two variants' strengths, in log-odds:

- `davidson` (R. R. Davidson, "On extending the Bradley-Terry model to accommodate ties in paired
  comparison experiments", Journal of the American Statistical Association 65 (1970) 317): the
  first wins, loses and ties with probabilities in proportion to exp(d/2), exp(-d/2) and nu.
- `rao_kupper` (P. V. Rao and L. L. Kupper, "Ties in paired-comparison experiments", ibid. 62 (1967)
  194): it wins with probability 1 / (1 + kappa exp(-d)), loses with 1 / (1 + kappa exp(d)), and
  ties otherwise, kappa being 1 or more.

Without a tie among the votes both are Bradley and Terry's model. The most likely strengths are
found by scipy from the analytic gradient and Hessian of the counts of pairs; they sum to 0. Their
covariance is that of the sandwich, H^-1 M H^-1: H the Hessian, M the two-way cluster-robust
covariance of the votes' gradients (`flasheval.scores.votes.clusters`), so it holds where the model
does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

from flasheval.base.checks import checked_word
from flasheval.base.drawing.brief import Brief
from flasheval.base.errors import DataError, SettingError
from flasheval.base.text import first_few
from flasheval.scores.votes.arrays import VoteArrays
from flasheval.scores.votes.clusters import VoteClusters
from flasheval.scores.votes.counts import PairCounts

__all__ = ["Strengths", "Ties", "fit_strengths", "strength_covariance"]

Ties = Literal["davidson", "rao_kupper"]
"""The models of ties."""

Floats = NDArray[np.float64]

_FLAT = 1e-7  # of the Hessian's least root, by vote: a strength that no vote holds


@dataclass(frozen=True, eq=False, repr=False)
class Strengths(Brief):
    """Fitted strengths.

    Attributes:
        values: float64 [variants], in log-odds, their sum 0.
        ties: The model of ties.
        tie: log(nu) of `davidson`, log(kappa) of `rao_kupper`; None where no vote is a tie.
        log_likelihood: Of the counts, without the prior.
        hessian: float64 [p, p], of minus the log likelihood with the prior, by the strengths and
            then `tie`, p one more than the variants where there is one.

    Example:
        >>> found = fit_strengths(PairCounts(np.array([[0, 3], [1, 0]]), np.zeros((2, 2))))
        >>> found.values.round(4).tolist()  # half of log 3, and minus that
        [0.5493, -0.5493]
        >>> found.expected[0].round(2).tolist()
        [nan, 0.75]

    """

    values: Floats
    ties: Ties
    tie: float | None
    log_likelihood: float
    hessian: Floats

    @property
    def tie_parameter(self) -> float | None:
        """Davidson's nu or Rao and Kupper's kappa; None where no vote is a tie."""
        return None if self.tie is None else float(np.exp(self.tie))

    @property
    def expected(self) -> Floats:
        """Share of its votes with the column that the row's variant is expected to win.

        A tie counts half: float64 [variants, variants], NaN on the diagonal.
        """
        gaps = self.values[:, None] - self.values
        shares: Floats = _model(self.ties)(gaps, self.tie).share
        np.fill_diagonal(shares, np.nan)
        return shares

    @property
    def against_others(self) -> Floats:
        """Share expected over all others, each counting alike, float64 [variants]."""
        found: Floats = np.nanmean(self.expected, axis=1)
        return found


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Probabilities of pairs and the derivatives of their logarithms, arrays of one shape.

    `slope` of an outcome is the derivative of its log probability by d, `slope_tie` by the tie's
    parameter; `curve...` are what follows for counts, see `_derivatives`.
    """

    logs: tuple[Floats, Floats, Floats]  # won, lost, tied
    slopes: tuple[Floats, Floats, Floats]
    tie_slopes: tuple[Floats, Floats, Floats]
    second: tuple[tuple[Floats, Floats, Floats], ...]  # d d, d tie, tie tie; by outcome
    share: Floats
    share_slope: Floats
    share_tie_slope: Floats


def _davidson(gaps: Floats, tie: float | None) -> _Pairs:
    """Return the pairs of Davidson's model; without a tie's parameter Bradley and Terry's."""
    half = np.asarray(gaps, dtype=np.float64) / 2
    log_tie = np.full_like(half, -np.inf if tie is None else tie)
    total = np.logaddexp(np.logaddexp(half, -half), log_tie)
    won, lost, tied = np.exp(half - total), np.exp(-half - total), np.exp(log_tie - total)
    lean = (won - lost) / 2
    spread = (won + lost) / 4 - lean**2
    mixed = -lean * tied  # covariance of the slope by d and that by the tie
    zero = np.zeros_like(half)
    return _Pairs(
        (half - total, -half - total, log_tie - total),
        (0.5 - lean, -0.5 - lean, -lean),
        (-tied, -tied, 1 - tied),
        ((-spread,) * 3, (-mixed,) * 3, (-tied * (1 - tied),) * 3),
        0.5 + lean,
        spread,
        mixed if tie is not None else zero,
    )


def _rao_kupper(gaps: Floats, tie: float | None) -> _Pairs:
    """Return the pairs of Rao and Kupper's model; without a tie's parameter Bradley and Terry's."""
    d = np.asarray(gaps, dtype=np.float64)
    room = 0.0 if tie is None else tie
    won, lost = expit(d - room), expit(-d - room)
    log_won, log_lost = -np.logaddexp(0, room - d), -np.logaddexp(0, room + d)
    not_won, not_lost = 1 - won, 1 - lost
    zero = np.zeros_like(d)
    if tie is None:
        log_gap, gap_slope, gap_curve = np.full_like(d, -np.inf), zero, zero
    else:
        log_gap = np.full_like(d, np.log(np.expm1(2 * room)))
        gap_slope = np.full_like(d, 2 / -np.expm1(-2 * room))
        gap_curve = np.full_like(d, -1 / np.sinh(room) ** 2)
    a, b = won * not_won, lost * not_lost
    return _Pairs(
        (log_won, log_lost, log_won + log_lost + log_gap),
        (not_won, -not_lost, not_won - not_lost),
        (-not_won, -not_lost, -not_won - not_lost + gap_slope),
        ((-a, -b, -a - b), (a, -b, a - b), (-a, -b, -a - b + gap_curve)),
        0.5 + (won - lost) / 2,
        (a + b) / 2,
        (b - a) / 2,
    )


_MODELS = {"davidson": _davidson, "rao_kupper": _rao_kupper}


def _model(ties: Ties) -> Any:
    return _MODELS[checked_word("ties", ties, get_args(Ties))]


def fit_strengths(
    counts: PairCounts,
    *,
    ties: Ties = "davidson",
    prior: float = 0.0,
    names: tuple[str, ...] | None = None,
) -> Strengths:
    """Return the most likely strengths.

    Args:
        counts: Votes of each pair; they need not be whole numbers.
        ties: The model of ties.
        prior: Made-up votes of each variant against an imaginary one of strength 0, half of them
            won. Above 0 the strengths are finite whatever the votes, drawn towards each other.
        names: The variants' names, for messages.

    Raises:
        SettingError: An unknown model, or a prior that is no number from 0 on.
        DataError: No strengths are the most likely: parts of the variants never met, some never
            lost to the others, or all votes are ties. The line says which, and the way out.

    >>> wins, ties = np.array([[0, 2], [1, 0]]), np.array([[0, 1], [1, 0]])
    >>> found = fit_strengths(PairCounts(wins, ties))
    >>> found.values.round(4).tolist(), round(found.tie_parameter, 4)  # nu = 1 / sqrt(2 * 1)
    ([0.3466, -0.3466], 0.7071)

    """
    model = _model(ties)
    if isinstance(prior, bool) or not 0 <= prior < np.inf:
        raise SettingError(f"prior={prior}: expected a number of votes from 0 on, such as 1")
    named = names or tuple(map(str, range(len(counts.wins))))
    if not counts.wins.any():
        raise DataError("every vote is a tie, so no variant is stronger than another")
    if prior == 0:
        _refuse_infinite(counts, named)
    problem = _Problem(counts, model, prior)
    found = problem.solve()
    theta, tie = found[: problem.m], problem.tie_of(found)
    hessian = problem.derivatives(theta, tie)[2]
    if prior == 0 and np.linalg.eigvalsh(problem.held(hessian))[0] < _FLAT * problem.total:
        raise DataError(
            "the votes are too few or too one-sided for finite strengths; add votes, or prior=1, "
            "which makes them finite"
        )
    value = problem.derivatives(theta, tie)[0] - problem.prior_value(theta)
    return Strengths(theta - theta.mean(), ties, tie, value, hessian)


class _Problem:
    """The likelihood of pair counts, by strengths and the tie's parameter."""

    def __init__(self, counts: PairCounts, model: Any, prior: float) -> None:
        self.m, self.model, self.prior = len(counts.wins), model, float(prior)
        met = np.triu(counts.votes > 0, 1)
        self.first, self.second = np.nonzero(met)
        pairs = (self.first, self.second)
        self.counts = (counts.wins[pairs], counts.wins.T[pairs], counts.ties[pairs])
        self.total = float(sum(one.sum() for one in self.counts))
        self.has_ties = bool(self.counts[2].any())

    def tie_of(self, x: Floats) -> float | None:
        """Return the tie's parameter; Rao and Kupper's is held above 0 by being an exponential."""
        if not self.has_ties:
            return None
        return float(x[self.m]) if self.model is _davidson else float(np.exp(x[self.m]))

    def prior_value(self, theta: Floats) -> float:
        """Return the log likelihood of the made-up votes."""
        return -self.prior / 2 * float((np.logaddexp(0, theta) + np.logaddexp(0, -theta)).sum())

    def derivatives(self, theta: Floats, tie: float | None) -> tuple[float, Floats, Floats]:
        """Return the log likelihood with its prior, its gradient, and minus its Hessian."""
        m, width = self.m, self.m + self.has_ties
        pairs = self.model(theta[self.first] - theta[self.second], tie)
        used = self.counts if self.has_ties else self.counts[:2]
        value = self.prior_value(theta) + sum(
            float(n @ log) for n, log in zip(used, pairs.logs, strict=False)
        )
        slope = sum(n * one for n, one in zip(used, pairs.slopes, strict=False))
        gradient, hessian = np.zeros(width), np.zeros((width, width))
        gradient[:m] = np.bincount(self.first, slope, m) - np.bincount(self.second, slope, m)
        bend = -sum(n * one for n, one in zip(used, pairs.second[0], strict=False))
        hessian[self.first, self.second] = -bend
        hessian[self.second, self.first] = -bend
        places = np.arange(m)
        hessian[places, places] = np.bincount(self.first, bend, m) + np.bincount(
            self.second, bend, m
        )
        if self.prior:
            p = expit(theta)
            gradient[:m] += self.prior * (0.5 - p)
            hessian[places, places] += self.prior * p * (1 - p)
        if self.has_ties:
            gradient[m] = sum(float(n @ one) for n, one in zip(used, pairs.tie_slopes, strict=True))
            mixed = -sum(n * one for n, one in zip(used, pairs.second[1], strict=True))
            column = np.bincount(self.first, mixed, m) - np.bincount(self.second, mixed, m)
            hessian[:m, m] = hessian[m, :m] = column
            hessian[m, m] = -sum(
                float(n @ one) for n, one in zip(used, pairs.second[2], strict=True)
            )
        return value, gradient, hessian

    def held(self, hessian: Floats) -> Floats:
        """Return a Hessian with the sum of the strengths held at 0, which no vote does."""
        held = hessian.copy()
        if not self.prior:
            held[: self.m, : self.m] += self.total / self.m**2
        return held

    def solve(self) -> Floats:
        """Return the parameters of the greatest likelihood, float64 [variants, or one more]."""

        def parts(x: Floats) -> tuple[float, Floats, Floats]:
            theta, tie = x[: self.m], self.tie_of(x)
            value, gradient, hessian = self.derivatives(theta, tie)
            if tie is not None and self.model is _rao_kupper:  # by its logarithm
                hessian[:, self.m] *= tie
                hessian[self.m] *= tie
                hessian[self.m, self.m] -= gradient[self.m] * tie
                gradient[self.m] *= tie
            down, hessian = -gradient, self.held(hessian)
            if not self.prior:
                centre = self.total / self.m**2 * theta.sum()
                value -= centre * theta.sum() / 2
                down[: self.m] += centre
            return -value / self.total, down / self.total, hessian / self.total

        x = np.zeros(self.m + self.has_ties)
        with np.errstate(over="ignore", under="ignore"):
            settings: dict[str, Any] = {
                "method": "trust-exact",
                "jac": lambda x: parts(x)[1],
                "hess": lambda x: parts(x)[2],
                "options": {"gtol": 1e-7, "maxiter": 300},
            }
            find: Any = minimize  # its types have no Hessian as a function
            x = find(lambda x: parts(x)[0], x, **settings).x
            for _ in range(3):  # Newton's last steps, which double the digits each
                _, gradient, hessian = parts(x)
                x = x - np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        found: Floats = x
        return found


def _refuse_infinite(counts: PairCounts, names: tuple[str, ...]) -> None:
    """Raise DataError where strengths run to infinity, because of who never met or never lost."""
    way = "; prior=1 keeps them finite, drop=[...] leaves variants out"
    parts, part = connected_components(_graph(counts.votes), directed=False)
    if parts > 1:
        shown = " and ".join(
            first_few([name for name, of in zip(names, part, strict=True) if of == one])
            for one in range(min(parts, 2))
        )
        raise DataError(f"the votes fall into {parts} parts that never met, such as {shown}{way}")
    beat = (counts.wins + counts.ties) > 0  # a tie is as good as a win of each
    parts, part = connected_components(_graph(beat), directed=True, connection="strong")
    if parts == 1:
        return
    ends = []
    for one in range(parts):
        inside = part == one
        never = [
            word
            for word, met in (
                ("lost", beat[~inside][:, inside]),
                ("won", beat[inside][:, ~inside]),
            )
            if not met.any()
        ]
        ends += [(int(inside.sum()), word, one) for word in never]
    _, word, one = min(ends)  # the fewest: who stands out
    group = [name for name, of in zip(names, part, strict=True) if of == one]
    raise DataError(
        f"{first_few(group)} never {word} against the others nor tied with them, so no "
        f"strength is {'high' if word == 'lost' else 'low'} enough{way}"
    )


def _graph(met: NDArray[Any]) -> Any:
    return sparse.csr_matrix((met > 0).astype(np.float64))


def strength_covariance(
    fit: Strengths, votes: VoteArrays, clusters: VoteClusters
) -> tuple[Floats, Floats]:
    """Return the covariances of strengths, and of the shares expected against all others.

    Both float64 [variants, variants]; see the module for how.
    """
    m, width = len(fit.values), len(fit.hessian)
    gaps = (fit.values[votes.first] - fit.values[votes.second]).astype(np.float64)
    pairs = _model(fit.ties)(gaps, fit.tie)
    place = np.array([2, 0, 1])[votes.outcome.astype(np.int64)]  # tied, won, and -1 is lost
    rows = np.arange(len(votes))
    slopes = np.choose(place, pairs.slopes)
    votes_of, columns = [rows, rows], [votes.first, votes.second]
    influences = [slopes, -slopes]
    if width > m:
        votes_of.append(rows)
        columns.append(np.full(len(votes), m, dtype=np.int32))
        influences.append(np.choose(place, pairs.tie_slopes))
    meat = clusters.covariance(
        np.concatenate(votes_of),
        np.concatenate(columns).astype(np.int64),
        np.concatenate(influences),
        width,
    )
    # Without a prior nothing holds the strengths' sum, and no vote moves it.
    bread = np.linalg.pinv(fit.hessian, rcond=1e-12, hermitian=True)
    whole = bread @ meat @ bread
    centre = np.eye(width)
    centre[:m, :m] -= 1 / m
    whole = centre @ whole @ centre.T
    every = _model(fit.ties)(fit.values[:, None] - fit.values, fit.tie)
    off = ~np.eye(m, dtype=bool)
    slope = np.where(off, every.share_slope, 0.0) / max(m - 1, 1)
    jacobian = np.zeros((m, width))
    jacobian[:, :m] = np.diag(slope.sum(axis=1)) - slope
    if width > m:
        jacobian[:, m] = np.where(off, every.share_tie_slope, 0.0).sum(axis=1) / max(m - 1, 1)
    return whole[:m, :m], jacobian @ whole @ jacobian.T
