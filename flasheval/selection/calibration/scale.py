"""How large errors are, when a few of them are much larger than the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["mean_square", "t_scale"]

_STEPS = 200


def mean_square(squares: NDArray[np.float64], shares: NDArray[np.float64]) -> float:
    """Return the weighted mean of squared errors.

    Example:
        >>> mean_square(np.array([1.0, 9.0]), np.array([3.0, 1.0]))
        3.0

    """
    return float(squares @ shares / shares.sum())


def t_scale(squares: NDArray[np.float64], shares: NDArray[np.float64], dof: int) -> float:
    """Square of the scale of a t distribution, by maximum likelihood.

    Solves s = mean((dof + 1) / (dof + e^2 / s) e^2) by its fixed point iteration, which is the EM
    algorithm. Outlying errors count less than in the mean square; the t quantile then reaches
    out to them.

    Args:
        squares: float64 [n] squared errors e^2.
        shares: float64 [n] weights, any positive scale.
        dof: Degrees of freedom of the t distribution.

    Example:
        >>> e = np.random.default_rng(0).standard_t(8, 100_000) * 3
        >>> round(t_scale(e**2, np.ones(len(e)), 8) ** 0.5, 1)
        3.0

    """
    scale = mean_square(squares, shares)
    if scale == 0:
        return 0.0
    for _ in range(_STEPS):
        last = scale
        scale = mean_square((dof + 1) / (dof + squares / scale) * squares, shares)
        if scale == 0 or abs(scale - last) <= 1e-12 * last:
            break
    return scale
