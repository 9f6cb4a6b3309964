"""The numbers of a calibration: how one metric's full score is predicted, and with what error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from flasheval.base.drawing.brief import Brief
from flasheval.base.errors import DataError

__all__ = ["GROWTH", "MetricCalibration", "Predictor", "require_numbers"]

GROWTH = 0.25
"""Share of a full score's error variance that grows with its distance from the mean."""

_MARGIN = 0.1  # share of the calibrated range by which a subset mean may leave it unwarned


@dataclass(frozen=True, repr=False)
class Predictor(Brief):
    """A linear prediction of one metric's full score, and its errors; all in standard units.

    Standard units are standard deviations of the known variants' full scores, from their mean.

    Attributes:
        weights: by metric, the weight of its standardised subset mean.
        scale: scale of the error of a full score predicted at ``typical_value``; errors grow a
            little away from the middle, see `score_scale`.
        typical_value: root mean square of the full scores predicted in cross-fitting.
        by_error: variance of the error of a predicted difference over the square of the paired
            standard error of the two variants' subset scores; None when no pair was held out.
        by_size: the same error's variance where only means are known, at a predicted difference of
            ``typical_difference``: by_size (1/2 + (difference / typical_difference)^2 / 2).
        typical_difference: root mean square of the differences predicted in cross-fitting.

    >>> Predictor({"clip": 1.0}, scale=-0.2)
    Traceback (most recent call last):
    flasheval.base.errors.DataError: scale is -0.2; expected a number of at least 0

    """

    weights: Mapping[str, float] = field(hash=False)
    scale: float
    typical_value: float = 1.0
    by_error: float | None = None
    by_size: float | None = None
    typical_difference: float = 1.0

    def __post_init__(self) -> None:
        require_numbers("weights", self.weights.values())
        for name in ("scale", "by_error", "by_size"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise DataError(f"{name} is {value}; expected a number of at least 0")
        for name in ("typical_value", "typical_difference"):
            if not 0 < getattr(self, name) < math.inf:
                raise DataError(f"{name} is {getattr(self, name)}; expected a number above 0")

    def score_scale(self, value: float, beyond: float = 0.0) -> float:
        """Return the scale of the error of a predicted full score, in standard units.

        sqrt(scale^2 (1 - a + a (value / typical_value)^2) + beyond^2) with a = `GROWTH`. What lies
        beyond the calibrated range is extrapolated, and counts as error in full.

        >>> predictor = Predictor({"clip": 1.0}, scale=0.2)
        >>> [round(predictor.score_scale(value), 3) for value in (0.0, 1.0, 3.0)]
        [0.173, 0.2, 0.346]
        >>> round(predictor.score_scale(1.0, beyond=0.5), 3)
        0.539
        """
        grown = 1 - GROWTH + GROWTH * _squared(value / self.typical_value)
        return math.hypot(self.scale * math.sqrt(grown), beyond)

    def difference_scale(
        self, difference: float, error: float | None, fresh: float = 0.0, effect: float = 0.0
    ) -> float | None:
        """Return the scale of the error of a predicted difference; None when it is unknown.

        Noise of images that cross-fitting never met counts in full: `by_error` holds for the rest.
        It is never less than without that knowledge.

        Args:
            difference: The predicted difference.
            error: Paired standard error of the subset scores' difference, or None.
            fresh: Variance of such noise in the subset scores' difference, part of ``error``.
            effect: Variance that it makes in the predicted difference.

        >>> predictor = Predictor({"clip": 1.0}, scale=0.2, by_error=0.25, by_size=0.04)
        >>> predictor.difference_scale(1.0, error=0.1), predictor.difference_scale(1.0, error=None)
        (0.05, 0.2)
        >>> round(predictor.difference_scale(1.0, 0.1, fresh=0.01, effect=0.01), 3)  # all of it
        0.1

        """
        if error is not None and self.by_error is not None:
            scale = math.sqrt(self.by_error) * error
            return math.hypot(scale, math.sqrt(max(0.0, effect - self.by_error * fresh)))
        if self.by_size is not None:
            size = _squared(difference / self.typical_difference)
            return math.hypot(math.sqrt(self.by_size * (0.5 + 0.5 * size)), math.sqrt(effect))
        return None


@dataclass(frozen=True, repr=False)
class MetricCalibration(Brief):
    """One metric's part of a `Calibration`.

    Attributes:
        higher_is_better: the metric's direction.
        full_mean: mean of the known variants' full scores.
        full_sd: their standard deviation: the standard unit.
        subset_mean: mean of the known variants' subset means.
        slope: slope of their full scores on their subset means.
        low: least subset mean among the known variants.
        high: greatest subset mean among the known variants.
        alone: predicts from this metric's subset mean.
        joint: predicts from the subset means of all metrics, where there are several.
        near_ties: share of pairs of known variants that the full set itself cannot order; None
            when it was not counted.

    """

    higher_is_better: bool
    full_mean: float
    full_sd: float
    subset_mean: float
    slope: float
    low: float
    high: float
    alone: Predictor
    joint: Predictor | None = None
    near_ties: float | None = None

    def __post_init__(self) -> None:
        numbers = {key.name: getattr(self, key.name) for key in fields(self)[1:7]}
        for name, number in numbers.items():
            require_numbers(name, [number])
        if self.near_ties is not None and not 0 <= self.near_ties <= 1:
            raise DataError(f"near_ties is {self.near_ties}; expected a share from 0 to 1")
        if self.low > self.high:
            raise DataError(f"low is {self.low}, above high, {self.high}; exchange them")
        if self.full_sd <= 0:
            raise DataError(f"full_sd is {self.full_sd}; expected a number above 0")

    def standardised(self, subset_mean: float) -> float:
        """Return the full score on the known variants' regression line, in standard units.

        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> round(clip.standardised(0.32), 3)  # 0.8 (0.32 - 0.31) / 0.01
        0.8
        """
        return self.slope * (subset_mean - self.subset_mean) / self.full_sd

    def beyond(self, subset_mean: float) -> float:
        """Return how far a subset mean lies outside the known range, in standard units; 0 inside.

        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> clip.beyond(0.32), round(clip.beyond(0.34), 3)
        (0.0, 0.8)
        """
        return abs(self.excess(subset_mean))

    def is_outside(self, subset_mean: float) -> bool:
        """Tell whether a subset mean lies clearly outside the known range, by a tenth of its width.

        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> clip.is_outside(0.333), clip.is_outside(0.335)
        (False, True)
        """
        slack = _MARGIN * (self.high - self.low)
        return not self.low - slack <= subset_mean <= self.high + slack

    def excess(self, subset_mean: float) -> float:
        """Return `beyond` with its sign on the predicted full score: below 0 under the range.

        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> round(clip.excess(0.28), 3)
        -0.8
        """
        outside = min(subset_mean - self.low, 0.0) + max(subset_mean - self.high, 0.0)
        return self.slope * outside / self.full_sd


def _squared(number: float) -> float:
    return number * number  # infinite where it is too large, where ** would raise


def require_numbers(name: str, numbers: Iterable[float]) -> None:
    """Raise DataError for the first number that is not finite.

    >>> require_numbers("weights", [1.0, float("nan")])
    Traceback (most recent call last):
    flasheval.base.errors.DataError: weights is nan; expected a finite number
    """
    for number in numbers:
        if not math.isfinite(number):
            raise DataError(f"{name} is {number}; expected a finite number")
