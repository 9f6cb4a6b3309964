"""What else will differ in new variants: how much of the residuals features of prompts explain.

A new variant may be good at one kind of prompt and bad at another. Where prompts of a kind move
together, their errors do not average out within the kind, only between kinds. So the sum of the
features over the chosen prompts, each centred over all prompts, is to be near nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["WEIGHT", "explained_variance", "feature_rows"]

WEIGHT = 4.0  # chosen on development data (kinds of prompts of unlike models, 5 to 16 variants)


def explained_variance(residual: NDArray[np.float32], features: NDArray[np.float64]) -> float:
    r"""Variance that unit features add to a residual, summed over variants; at least 0.

    The residual of variant v at prompt p is modelled as g_v . F_p + e_vp, with independent
    g ~ N(0, t I) and e ~ N(0, s). Two moments, the sum of squares of the residuals and that of
    their sums over prompts with each feature, give t and s (Haseman and Elston, Behavior Genetics
    2, 1972; with several features as in the method of moments for variance components):

        E |F E'|^2 = R (t tr(G^2) + s tr(G)),   E |E|^2 = R (t tr(G) + s P),   G = F F'

    for R variants and P prompts. What chance would explain is so taken away.

    Args:
        residual: float32 [variants, prompts], E.
        features: float64 [features, prompts], F, centred over prompts.

    Returns:
        R t, in the squared units of the residuals; 0 where the features vary no more than s.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> kinds = np.eye(4)[rng.integers(0, 4, 2000)].T
        >>> kinds -= kinds.mean(axis=1, keepdims=True)
        >>> noise = rng.normal(size=(30, 2000))
        >>> found = explained_variance((rng.normal(size=(30, 4)) @ kinds + noise), kinds)
        >>> 20 < found < 40, explained_variance(noise, kinds) < 0.1
        (True, True)

    """
    gram = features @ features.T
    trace, square = float(np.trace(gram)), float(np.square(gram).sum())
    prompts = residual.shape[1]
    determinant = square * prompts - trace**2
    if not determinant > 1e-9 * square * prompts:
        return 0.0
    along = float(np.square(residual @ features.T).sum())
    total = float(np.square(residual, dtype=np.float64).sum())
    return max(0.0, (along * prompts - total * trace) / determinant)


def feature_rows(
    residual: NDArray[np.float32], features: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rows to cancel beside the residuals of one metric: the features, as much as they explain.

    Args:
        residual: float32 [variants, candidates].
        features: float64 [features, candidates], centred over all prompts.

    Returns:
        float64 [features, candidates]; the squares of their sums over a set are, like those of the
        residuals, sums over variants.

    Example:
        >>> residual = np.random.default_rng(0).normal(size=(12, 40)).astype(np.float32)
        >>> feature_rows(residual, np.eye(3, 40)).shape
        (3, 40)

    """
    return np.sqrt(WEIGHT * explained_variance(residual, features)) * features
