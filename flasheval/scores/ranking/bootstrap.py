"""Percentile bootstrap intervals (Efron and Tibshirani, 1993) of a statistic over units."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from flasheval.base.checks import check_draws
from flasheval.base.errors import DataError, SettingError

__all__ = ["bootstrap_interval"]

Values = npt.NDArray[np.float64]


def _mean(values: Values) -> float:
    return float(values.mean())


def bootstrap_interval(
    values: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    level: float = 0.9,
    draws: int = 2000,
    statistic: Callable[[Values], float] = _mean,
    clusters: npt.ArrayLike | None = None,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic over units: (low, high).

    values: float [units] or [units, k]; units are drawn with replacement, all k columns of a unit
        together, so that a statistic of several columns is paired.
    rng: the same generator state gives the same interval.
    level: share of the draws inside; draws: how many.
    statistic: array of the shape [drawn units] or [drawn units, k] -> one number; default the mean.
    clusters: labels [units]; whole clusters are then drawn, as many as there are, for units that
        share one are not independent.

    (NaN, NaN) with fewer than two units (or clusters), and with a NaN among values. Constant values
    give (c, c). A percentile interval of few units is too short: with fewer than about 8, show the
    values instead.
    Raises SettingError for a level outside (0, 1) or draws below 1, DataError for shapes that do
    not fit.

    >>> low, high = bootstrap_interval([1.0, 2.0, 3.0, 4.0], rng=np.random.default_rng(0))
    >>> low, high
    (1.5, 3.5)
    """
    units = np.asarray(values, dtype=np.float64)
    if units.ndim not in (1, 2):
        raise DataError(f"values have shape {units.shape}; expected [units] or [units, k]")
    if not 0.0 < level < 1.0:
        raise SettingError(f"level is {level}; expected a share between 0 and 1, such as 0.9")
    check_draws(draws)
    members = _members(clusters, len(units))
    n = len(units) if members is None else len(members)
    if n < 2 or np.isnan(units).any():
        return float("nan"), float("nan")
    results = np.empty(draws)
    for draw in range(draws):
        chosen = rng.integers(0, n, size=n)
        if members is not None:
            chosen = np.concatenate([members[cluster] for cluster in chosen])
        results[draw] = statistic(units[chosen])
    low, high = np.quantile(results, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _members(clusters: npt.ArrayLike | None, n_units: int) -> list[npt.NDArray[Any]] | None:
    """List the units of each cluster, clusters in the order of their labels."""
    if clusters is None:
        return None
    labels = np.asarray(clusters)
    if labels.shape != (n_units,):
        raise DataError(
            f"clusters have shape {labels.shape}; expected {n_units} labels, one for each unit"
        )
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]
