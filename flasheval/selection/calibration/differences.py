"""Errors of predicted differences: two variants scored on the same prompts share most of theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DifferenceErrors", "difference_errors"]

Scale = Callable[[NDArray[np.float64], NDArray[np.float64]], float]
"""Squared scale of errors from their squares and weights."""


@dataclass(frozen=True)
class DifferenceErrors:
    """The fields of `flasheval.subset.calibration.Predictor` that are about differences.

    Example:
        >>> found = DifferenceErrors(by_error=None, by_size=0.05, typical_difference=1.2)
        >>> found.by_error is None  # one prompt alone has no standard error
        True

    """

    by_error: float | None
    by_size: float | None
    typical_difference: float


def difference_errors(
    full: Sequence[NDArray[np.float64]],
    predicted: Sequence[NDArray[np.float64]],
    errors: Sequence[NDArray[np.float64]],
    scale: Scale,
    *,
    equal_folds: bool,
) -> DifferenceErrors:
    """Learn how wrong predicted differences are, from pairs held out together.

    On the official scores the variance of the error is very nearly proportional to the square of
    the paired standard error, so one number a metric is enough: a design effect, about 0.4 for
    chosen prompts (1 would be random ones). Close pairs then get the short intervals they deserve
    and distant pairs the long ones.

    Args:
        full: One float64 [held out] a fold, full scores in standard units.
        predicted: One float64 [held out] a fold, full scores as predicted without the fold.
        errors: One float64 [held out, held out] a fold: paired standard errors of the subset
            scores, in the same units.
        scale: From squared errors to the square of their scale.
        equal_folds: Whether each fold counts the same, however many pairs it has.

    Example:
        >>> full, predicted = [np.array([0.0, 1.0])], [np.array([0.0, 0.5])]
        >>> errors = [np.array([[0.0, 0.25], [0.25, 0.0]])]
        >>> mean = lambda squares, shares: float(squares @ shares / shares.sum())
        >>> found = difference_errors(full, predicted, errors, mean, equal_folds=False)
        >>> found.by_error  # squared error 0.25 for each unit of squared standard error, 0.0625
        4.0

    """
    parts = [_pairs(*fold) for fold in zip(full, predicted, errors, strict=True)]
    parts = [part for part in parts if part.shape[1]]
    if not parts:
        return DifferenceErrors(None, None, 1.0)
    squares, sizes, standard = np.concatenate(parts, axis=1)
    shares = np.concatenate(
        [np.full(n, 1 / n if equal_folds else 1.0) for n in (part.shape[1] for part in parts)]
    )
    usable = standard > 0  # NaN for subsets of a single prompt, 0 for twins
    by_error = scale(squares[usable] / standard[usable], shares[usable]) if usable.any() else None
    typical = float(sizes @ shares / shares.sum())
    relative = 0.5 + 0.5 * sizes / typical if typical > 0 else np.ones(len(sizes))
    return DifferenceErrors(by_error, scale(squares / relative, shares), typical**0.5 or 1.0)


def _pairs(
    full: NDArray[np.float64], predicted: NDArray[np.float64], errors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Squares of error, predicted difference and paired standard error: float64 [3, pairs]."""
    first, second = np.triu_indices(len(full), 1)
    wrong = full - predicted
    return np.stack(
        [
            (wrong[first] - wrong[second]) ** 2,
            (predicted[first] - predicted[second]) ** 2,
            errors[first, second] ** 2,
        ]
    )
