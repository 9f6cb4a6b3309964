"""The Frechet distance extrapolated to infinitely many images.

The Frechet distance of n images is biased upwards by about c / n, and c depends on the model, so
that even the ranking at one n may be wrong. Measured at several n and fitted by a straight line on
1 / n, its value at 0 is free of that bias to first order (Chong and Forsyth, "Effectively unbiased
FID and Inception Score and where to find them", 2020). The reference is taken as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flasheval.base.errors import SettingError
from flasheval.set_metrics.arrays import as_features
from flasheval.set_metrics.frechet import FrechetReference, frechet_distance

__all__ = ["FrechetInfinity", "frechet_infinity"]


@dataclass(frozen=True)
class FrechetInfinity:
    """A Frechet distance extrapolated to infinitely many images; lower is better.

    Attributes:
        value: The line's value at 1 / n = 0; rounding and noise may take it below 0.
        standard_error: Standard error of the value, from the scatter about the line. The sets
            overlap, so it is a lower bound: other images would differ more.
        slope: The line's slope, the bias c.
        sizes: The n it was measured at, ascending.
        distances: The Frechet distance at each.

    """

    value: float
    standard_error: float
    slope: float
    sizes: tuple[int, ...]
    distances: tuple[float, ...]


def frechet_infinity(
    features: ArrayLike,
    reference: FrechetReference,
    rng: np.random.Generator,
    *,
    points: int = 15,
    smallest: int | None = None,
) -> FrechetInfinity:
    """Extrapolate the Frechet distance of features [n, d].

    Args:
        features: Float [n, d].
        reference: The reference to compare with.
        rng: The generator that draws the random sets of each size.
        points: Number of sizes, evenly spaced in n, as in the paper; at least 3.
        smallest: The least size; by default a tenth of n (the paper takes 5,000 of 50,000).

    Raises:
        SettingError: Fewer than 3 points, or more than there are sizes.
        DataError: As in `frechet_distance`.

    Below n = d the bias is no straight line in 1 / n: give `smallest` above d where n allows it.

    >>> rng = np.random.default_rng(0)
    >>> reference = FrechetReference.of(rng.normal(size=(20_000, 4)))
    >>> found = frechet_infinity(rng.normal(size=(4_000, 4)), reference, rng)
    >>> abs(found.value) < 0.01 < found.distances[0]
    True

    """
    values = as_features(features, width=reference.width)
    least = max(2, len(values) // 10) if smallest is None else smallest
    if points < 3 or least < 2 or len(values) - least < points - 1:
        raise SettingError(
            f"points={points}, smallest={least}: expected at least 3 points, and that many sizes "
            f"from smallest (at least 2) to the {len(values)} images"
        )
    sizes = np.linspace(least, len(values), points).round().astype(int)
    distances = np.array(
        [
            frechet_distance(values[rng.permutation(len(values))[:size]], reference).value
            for size in sizes
        ]
    )
    x = 1 / sizes
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ distances) / spread
    value = float(distances.mean() - slope * x.mean())
    left = distances - value - slope * x
    error = np.sqrt(float(left @ left) / (points - 2) * (1 / points + x.mean() ** 2 / spread))
    return FrechetInfinity(
        value, float(error), slope, tuple(sizes.tolist()), tuple(distances.tolist())
    )
