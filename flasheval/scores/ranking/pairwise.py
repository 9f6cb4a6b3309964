"""Pairwise accuracy: the share of pairs of variants that scores order as the full set does."""

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError
from flasheval.scores.ranking.kendall import count_pairs
from flasheval.scores.ranking.prepare import prepare_target

__all__ = ["pairwise_accuracy", "pairwise_accuracy_many"]


def pairwise_accuracy(scores: npt.ArrayLike, target: npt.ArrayLike) -> float:
    """Share of the pairs ordered by target that scores [n] order the same way, a tie being 1/2.

    Pairs tied in target [n] are left out. 1/2 is what a coin achieves, and what constant scores
    get; NaN where target orders no pair, and where a value is NaN. Without ties it is
    (1 + tau) / 2. Raises DataError if the shapes differ.

    >>> pairwise_accuracy([1, 2, 2], [1, 2, 3])  # right, right, tied
    0.8333333333333333
    """
    values = np.asarray(scores)
    if values.ndim != 1:
        raise DataError(f"scores have shape {values.shape}; expected one number a variant")
    return float(pairwise_accuracy_many(values[None], target)[0])


def pairwise_accuracy_many(scores: npt.ArrayLike, target: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """`pairwise_accuracy` of each row of scores [n_sets, n_variants]; float64 [n_sets].

    >>> pairwise_accuracy_many([[1, 2, 3], [3, 2, 1], [1, 1, 1]], [1, 2, 3]).tolist()
    [1.0, 0.0, 0.5]
    """
    values = np.asarray(scores)
    ranked = np.asarray(target, dtype=np.float64)
    if np.isnan(ranked).any():
        return np.full(len(values), np.nan)
    prepared = prepare_target(ranked)
    difference = count_pairs(values, prepared)[:, 0]
    ordered = prepared.pairs - prepared.target_ties
    if ordered == 0:
        return np.full(len(values), np.nan)
    # Of the ordered pairs, difference = right - wrong and right + wrong + tied = ordered.
    accuracy = 0.5 + 0.5 * difference / ordered
    return np.where(np.isnan(values).any(axis=1), np.nan, accuracy)
