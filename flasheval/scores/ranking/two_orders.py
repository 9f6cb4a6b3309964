"""Two rankings of the same variants by the same prompts: tau between them, and the pairs that flip.

Measured means spread more than true ones, and prompts drawn again from those at hand would add that
error a second time: a percentile interval of tau lies too low and misses. So true means are drawn
given the measured ones, as normal numbers: the variants' spread, less what the draw of the prompts
puts into it, says how far each measured mean is to be trusted (empirical Bayes, as Efron and
Morris, "Stein's estimation rule and its competitors", JASA 1973). The errors of both rankings are
drawn together, for they rest on the same prompts.
"""

import numpy as np
import numpy.typing as npt

from flasheval.base.checks import check_draws
from flasheval.base.errors import DataError
from flasheval.base.threads import in_blocks
from flasheval.scores.ranking.blocks import tau_from_counts
from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.kendall import kendall_tau_b
from flasheval.scores.ranking.moments import Moments
from flasheval.scores.ranking.simultaneous import check_level, normal_draws

__all__ = ["flipped_pairs", "tau_interval"]

Floats = npt.NDArray[np.float64]
_BLOCK = 256  # draws that a thread takes at a time
_LEAST_SPREAD = 1e-3  # of true means, beside that of measured ones
_RIDGE = 1e-9


def tau_interval(
    first: Moments,
    second: Moments,
    crossed: Floats,
    *,
    level: float = 0.95,
    draws: int = 2000,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Kendall's tau-b between two rankings of the same variants, and its interval over prompts.

    first, second: moments of the same variants, more being better in both or in neither.
    crossed: float64 [n, n], covariance of the first's means (rows) and the second's.
    Returns tau and the interval's ends: NaN where a side is constant and for one variant; the ends
    alone with fewer than two units. Raises DataError for shapes that do not fit.

    >>> from flasheval.scores.ranking.moments import paired_moments
    >>> found = paired_moments(np.random.default_rng(0).normal(size=(4, 50)))
    >>> tau, low, high = tau_interval(
    ...     found, found, found.covariance, rng=np.random.default_rng(0)
    ... )
    >>> round(tau, 6), round(low, 6), round(high, 6)  # of a ranking with itself
    (1.0, 1.0, 1.0)
    """
    check_level(level)
    check_draws(draws)
    n = len(first.means)
    if len(second.means) != n or crossed.shape != (n, n):
        raise DataError(
            f"the rankings are of {n} and {len(second.means)} variants, their covariance of "
            f"{crossed.shape}; expected the same variants in both"
        )
    tau = kendall_tau_b(first.means, second.means)
    if np.isnan(tau) or min(first.units, second.units) < 2:
        return tau, float("nan"), float("nan")
    joint = np.block([[first.covariance, crossed], [crossed.T, second.covariance]])
    means, noise = _true_means(np.stack([first.means, second.means]), joint, draws, rng)
    fixed = [_fixed(one) for one in (first, second)]
    drawn = np.empty(draws)

    def count(begin: int, end: int) -> None:
        _taus(
            np.ascontiguousarray(means[0, :, None] + noise[:n, begin:end]),
            np.ascontiguousarray(means[1, :, None] + noise[n:, begin:end]),
            fixed[0],
            fixed[1],
            drawn[begin:end],
        )

    in_blocks(draws, _BLOCK, count)
    drawn = drawn[~np.isnan(drawn)]
    if not drawn.size:
        return tau, float("nan"), float("nan")
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return tau, min(float(low), tau), max(float(high), tau)


def flipped_pairs(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    separated: npt.NDArray[np.bool_],
    others: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int64]:
    """Pairs that both rankings tell apart, in opposite orders: int64 [k, 2].

    The first's better one comes first.

    first, second: float [n], means, more is better. separated, others: bool [n, n], the pairs that
    the first and the second tell apart.

    >>> every = ~np.eye(3, dtype=bool)
    >>> flipped_pairs([3, 2, 1], [2, 3, 1], every, every).tolist()
    [[0, 1]]
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    both = separated & others
    flipped = both & (one[:, None] > one) & (other[:, None] < other)
    return np.argwhere(flipped)


def _fixed(moments: Moments) -> npt.NDArray[np.int8]:
    """Signs of the pairs whose difference does not vary; 2 for the others."""
    signs = np.sign(moments.means[:, None] - moments.means)
    return np.where(moments.pair_errors > 0, 2, signs).astype(np.int8)


def _true_means(
    means: Floats, covariance: Floats, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return expected true means [2, n] given measured ones, and draws [2 n, draws] around them."""
    n = means.shape[1]
    scale = means.std(axis=1, ddof=1)
    means = means / scale[:, None]
    error = covariance / np.repeat(scale, n)[:, None] / np.repeat(scale, n)
    blocks = error.reshape(2, n, 2, n)
    own = np.einsum("ajbj->ab", blocks) / n
    # What all variants' errors have in common moves no ranking.
    spread = np.cov(means) - own + (blocks.sum(axis=(1, 3)) - n * own) / (n * (n - 1))
    roots, vectors = np.linalg.eigh((spread + spread.T) / 2)
    prior = np.kron(vectors * np.maximum(roots, _LEAST_SPREAD) @ vectors.T, np.eye(n))
    centre = np.repeat(means.mean(axis=1), n)
    trust = np.linalg.solve(prior + error + _RIDGE * np.eye(2 * n), prior).T
    expected = centre + trust @ (means.ravel() - centre)
    left = prior - trust @ prior
    return expected.reshape(2, n), normal_draws((left + left.T) / 2, draws, rng)


@compiled
def _taus(
    first: Floats,
    second: Floats,
    fixed: npt.NDArray[np.int8],
    others: npt.NDArray[np.int8],
    taus: Floats,
) -> None:
    """Tau-b of each draw; first, second: [n, draws]."""
    n, draws = first.shape
    agreed = np.zeros(draws, np.int64)
    tied = np.zeros((2, draws), np.int64)
    for i in range(n):
        for j in range(i + 1, n):
            for draw in range(draws):
                one, other = int(fixed[i, j]), int(others[i, j])
                if one == 2:
                    gap = first[i, draw] - first[j, draw]
                    one = int(gap > 0) - int(gap < 0)
                if other == 2:
                    gap = second[i, draw] - second[j, draw]
                    other = int(gap > 0) - int(gap < 0)
                agreed[draw] += one * other
                tied[0, draw] += int(one == 0)
                tied[1, draw] += int(other == 0)
    pairs = n * (n - 1) // 2
    for draw in range(draws):
        taus[draw] = tau_from_counts(agreed[draw], tied[0, draw], pairs, tied[1, draw])
