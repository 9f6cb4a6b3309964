"""What a run will cost: arithmetic on a few timed batches and on what is left to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Left", "ModelEstimate", "ModelTiming", "estimate_model", "fit_seconds"]


@dataclass(frozen=True)
class ModelTiming:
    """What a loaded model took in the sample.

    Seconds an image = fixed + per_evaluation x evaluations.

    Attributes:
        label: What it was loaded from.
        variants: The variants that share it.
        load: Seconds to load it.
        fixed: Seconds an image takes however many evaluations it has.
        per_evaluation: Seconds of one network evaluation.
        evaluations: Evaluations by variant, or steps, or 1, whichever is known.
        counted: Whether these are network evaluations, as counted.
        score: Seconds to score an image, by metric.
        save: Seconds to compress an image.
        image_bytes: Bytes of a compressed image.
        batches: Batches timed, without warm-up.
        peak: Most bytes of memory used; None if unknown.

    """

    label: str
    variants: tuple[str, ...]
    load: float
    fixed: float
    per_evaluation: float
    evaluations: Mapping[str, float]
    counted: bool
    score: Mapping[str, float]
    save: float
    image_bytes: float
    batches: int
    peak: int | None = None

    def seconds(self, variant: str) -> float:
        """Return the seconds an image of a variant takes to make."""
        return self.fixed + self.per_evaluation * self.evaluations[variant]


@dataclass(frozen=True)
class Left:
    """How many images of a variant are left, to make, to keep, and to score in each metric."""

    make: int
    keep: int
    score: Mapping[str, int]


@dataclass(frozen=True)
class ModelEstimate:
    """What one model's variants will take, in seconds and bytes.

    Attributes:
        timing: What it is estimated from.
        images: Images to make.
        make: Seconds to load the model and make them.
        save: Seconds to compress those that are kept.
        score: Seconds to score.
        image_bytes: Bytes of those that are kept.

    """

    timing: ModelTiming
    images: int
    make: float
    save: float
    score: float
    image_bytes: float

    @property
    def seconds(self) -> float:
        """All of it, on one device."""
        return self.make + self.save + self.score


def estimate_model(timing: ModelTiming, left: Mapping[str, Left]) -> ModelEstimate:
    """Return what a model's variants will take, given what is left of each."""
    some = [(name, left[name]) for name in timing.variants]
    images = sum(one.make for _, one in some)
    kept = sum(one.keep for _, one in some)
    score = sum(
        timing.score.get(metric, 0.0) * count
        for _, one in some
        for metric, count in one.score.items()
    )
    make = sum(timing.seconds(name) * one.make for name, one in some)
    return ModelEstimate(
        timing,
        images,
        make + (timing.load if images else 0.0),
        timing.save * kept,
        score,
        timing.image_bytes * kept,
    )


def fit_seconds(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return a and b of seconds = a + b x evaluations, neither below 0, by least squares.

    One number of evaluations alone says nothing of a, which is then 0.

    >>> a, b = fit_seconds([(10, 0.3), (50, 1.1)])
    >>> round(a, 6), round(b, 6)
    (0.1, 0.02)

    """
    x, y = np.array(points, dtype=float).T
    if np.ptp(x) > 0:
        slope, constant = np.polyfit(x, y, 1)
        if slope >= 0 and constant >= 0:
            return float(constant), float(slope)
        if slope < 0:  # noise: the steps cost nothing that could be measured
            return float(y.mean()), 0.0
    return 0.0, float((x * y).sum() / (x * x).sum())
