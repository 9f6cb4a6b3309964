"""Scores that pile up at one end: there a mean hardly moves, and says little of the full set."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from flasheval.subset.paired import Scores

__all__ = ["saturated", "without_saturated"]

_SHARE = 0.9
_NEAR = 0.01  # of the scores' whole range
_FEWEST = 5  # prompts; of fewer nothing can be said


def saturated(scores: npt.ArrayLike) -> float | None:
    """Return the end of a metric's range at which nine in ten scores lie, or None.

    It is the least or the greatest of them. A mean alone, scores that lie apart, and scores that
    are all the same, which tell of no end, have none.

    >>> saturated([0.0] * 19 + [1.0]), saturated([0.0, 1.0] * 10), saturated(0.3)
    (0.0, None, None)
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or len(values) < _FEWEST or not np.isfinite(values).all():
        return None
    if np.ptp(values) == 0:
        return None
    for end in (values.min(), values.max()):
        if (np.abs(values - end) <= _NEAR * np.ptp(values)).mean() >= _SHARE:
            return float(end)
    return None


def without_saturated(
    errors: Mapping[str, float], *variants: Scores
) -> tuple[dict[str, float], dict[str, str]]:
    """Return paired errors that can be trusted, and by metric a warning about the others.

    Where nearly all scores of a model are at one end, paired errors are next to 0 for want of room,
    not because the models are alike.

    >>> first, second = {"m": [0.0, 0.2] * 10}, {"m": [0.0] * 19 + [0.1]}
    >>> kept, warned = without_saturated({"m": 0.001}, first, second)
    >>> kept, warned["m"][:52]
    ({}, 'nearly all m scores are 0, an end of what it gives: ')
    """
    kept, warned = dict(errors), {}
    for scores in variants:
        for metric, given in scores.items():
            end = saturated(given)
            if end is not None:
                kept.pop(metric, None)
                warned[metric] = (
                    f"nearly all {metric} scores are {end:.4g}, an end of what it gives: a "
                    "difference there says little of the full set"
                )
    return kept, warned
