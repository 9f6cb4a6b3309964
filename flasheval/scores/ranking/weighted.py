"""Top-weighted Kendall: an agreement in which confusing the best variants costs most."""

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError

__all__ = ["weighted_tau", "weighted_tau_many"]


def weighted_tau(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Weighted Kendall tau of scores x against the full scores y, both [n]; in [-1, 1] or NaN.

    The exchange of the variants of ranks r and s, counted from 0 at the highest y, weighs
    1 / (r + 1) + 1 / (s + 1): additive hyperbolic weights (Vigna, "A weighted correlation index
    for rankings with ties", 2015). Ties count as in tau-b. Variants tied in y take their ranks in
    the order of x. Computed by `scipy.stats.weightedtau`; otherwise than there, and as for
    `kendall_tau_b`, NaN anywhere gives NaN. Constant x or y, or n < 2, gives NaN as well.
    Raises DataError if the shapes differ.

    >>> y = [4, 3, 2, 1]
    >>> round(weighted_tau([3, 4, 2, 1], y), 3), round(weighted_tau([4, 3, 1, 2], y), 3)
    (0.52, 0.813)
    """
    from scipy.stats import weightedtau

    scores = np.asarray(x, dtype=np.float64)
    full = np.asarray(y, dtype=np.float64)
    if scores.ndim != 1 or scores.shape != full.shape:
        raise DataError(
            f"scores have shape {scores.shape} and the target {full.shape}; "
            "expected one number a variant in each"
        )
    if len(full) < 2 or np.isnan(scores).any() or np.isnan(full).any():
        return float("nan")
    if (scores == scores[0]).all() or (full == full[0]).all():
        return float("nan")
    # Most important first: by the full score, ties by score (scipy's own rank=None, spelled out).
    rank = np.empty(len(full), dtype=np.int64)
    rank[np.lexsort((scores, full))[::-1]] = np.arange(len(full))
    return float(weightedtau(scores, full, rank=rank).statistic)


def weighted_tau_many(scores: npt.ArrayLike, target: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """`weighted_tau` of each row of scores [n_sets, n_variants] against target; float64 [n_sets].

    One scipy call a row, about 0.1 ms: meant for reports, not for a search.

    >>> weighted_tau_many([[1, 2, 3], [3, 2, 1]], [1, 2, 3]).round(6).tolist()
    [1.0, -1.0]
    """
    rows = np.asarray(scores)
    if rows.ndim != 2:
        raise DataError(f"scores have shape {rows.shape}; expected one row a set")
    return np.array([weighted_tau(row, target) for row in rows], dtype=np.float64)
