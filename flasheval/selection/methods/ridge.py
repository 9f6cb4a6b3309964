"""`ridge`: random prompts with fitted weights, for when choosing prompts does not pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.methods.few import drawn_at_random
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import OneShot, Selection

__all__ = ["Ridge", "ridge_weights"]

_STRENGTHS = np.geomspace(1e-2, 1e4, 25)


@dataclass(frozen=True)
class Ridge(OneShot):
    """Draw the prompts uniformly, then weigh them so that their mean follows the full set's.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> scores = np.random.default_rng(0).normal(size=(6, 20))
        >>> problem = make_problem([scores], ["clip"], size=5)
        >>> chosen = Ridge().choose(problem, np.random.default_rng(0))
        >>> chosen.weights.shape, round(float(chosen.weights.mean()), 4)
        ((5,), 1.0)

    """

    name: ClassVar[str] = "ridge"
    holds_shares: ClassVar[bool] = True

    def choose(self, problem: Problem, rng: np.random.Generator) -> Selection:
        """Draw the free prompts and fit the weights of all."""
        drawn = drawn_at_random(problem, rng)
        indices = np.concatenate([problem.required, drawn])
        chosen = [block[:, indices].astype(np.float64) for block in problem.scores]
        return Selection(indices, ridge_weights(chosen, problem.targets()))


def ridge_weights(
    chosen: list[NDArray[np.float64]], targets: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Weights with which a subset's mean follows the full set's, by ridge regression towards 1.

    Of each metric, the full score is first fitted by slope b times the plain subset mean. What is
    left is regressed on b / N times the centred scores of each prompt, with a penalty on the
    squared distance of the weights from 1. The penalty's strength is the one of least
    leave-one-out error of that regression (Allen's PRESS, by the hat matrix). Weights below 0 are
    set to 0: a prompt that counts against what it measures is chance.

    Args:
        chosen: Per metric float64 [variants, N] scores of the chosen prompts.
        targets: Per metric float64 [variants] full-set means.

    Returns:
        float64 [N], at least 0, mean 1; all 1 where no variant's subset mean differs.

    Example:
        >>> ridge_weights([np.array([[0.0, 5.0], [1.0, 5.0]])], [np.array([0.0, 1.0])])
        array([1., 1.])

    """
    rows, rest = [], []
    for scores, target in zip(chosen, targets, strict=True):
        centred = scores - scores.mean(axis=0)
        quality = (target - target.mean()) / target.std()
        mean = centred.mean(axis=1)
        slope = 0.0 if not mean.any() else (mean @ quality) / (mean @ mean)
        rows.append(slope * centred / centred.shape[1])
        rest.append(quality - slope * mean)
    matrix, residual = np.concatenate(rows), np.concatenate(rest)
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    if not singular[0] > 0.0:
        return np.ones(matrix.shape[1])
    along = left.T @ residual
    # Strengths are in units of the mean squared singular value, so that scale does not matter.
    penalties = _STRENGTHS * np.mean(singular**2)
    shrinks = singular**2 / (singular**2 + penalties[:, None])
    leverage = shrinks @ (left**2).T
    errors = (residual - (shrinks * along) @ left.T) / np.maximum(1.0 - leverage, 1e-9)
    best = int(np.argmin((errors**2).sum(axis=1)))
    shift = right.T @ (shrinks[best] * along / np.where(singular > 0.0, singular, 1.0))
    weights = np.maximum(1.0 + shift, 0.0)
    total = weights.mean()
    return weights / total if total > 0.0 else np.ones_like(weights)
