"""From what subset scores predict in their fold to full scores: a shrunken regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["cross_predictions", "shrunken_weights"]

PRIOR = 10.0
"""Strength of the prior, in variants. Chosen on development splits: 3 to 30 do about as well."""


def shrunken_weights(
    standard: NDArray[np.float64], full: NDArray[np.float64], own: int
) -> NDArray[np.float64]:
    """Ridge regression towards taking a metric's own prediction as it is.

    With Z the standardised predictions of every metric and y the full scores of one,

        w = p + (Z Z' + 10 I)^-1 Z (y - Z' p),    p = 1 for the metric itself, 0 for the others.

    The own weight comes out above 1 for a searched subset: its prompts separate the variants they
    were chosen on more sharply than new ones, so the line fitted to the former is too flat.

    Args:
        standard: float64 [metrics, variants].
        full: float64 [variants].
        own: Which of the metrics `full` is of.

    Returns:
        float64 [metrics].

    Example:
        >>> standard = np.array([[-1.0, 0.0, 1.0]])
        >>> shrunken_weights(standard, np.array([-2.0, 0.0, 2.0]), own=0).round(2)  # few variants
        array([1.17])
        >>> many, full = np.tile(standard, 100), np.tile([-2.0, 0.0, 2.0], 100)
        >>> shrunken_weights(many, full, own=0).round(2)
        array([1.95])

    """
    count = len(standard)
    prior = np.zeros(count)
    prior[own] = 1.0
    gram = standard @ standard.T + PRIOR * np.eye(count)
    found: NDArray[np.float64] = prior + np.linalg.solve(gram, standard @ (full - prior @ standard))
    return found


def cross_predictions(
    standard: Sequence[NDArray[np.float64]], full: Sequence[NDArray[np.float64]], own: int
) -> list[NDArray[np.float64]]:
    """Predict each fold with weights learnt from the other folds.

    Args:
        standard: One float64 [metrics, held out] a fold, at least two folds.
        full: One float64 [held out] a fold.
        own: Which of the metrics `full` is of.

    Returns:
        One float64 [held out] a fold.

    Example:
        >>> standard = [np.array([[-1.0, 1.0]]), np.array([[-2.0, 2.0]])]  # two folds
        >>> full = [np.array([-1.0, 1.0]), np.array([-2.0, 2.0])]
        >>> [fold.tolist() for fold in cross_predictions(standard, full, own=0)]
        [[-1.0, 1.0], [-2.0, 2.0]]

    """
    found = []
    for number, part in enumerate(standard):
        others = [other for other in range(len(standard)) if other != number]
        weights = shrunken_weights(
            np.concatenate([standard[other] for other in others], axis=1),
            np.concatenate([full[other] for other in others]),
            own,
        )
        found.append(weights @ part)
    return found
