"""Predictions of a calibrated subset for new variants: scores, differences and ranks."""

from __future__ import annotations

from dataclasses import dataclass

from flasheval.base.drawing.brief import Brief

__all__ = ["Difference", "Neighbour", "Placement", "Prediction"]


@dataclass(frozen=True, repr=False)
class Prediction(Brief):
    """A full-set score predicted from subset scores.

    Attributes:
        metric: the metric.
        value: the predicted mean over the full set, in the metric's unit.
        low: lower end of the interval that holds the true one with probability ``level``.
        high: its upper end.
        level: that probability.
        warning: why the interval may be too narrow, or empty.

    >>> print(Prediction("clip", 0.3127, 0.3104, 0.315, 0.9))
    clip 0.3127 (0.3104 to 0.315, 90%)

    """

    metric: str
    value: float
    low: float
    high: float
    level: float
    warning: str = ""

    def __str__(self) -> str:
        text = f"{self.metric} {_interval(self.value, self.low, self.high, self.level)}"
        return text + (f"; {self.warning}" if self.warning else "")


@dataclass(frozen=True, repr=False)
class Difference(Brief):
    """The predicted full-set difference of two variants, first minus second.

    Attributes:
        metric: the metric.
        value: predicted difference of the means over the full set.
        low: lower end of its interval.
        high: upper end.
        level: probability that the true difference lies in it.
        probability: that the first variant is better, in the metric's direction.
        warning: as in `Prediction`.

    >>> print(Difference("clip", 0.0021, -0.0004, 0.0046, 0.9, 0.9231))
    clip 0.0021 (-0.0004 to 0.0046, 90%), better with probability 0.92

    """

    metric: str
    value: float
    low: float
    high: float
    level: float
    probability: float
    warning: str = ""

    @property
    def certainty(self) -> float:
        """The probability that the predicted sign is right, from 0.5 to 1.

        >>> Difference("clip", -0.002, -0.004, 0.001, 0.9, probability=0.125).certainty
        0.875
        """
        return max(self.probability, 1 - self.probability)

    def __str__(self) -> str:
        interval = _interval(self.value, self.low, self.high, self.level)
        text = f"{self.metric} {interval}, better with probability {self.probability:.2f}"
        return text + (f"; {self.warning}" if self.warning else "")


@dataclass(frozen=True)
class Neighbour:
    """A known variant, its full-set score, and the probability that the new one is better."""

    name: str
    full_mean: float
    probability: float


@dataclass(frozen=True, repr=False)
class Placement(Brief):
    """A new variant's place among the known ones.

    Attributes:
        metric: the metric.
        rank: 1 for better than all known variants, up to their number plus 1 for worse than all.
        best: best rank within the prediction's interval.
        worst: worst rank within it.
        level: probability that the true rank lies between the two.
        neighbours: every known variant, the best first.
        warning: as in `Prediction`.

    >>> known = (Neighbour("a", 0.32, 0.1), Neighbour("b", 0.30, 0.8))
    >>> print(Placement("clip", 2, 1, 3, 0.9, known))
    clip rank 2 of 3 (1 to 3, 90%): a is above (better than it with 0.10), b below (0.80)

    """

    metric: str
    rank: int
    best: int
    worst: int
    level: float
    neighbours: tuple[Neighbour, ...]
    warning: str = ""

    def __str__(self) -> str:
        count = len(self.neighbours)
        text = (
            f"{self.metric} rank {self.rank} of {count + 1} "
            f"({self.best} to {self.worst}, {self.level:.0%})"
        )
        sides = []
        if self.rank > 1:
            above = self.neighbours[self.rank - 2]
            sides.append(f"{above.name} is above (better than it with {above.probability:.2f})")
        if self.rank <= count:
            below = self.neighbours[self.rank - 1]
            start = f"{below.name} below" if sides else f"{below.name} is below"
            sides.append(f"{start} ({below.probability:.2f})")
        text += ": " + ", ".join(sides)
        return text + (f"; {self.warning}" if self.warning else "")


def _interval(value: float, low: float, high: float, level: float) -> str:
    return f"{value:.4g} ({low:.4g} to {high:.4g}, {level:.0%})"
