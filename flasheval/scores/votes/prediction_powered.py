"""Cheap scorer, dear labels: a mean from few labels and a metric on every prompt.

Prediction-powered inference with power tuning (A. N. Angelopoulos, J. C. Duchi, T. Zrnic, "PPI++:
Efficient prediction-powered inference", arXiv 2311.01453, 2023). With n labels Y, the metric f on
their prompts and on N others,

    mean = mean(Y) - lambda (mean(f, labelled) - mean(f, others)),
    variance = var(Y - lambda f, labelled) / n + lambda^2 var(f) / N,
    lambda = cov(Y, f) / ((1 + n / N) var(f)).

This lambda is the one of the least variance, 0 for a metric that says nothing of the labels, so the
interval is never wider than that of the labels alone, but for what estimating lambda costs. The
variance over the labels divides by n - 2, as lambda is fitted to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from flasheval.base.arguments import checked_arguments
from flasheval.base.errors import DataError
from flasheval.scores.ranking.simultaneous import check_level

__all__ = ["PoweredMean", "powered_mean"]

_LEAST = 3  # labels: with two, lambda fits them exactly


@dataclass(frozen=True)
class PoweredMean:
    """A mean over all prompts, from labels on some and a metric on all.

    Attributes:
        mean: The estimate.
        low: Lower end of its interval.
        high: Upper end.
        error: Its standard error.
        weight: Lambda: how far the metric is trusted, in labels a unit of the metric.
        labels: How many labels there are.
        labels_mean: Their plain mean.
        labels_error: Its standard error.

    Example:
        >>> PoweredMean(0.5, 0.4, 0.6, 0.05, 1.0, 100, 0.52, 0.1).saved
        300

    """

    mean: float
    low: float
    high: float
    error: float
    weight: float
    labels: int
    labels_mean: float
    labels_error: float

    @property
    def saved(self) -> int:
        """Labels saved: how many more the plain mean would need for the same error."""
        if not self.error > 0:
            return 0
        return max(0, round(self.labels * ((self.labels_error / self.error) ** 2 - 1)))


@checked_arguments
def powered_mean(labels: ArrayLike, metric: ArrayLike, *, level: float = 0.95) -> PoweredMean:
    """Return the mean of labels over all prompts.

    Args:
        labels: float [prompts], NaN where a prompt has none; which ones have must not depend on
            what they would be: draw them at random.
        metric: float [prompts], the cheap score of every prompt.
        level: Probability that the interval holds the mean of the prompts' population.

    Raises:
        SettingError: A level that is no share.
        DataError: Arrays that do not fit, a prompt without the metric, or fewer than three labels.

    >>> metric = np.arange(100) / 100
    >>> labels = np.where(np.arange(100) % 10 == 0, metric, np.nan)
    >>> found = powered_mean(labels, metric)
    >>> round(found.mean, 3), round(found.labels_mean, 3), found.saved  # the metric is exact
    (0.499, 0.45, 92)

    """
    check_level(level)
    y, f = _numbers("labels", labels), _numbers("metric", metric)
    if y.shape != f.shape:
        raise DataError(
            f"labels are of {len(y)} prompts, the metric of {len(f)}; give one for each"
        )
    if not np.isfinite(f).all() or np.isinf(y).any():
        raise DataError("the metric must be a finite number for every prompt, labels too or NaN")
    there = ~np.isnan(y)
    n, others = int(there.sum()), int((~there).sum())
    if n < _LEAST:
        raise DataError(f"{n} prompts have a label; give at least {_LEAST}")
    own, seen = y[there], f[there]
    plain = float(own.std(ddof=1) / np.sqrt(n))
    weight, mean, error = 0.0, float(own.mean()), plain
    spread = float(f.var(ddof=1))
    if others and spread > 0:
        weight = float(np.cov(own, seen)[0, 1]) / ((1 + n / others) * spread)
        mean -= weight * float(seen.mean() - f[~there].mean())
        left = (own - weight * seen).var(ddof=2)
        error = float(np.sqrt(left / n + weight**2 * spread / others))
    room = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return PoweredMean(mean, mean - room, mean + room, error, weight, n, float(own.mean()), plain)


def _numbers(name: str, given: ArrayLike) -> NDArray[np.float64]:
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: expected a list of numbers") from error
    if array.ndim != 1 or not array.size:
        raise DataError(f"{name}: expected a list of numbers, one for each prompt")
    return array
