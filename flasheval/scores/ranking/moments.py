"""Means of variants over prompts, and the covariance of their errors: all that paired tests need.

The error of a mean comes from the draw of the prompts. Prompts of one cluster (images of one group,
questions on one prompt) do not err apart, so their deviations are summed before they are squared.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError

__all__ = ["Moments", "centred_products", "cross_products", "paired_moments", "squares_of"]

Floats = npt.NDArray[np.float64]
Scores = npt.NDArray[Any]

BLOCK = 1 << 18  # values held in float64 at a time (2 MB: what a core's cache holds)
_LEAST_WIDE = 2048  # prompts at a time at least: with fewer, matrix products of many variants idle
_NOTHING = 1e-12  # of two variances' sum: a difference that varies less only rounds


@dataclass(frozen=True, eq=False)
class Moments:
    """Means over prompts and how they err together.

    Attributes:
        means: float64 [n_variants].
        covariance: float64 [n_variants, n_variants], that of the means: G / (G - 1) / P^2 times the
            sum over the G clusters of the products of their summed deviations. Without clusters
            each prompt is one: the usual covariance over P.
        units: G, the prompts or clusters that err apart.

    """

    means: Floats
    covariance: Floats
    units: int

    @cached_property
    def errors(self) -> Floats:
        """Standard errors of the means, float64 [n_variants]."""
        return np.sqrt(np.diag(self.covariance))

    @cached_property
    def pair_errors(self) -> Floats:
        """Paired standard errors of the differences, float64 [n_variants, n_variants].

        0 where two variants differ by a constant, up to rounding.
        """
        if self.units < 2:
            return np.full_like(self.covariance, np.inf)
        squares = squares_of(self.covariance)
        diagonal = np.diag(self.covariance)
        squares[squares <= _NOTHING * (diagonal[:, None] + diagonal)] = 0.0
        return np.sqrt(squares)


def paired_moments(values: npt.ArrayLike, clusters: npt.ArrayLike | None = None) -> Moments:
    """Means of variants and the covariance of their errors.

    values: float [n_variants, P] without NaN, scores of the same P prompts.
    clusters: labels [P] of prompts that do not err apart; by default every prompt stands alone.
    With fewer than two units the covariance is infinite: nothing is known of the errors.
    Raises DataError for shapes that do not fit and for a NaN.

    >>> found = paired_moments([[0.0, 1.0, 0.0, 1.0], [1.0, 2.0, 1.0, 2.0]])
    >>> found.means.tolist(), found.pair_errors[0].tolist()
    ([0.5, 1.5], [0.0, 0.0])
    """
    scores = np.asarray(values)
    if scores.ndim != 2 or not scores.shape[1]:
        raise DataError(f"values have shape {scores.shape}; expected [n_variants, n_prompts]")
    n, n_prompts = scores.shape
    ordered = None if clusters is None else _by_cluster(clusters, n_prompts)
    units = n_prompts if ordered is None else len(ordered[1])
    means, products = centred_products(scores, ordered)
    if np.isnan(means).any():
        raise DataError("a score is NaN; leave out variants or prompts that are not measured")
    if units < 2:
        return Moments(means, np.full((n, n), np.inf), units)
    return Moments(means, products * (units / (units - 1) / n_prompts**2), units)


def centred_products(
    scores: Scores,
    ordered: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None = None,
) -> tuple[Floats, Floats]:
    """Means [n] of scores [n, P], and the products [n, n] of their deviations, summed over prompts.

    ordered: prompts in the order of their clusters and where each cluster begins; deviations are
    then summed over a cluster first. Computed in float64, a block of prompts at a time.
    """
    means: Floats = scores.mean(axis=1, dtype=np.float64)
    return means, _products(scores, means, scores, means, ordered)


def cross_products(
    first: Scores,
    second: Scores,
    clusters: npt.ArrayLike | None = None,
) -> Floats:
    """Products [n, m] of the deviations of first [n, P] and second [m, P], summed over prompts.

    clusters: as for `paired_moments`.

    >>> cross_products(np.array([[0.0, 2.0]]), np.array([[1.0, 3.0], [1.0, 0.0]])).tolist()
    [[2.0, -1.0]]
    """
    ordered = None if clusters is None else _by_cluster(clusters, first.shape[1])
    means = [one.mean(axis=1, dtype=np.float64) for one in (first, second)]
    return _products(first, means[0], second, means[1], ordered)


def squares_of(products: Floats) -> Floats:
    """Squares of x_i - x_j from the products of x; what rounding leaves below 0 is 0.

    >>> squares_of(np.array([[2.0, 1.0], [1.0, 5.0]])).tolist()
    [[0.0, 5.0], [5.0, 0.0]]
    """
    diagonal = np.diag(products)
    squares: Floats = np.maximum(diagonal[:, None] + diagonal[None] - 2 * products, 0.0)
    return squares


def _products(
    first: Scores,
    means: Floats,
    second: Scores,
    others: Floats,
    ordered: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None,
) -> Floats:
    n_prompts = first.shape[1]
    products = np.zeros((len(first), len(second)))
    step = max(1, _LEAST_WIDE, BLOCK // max(len(first), 1))
    if ordered is None:
        for start in range(0, n_prompts, step):
            part = slice(start, start + step)
            block = first[:, part] - means[:, None]
            products += block @ (block if second is first else second[:, part] - others[:, None]).T
        return products
    order, starts = ordered
    ends = np.append(starts[1:], n_prompts)
    begin = 0
    while begin < len(starts):  # whole clusters, of so many prompts together
        end = max(begin + 1, int(np.searchsorted(ends, starts[begin] + step, side="right")))
        chosen, within = order[starts[begin] : ends[end - 1]], starts[begin:end] - starts[begin]
        block = np.add.reduceat(first[:, chosen] - means[:, None], within, axis=1)
        other = block
        if second is not first:
            other = np.add.reduceat(second[:, chosen] - others[:, None], within, axis=1)
        products += block @ other.T
        begin = end
    return products


def _by_cluster(
    clusters: npt.ArrayLike, n_prompts: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    labels = np.asarray(clusters)
    if labels.shape != (n_prompts,):
        raise DataError(
            f"clusters have shape {labels.shape}; expected {n_prompts} labels, one for each prompt"
        )
    _, numbers = np.unique(labels, return_inverse=True)
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    return order, starts
