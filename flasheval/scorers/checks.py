"""Checks that every scorer makes: as many prompts as images, and one number or NaN an image."""

from __future__ import annotations

import math
from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError

__all__ = ["check_batch", "check_lengths", "check_scores"]


def check_batch(kind: str, batch: int) -> None:
    """Raise SettingError unless the number of images at a time is above 0.

    >>> check_batch("clip", 32)
    >>> check_batch("clip", 0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: scorer clip: batch=0; expected a whole number above 0
    """
    if batch < 1:
        raise SettingError(f"scorer {kind}: batch={batch}; expected a whole number above 0")


def check_lengths(name: str, images: Sized, prompts: Sequence[str]) -> None:
    """Raise DataError unless there is one prompt an image.

    >>> check_lengths("CLIP", ["image 1", "image 2"], ["a cat"])
    Traceback (most recent call last):
    flasheval.base.errors.DataError: scorer CLIP: 2 images for 1 prompts; give one each
    """
    if len(images) != len(prompts):
        raise DataError(
            f"scorer {name}: {len(images)} images for {len(prompts)} prompts; give one each"
        )


def check_scores(name: str, scores: Any, count: int) -> NDArray[np.float32]:
    """Convert the results of a scorer to float32 [count]; None becomes NaN.

    Args:
        name: The metric, for the message.
        scores: Numbers or None: a list, an array, or a tensor on any device.
        count: How many there must be.

    Raises:
        DataError: There are more or fewer, or one is infinite or not a number.

    >>> check_scores("blur", [1, None, 0.5], 3)
    array([1. , nan, 0.5], dtype=float32)
    >>> check_scores("blur", [0.5], 3)
    Traceback (most recent call last):
    flasheval.base.errors.DataError: scorer blur: it returned 1 of 3 scores; expected one an image

    """
    try:
        found = [_number(score) for score in scores]
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"scorer {name}: it returned {_shown(scores)}; expected {count} numbers, one an image"
        ) from error
    if len(found) != count:
        raise DataError(
            f"scorer {name}: it returned {len(found)} of {count} scores; expected one an image"
        )
    with np.errstate(over="ignore"):
        values = np.array(found, dtype=np.float32)
    if np.isinf(values).any():
        where = int(np.flatnonzero(np.isinf(values))[0])
        raise DataError(
            f"scorer {name}: the score of image {where + 1} of {count} is {found[where]:g}; "
            "expected a finite number, or NaN where there is none"
        )
    return values


def _number(score: Any) -> float:
    if score is None:
        return math.nan
    if isinstance(score, str):
        raise TypeError
    return float(score.item() if hasattr(score, "item") else score)  # .item() of a tensor, an array


def _shown(scores: object) -> str:
    shape = getattr(scores, "shape", None)
    return f"a {type(scores).__name__}" + (f" of shape {tuple(shape)}" if shape else "")
