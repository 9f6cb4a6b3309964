"""Pairs of variants that the full benchmark separates, and agreement on those pairs alone.

Many full rankings contain near ties that no small subset can resolve; tau over all pairs then
mostly measures luck.
"""

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.ranking.moments import BLOCK, centred_products, squares_of

__all__ = ["near_tie_share", "significant_pairs", "tau_on_pairs", "tau_on_pairs_many"]


def significant_pairs(values: npt.ArrayLike, *, z: float = 2.0) -> npt.NDArray[np.bool_]:
    """Pairs of variants whose mean difference exceeds z paired standard errors.

    values: float [n_variants, P], scores of the same P prompts. Returns a symmetric bool
    [n_variants, n_variants], False on the diagonal:

        |mean_p(x_ip - x_jp)| > z sd_p(x_ip - x_jp) / sqrt(P)      (sd with P - 1)

    A variant with a NaN is in no significant pair, nor is any where P < 2, nor are two equal
    variants (difference and error both 0). Computed in float64, a block of prompts at a time.

    >>> values = [[0.0, 1.0, 0.0, 1.0], [5.0, 6.0, 5.0, 7.0], [0.0, 1.0, 1.0, 0.0]]
    >>> significant_pairs(values)[0].tolist()
    [False, True, False]
    """
    scores = np.asarray(values)
    if scores.ndim != 2:
        raise DataError(f"values have shape {scores.shape}; expected [n_variants, n_prompts]")
    if not z >= 0:
        raise SettingError(f"z is {z}; expected a number of at least 0")
    n, n_prompts = scores.shape
    if n_prompts < 2:
        return np.zeros((n, n), dtype=np.bool_)
    means, products = centred_products(scores)
    error = np.sqrt(squares_of(products) / (n_prompts - 1) / n_prompts)
    significant: npt.NDArray[np.bool_] = np.abs(means[:, None] - means[None]) > z * error
    return significant


def near_tie_share(values: npt.ArrayLike) -> float:
    """Share of variant pairs that the full set itself cannot order; NaN for one variant.

    values: float [n_variants, P]. No subset can be asked to order those: see `significant_pairs`.

    >>> values = [[0.0, 1.0, 0.0, 1.0], [5.0, 6.0, 5.0, 7.0], [0.0, 1.0, 1.0, 0.0]]
    >>> round(near_tie_share(values), 3)
    0.333
    """
    separated = significant_pairs(values)
    pairs = separated[np.triu_indices(len(separated), 1)]
    return float(1.0 - pairs.mean()) if len(pairs) else float("nan")


def tau_on_pairs(
    scores: npt.ArrayLike, target: npt.ArrayLike, pairs: npt.NDArray[np.bool_]
) -> float:
    """(Concordant - discordant) / number of pairs, among the given pairs; in [-1, 1] or NaN.

    scores, target: [n]; pairs: bool [n, n], each pair marked at [i, j] or [j, i] or both, the
    diagonal ignored. A pair tied in scores or in target counts 0. NaN where no pair is marked, and
    where a marked variant's score or target is NaN. Raises DataError if the shapes differ.

    >>> pairs = np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]], dtype=bool)
    >>> tau_on_pairs([1, 2, 0], [1, 2, 3], pairs)  # (0, 1) agrees, (0, 2) does not, (1, 2) is out
    0.0
    """
    values = np.asarray(scores)
    if values.ndim != 1:
        raise DataError(f"scores have shape {values.shape}; expected one number a variant")
    return float(tau_on_pairs_many(values[None], target, pairs)[0])


def tau_on_pairs_many(
    scores: npt.ArrayLike, target: npt.ArrayLike, pairs: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """`tau_on_pairs` of each row of scores [n_sets, n_variants]; float64 [n_sets].

    >>> every = np.ones((3, 3), dtype=bool)
    >>> tau_on_pairs_many([[1, 2, 3], [3, 2, 1]], [1, 2, 3], every).tolist()
    [1.0, -1.0]
    """
    values = np.asarray(scores, dtype=np.float64)
    ranked = np.asarray(target, dtype=np.float64)
    n = len(ranked)
    if values.ndim != 2 or values.shape[1] != n or np.shape(pairs) != (n, n):
        raise DataError(
            f"scores have shape {values.shape}, the target {ranked.shape} and pairs "
            f"{np.shape(pairs)}; expected [n_sets, n], [n] and [n, n]"
        )
    first, second = np.nonzero(np.triu(pairs | pairs.T, k=1))
    if not len(first):
        return np.full(len(values), np.nan)
    wanted = _sign(ranked[first], ranked[second])
    taus = np.empty(len(values))
    step = max(1, BLOCK // len(first))
    for start in range(0, len(values), step):
        block = values[start : start + step]
        taus[start : start + step] = _sign(block[:, first], block[:, second]) @ wanted
    return taus / len(first)


def _sign(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Compare: 1, 0 or -1, NaN if a side is NaN. Equal infinities, whose difference is NaN, tie."""
    sign = (left > right).astype(np.float64) - (left < right)
    sign[np.isnan(left) | np.isnan(right)] = np.nan
    return sign
