"""Which variants are told apart when all pairs are tested at once, and what ranks that leaves.

The greatest |t| over all pairs is drawn as a multiplier bootstrap over prompts draws it: prompts
weighted by independent normal numbers. Given the scores, the weighted means are normal with the
covariance of `moments.paired_moments`, so they are drawn from it, at a cost that does not grow with
the prompts. A pair's error is estimated too: the quantile is carried over to Student's t with one
degree of freedom less than there are prompts (or clusters), at the same error of a single pair.
Few prompts show too little of how pairs err apart; then each pair has its share of the error.

Rank intervals are those of Mogstad, Romano, Shaikh and Wilhelm, "Inference for ranks with
applications to mobility across neighbourhoods and academic achievement across countries", Review of
Economic Studies, 2024: a variant's best rank is one more than the variants that are surely better.
"""

import math

import numpy as np
import numpy.typing as npt

from flasheval.base.checks import check_draws
from flasheval.base.errors import SettingError
from flasheval.base.threads import in_blocks
from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.moments import Moments

__all__ = [
    "FEW",
    "check_level",
    "mean_intervals",
    "normal_draws",
    "rank_intervals",
    "separated_pairs",
    "separation",
    "shared_ranks",
    "tie_groups",
]

Floats = npt.NDArray[np.float64]
FEW = 30  # prompts or clusters
_BLOCK = 256  # draws that a thread takes at a time


def check_level(level: float) -> None:
    """Raise SettingError for a level that is no share.

    >>> check_level(95)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: level=95: expected a number between 0 and 1, as 0.95
    """
    if not 0 < level < 1:
        raise SettingError(f"level={level:g}: expected a number between 0 and 1, as 0.95")


def mean_intervals(moments: Moments, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the ends of each mean's interval, float64 [n_variants]; NaN with fewer than two units.

    Each interval stands alone: it holds its mean with this probability, and two that overlap do
    not say that two variants are tied.

    >>> from flasheval.scores.ranking.moments import paired_moments
    >>> low, high = mean_intervals(paired_moments([[1.0, 2.0, 3.0]]))
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([-0.48], [4.48])
    """
    from scipy.special import stdtrit

    check_level(level)
    if moments.units < 2:
        nothing = np.full(len(moments.means), np.nan)
        return nothing, nothing
    room = float(stdtrit(moments.units - 1, (1 + level) / 2)) * moments.errors
    return moments.means - room, moments.means + room


def separation(
    moments: Moments, level: float = 0.95, *, draws: int = 10_000, rng: np.random.Generator
) -> float:
    """Paired standard errors that a difference must exceed, where all pairs are tested at once.

    With this probability no pair that is truly equal, and none in its wrong order, exceeds it.
    With fewer than `FEW` units it is Bonferroni's bound by Student's t, else the quantile of draws.
    NaN where no pair's difference varies; infinite with fewer than two units.

    >>> from flasheval.scores.ranking.moments import paired_moments
    >>> values = np.random.default_rng(0).normal(size=(2, 5000))
    >>> round(separation(paired_moments(values), rng=np.random.default_rng(0)), 1)  # one pair
    2.0
    """
    from scipy.special import ndtr, stdtrit

    check_level(level)
    check_draws(draws)
    if moments.units < 2:
        return math.inf if len(moments.means) > 1 else math.nan
    errors = moments.pair_errors
    if not errors.any():
        return math.nan
    if moments.units < FEW:
        pairs = np.count_nonzero(np.triu(errors, 1))
        return -float(stdtrit(moments.units - 1, (1 - level) / 2 / pairs))
    inverse = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0)
    noise = normal_draws(moments.covariance, draws, rng)
    largest = np.zeros(draws)

    def look(first: int, last: int) -> None:
        _largest(np.ascontiguousarray(noise[:, first:last]), inverse, largest[first:last])

    in_blocks(draws, _BLOCK, look)
    quantile = float(np.quantile(largest, level, method="higher"))
    return -float(stdtrit(moments.units - 1, ndtr(-quantile)))


def separated_pairs(moments: Moments, critical: float) -> npt.NDArray[np.bool_]:
    """Pairs whose difference exceeds so many paired standard errors; symmetric, bool [n, n].

    A pair that differs by a constant is separated, an equal one is not.

    >>> from flasheval.scores.ranking.moments import paired_moments
    >>> found = paired_moments([[0.0, 1.0, 0.0, 1.0], [5.0, 6.0, 5.0, 7.0], [0.0, 1.0, 1.0, 0.0]])
    >>> separated_pairs(found, 4.0)[1].tolist()
    [True, False, True]
    """
    gaps = np.abs(moments.means[:, None] - moments.means)
    errors = moments.pair_errors
    limit = np.multiply(errors, critical, out=np.zeros_like(errors), where=errors > 0)
    found: npt.NDArray[np.bool_] = gaps > limit
    return found


def rank_intervals(
    means: npt.ArrayLike, separated: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Best and worst rank of each variant, from 1, int64 [n_variants] each.

    means: float [n_variants], more is better. separated: bool [n, n], the pairs told apart.

    >>> apart = np.array([[0, 0, 1], [0, 0, 1], [1, 1, 0]], dtype=bool)
    >>> best, worst = rank_intervals([0.5, 0.4, 0.1], apart)
    >>> best.tolist(), worst.tolist()
    ([1, 1, 3], [2, 2, 3])
    """
    values = np.asarray(means, dtype=np.float64)
    better = separated & (values[None] > values[:, None])
    worse = separated & (values[None] < values[:, None])
    return 1 + better.sum(axis=1), len(values) - worse.sum(axis=1)


def shared_ranks(values: Floats) -> npt.NDArray[np.int64]:
    """Return ranks from 1, int64 [n], of values in order, the best first; equal ones share one.

    >>> shared_ranks(np.array([0.9, 0.8, 0.8, 0.5])).tolist()
    [1, 2, 2, 4]
    """
    starts = np.append(True, values[1:] != values[:-1])
    return np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0)) + 1


