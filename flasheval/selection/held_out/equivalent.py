"""Equivalent random size: how many random prompts would agree as well as a chosen subset does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flasheval.subset.evidence import EquivalentSize, RandomSize

__all__ = ["equivalent_random_size", "equivalent_size_with_interval"]


def equivalent_random_size(
    tau: float, sizes: Sequence[int], curve: NDArray[np.float64]
) -> RandomSize | None:
    """Find where the random curve reaches an agreement.

    The curve is first made monotone by its running maximum, then interpolated in log size.

    Args:
        tau: Held-out agreement of a method, averaged over metrics and splits.
        sizes: The curve's sizes, ascending.
        curve: float64 [sizes], agreement of random subsets averaged the same way.

    Returns:
        The size; `<` the curve's first size below the curve, `>` its last size above it; None
        where an agreement is NaN.

    Example:
        >>> print(equivalent_random_size(0.6, [10, 1000], np.array([0.5, 0.7])))
        100
        >>> print(equivalent_random_size(0.8, [10, 1000], np.array([0.5, 0.7])))
        >1000

    """
    if np.isnan(tau) or np.isnan(curve).any():
        return None
    rising = np.maximum.accumulate(curve)
    if tau < rising[0]:
        return RandomSize(float(sizes[0]), "<")
    if tau > rising[-1]:
        return RandomSize(float(sizes[-1]), ">")
    at = int(np.searchsorted(rising, tau, side="left"))
    if rising[at] == tau:
        return RandomSize(float(sizes[at]))
    share = (tau - rising[at - 1]) / (rising[at] - rising[at - 1])
    return RandomSize(float(sizes[at - 1] * (sizes[at] / sizes[at - 1]) ** share))


def equivalent_size_with_interval(
    taus: NDArray[np.float64],
    sizes: Sequence[int],
    curves: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    level: float = 0.9,
    draws: int = 1000,
) -> EquivalentSize | None:
    """Equivalent random size with its paired bootstrap over splits.

    Each resample takes the same splits for the method and for the random curve.

    Args:
        taus: float64 [splits], the method's agreement, averaged over metrics.
        sizes: The curve's sizes, ascending.
        curves: float64 [splits, sizes], random agreement on the same splits.
        rng: Source of the resamples.
        level: Coverage of the percentile interval.
        draws: Resamples.

    Returns:
        The size; its interval is left out with fewer than two splits; None where it is undefined.

    Example:
        >>> curves = np.tile([0.5, 0.7], (8, 1))  # the same on 8 splits
        >>> taus = np.array([0.58, 0.59, 0.6, 0.6, 0.6, 0.6, 0.61, 0.62])
        >>> print(equivalent_size_with_interval(taus, [10, 1000], curves, np.random.default_rng(0)))
        100 (87 to 115)

    """
    estimate = equivalent_random_size(float(taus.mean()), sizes, curves.mean(axis=0))
    if estimate is None or len(taus) < 2:
        return None if estimate is None else EquivalentSize(estimate)
    picks = rng.integers(0, len(taus), (draws, len(taus)))
    found = [
        equivalent_random_size(float(taus[pick].mean()), sizes, curves[pick].mean(axis=0))
        for pick in picks
    ]
    ranked = sorted((size for size in found if size is not None), key=_position)
    tail = (1 - level) / 2
    low = ranked[int(np.floor(tail * (draws - 1)))]
    high = ranked[int(np.ceil((1 - tail) * (draws - 1)))]
    return EquivalentSize(estimate, low, high)


def _position(size: RandomSize) -> tuple[float, int]:
    return size.value, "<=>".index(size.relation)
