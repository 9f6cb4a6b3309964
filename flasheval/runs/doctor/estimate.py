"""Estimating the cost of a run from a few timed batches and the work that is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Left", "ModelEstimate", "ModelTiming", "estimate_model", "fit_seconds"]


@dataclass(frozen=True)
class ModelTiming:
    """The times of one loaded model, measured on a few batches.

    Seconds an image = fixed + per_evaluation x evaluations.

    Attributes:
        label: The checkpoint, folder or function it was loaded from.
        variants: The variants that share it.
        load: Seconds to load it.
        fixed: Seconds an image takes however many evaluations it has.
        per_evaluation: Seconds of one network evaluation.
        evaluations: Evaluations by variant, or steps, or 1, whichever is known.
        counted: Whether these are counted network evaluations.
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
        """Return the seconds an image of a variant takes to make.

        >>> timing = ModelTiming("sd15", ("DDIM10", "DDIM50"), load=5.0, fixed=0.1,
        ...                      per_evaluation=0.02, evaluations={"DDIM10": 10, "DDIM50": 50},
        ...                      counted=True, score={}, save=0.01, image_bytes=2e5, batches=2)
        >>> round(timing.seconds("DDIM10"), 2), round(timing.seconds("DDIM50"), 2)
        (0.3, 1.1)
        """
        return self.fixed + self.per_evaluation * self.evaluations[variant]


@dataclass(frozen=True)
class Left:
    """Images of a variant that are left to make, to keep, and to score in each metric."""

    make: int
    keep: int
    score: Mapping[str, int]


@dataclass(frozen=True)
class ModelEstimate:
    """The estimated cost of one model's variants, in seconds and bytes.

    Attributes:
        timing: The times it is estimated from.
        images: Images to make.
        make: Seconds to load the model and make them.
        save: Seconds to compress the images that are kept.
        score: Seconds to score.
        image_bytes: Bytes of the images that are kept.

    """

    timing: ModelTiming
    images: int
    make: float
    save: float
    score: float
    image_bytes: float

    @property
    def seconds(self) -> float:
        """Seconds of everything, on one device.

        >>> ModelEstimate(None, images=100, make=35.0, save=1.0, score=5.0, image_bytes=0.0).seconds
        41.0
        """
        return self.make + self.save + self.score


def estimate_model(timing: ModelTiming, left: Mapping[str, Left]) -> ModelEstimate:
    """Estimate the cost of a model's variants, given the work left for each.

    >>> timing = ModelTiming("sd15", ("DDIM10",), load=5.0, fixed=0.1, per_evaluation=0.02,
    ...                      evaluations={"DDIM10": 10}, counted=True, score={"CLIP": 0.05},
    ...                      save=0.01, image_bytes=2e5, batches=2)
    >>> left = Left(make=100, keep=0, score={"CLIP": 100})
    >>> estimate = estimate_model(timing, {"DDIM10": left})
    >>> round(estimate.make, 2), round(estimate.score, 2), round(estimate.seconds, 2)
    (35.0, 5.0, 40.0)
    """
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
    """Fit seconds = a + b x evaluations by least squares, with a and b at least 0.

    With only one distinct number of evaluations a cannot be fitted and is 0.

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