def tie_groups(separated: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the groups that cannot be told apart: first and last place, from 0, the best first.

    separated: bool [n, n], variants in the order of their means. A group is a longest run of
    neighbours of which no two are separated; a variant may be in several, each is in one.

    >>> apart = np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], dtype=bool)
    >>> tie_groups(apart)  # the first and the last are told apart, neither from the second
    [(0, 1), (1, 2)]
    """
    groups: list[tuple[int, int]] = []
    start = 0
    for place in range(len(separated)):
        apart = np.flatnonzero(separated[place, start:place])
        if apart.size:
            groups.append((start, place - 1))
            start += int(apart[-1]) + 1
    return [*groups, (start, len(separated) - 1)] if len(separated) else []


def normal_draws(covariance: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Draw normal numbers of a covariance [n, n], float64 [n, draws].

    >>> found = normal_draws(np.array([[4.0, 2.0], [2.0, 1.0]]), 3, np.random.default_rng(0))
    >>> np.allclose(found[0], 2 * found[1])
    True
    """
    scale = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    divisor = np.where(scale > 0, scale, 1.0)
    # Of correlations: variants whose scores vary much would drown the others' in rounding.
    roots, vectors = np.linalg.eigh(covariance / divisor[:, None] / divisor)
    factor = vectors * np.sqrt(np.maximum(roots, 0.0)) * scale[:, None]
    found: Floats = factor @ rng.standard_normal((draws, len(scale))).T
    return found


@compiled
def _largest(noise: Floats, inverse: Floats, largest: Floats) -> None:
    """Greatest |noise_i - noise_j| inverse_ij over all pairs, of each draw; noise: [n, draws]."""
    n, draws = noise.shape
    for i in range(n):
        for j in range(i + 1, n):
            weight = inverse[i, j]
            for draw in range(draws):
                size = abs(noise[i, draw] - noise[j, draw]) * weight
                largest[draw] = size if size > largest[draw] else largest[draw]
