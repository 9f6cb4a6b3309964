"""Scores that need more digits than float32 has: found by what becomes of a prompt's scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_scores", "exact_warnings", "loses_scores"]

_HARMLESS = 1e-5  # a difference this small beside a prompt's range of scores tells nothing
_COARSE = 1e-2  # a rounding error this large beside it is told
_LOST = 1e-3  # share of the scores that may come to that
_STEP = 2.0**-23  # of float32, relative
_BLOCK = 1 << 20


def as_scores(values: NDArray[Any], *, exact: bool = False) -> NDArray[np.float32]:
    """Return values as float32, or as float64 where float32 would lose scores, see `loses_scores`.

    ``exact`` says that they are known to need float64.

    >>> as_scores(np.array([[0.1], [0.2]])).dtype, as_scores(np.array([[16777216], [16777217]]))
    (dtype('float32'), array([[16777216.],
           [16777217.]]))
    """
    wide = values.dtype.kind != "f" or values.dtype.itemsize > 4
    kind = np.float64 if exact or (wide and loses_scores(values)) else np.float32
    with np.errstate(over="ignore"):  # what is too large is told by whoever asked
        found: NDArray[np.float32] = np.ascontiguousarray(values, dtype=kind)
    return found


def loses_scores(values: NDArray[Any]) -> bool:
    """Tell whether float32 makes different scores of a prompt equal, or rounds them coarsely.

    Args:
        values: [variants, prompts], NaN where not measured.

    Differences below a hundred-thousandth of the usual range of a prompt's scores do not count, nor
    do rounding errors below a hundredth of it; one score in a thousand may be lost.

    >>> loses_scores(np.array([[1e6, 1e6], [1e6 + 0.01, 1e6 + 0.02]]))
    True
    >>> loses_scores(np.array([[0.1, 0.2], [0.3, 0.3]]))
    False

    """
    if values.shape[0] < 2 or not values.size:
        return False
    least, most = np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)
    least, most = least.astype(np.float64), most.astype(np.float64)
    known = np.isfinite(least) & np.isfinite(most)
    if not known.any():
        return False
    usual = float((most - least)[known].mean())
    if usual == 0:  # nothing to tell apart
        return False
    coarse = known & (np.maximum(np.abs(least), np.abs(most)) * _STEP > _HARMLESS * usual)
    columns = np.flatnonzero(coarse)
    step = max(1, _BLOCK // values.shape[0])
    lost = 0
    for begin in range(0, len(columns), step):
        part = np.sort(values[:, columns[begin : begin + step]].astype(np.float64), axis=0)
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = part.astype(np.float32)
            told = np.diff(part, axis=0) > _HARMLESS * usual
            lost += int((told & (np.diff(rounded, axis=0) <= 0)).sum())
            lost += int((np.abs(part - rounded) > _COARSE * usual).sum())
    return bool(lost > _LOST * values.shape[0] * known.sum())


def exact_warnings(metrics: Sequence[str]) -> list[str]:
    """Return the warning of metrics that are kept in float64; nothing where there are none.

    >>> exact_warnings(["elo"])  # doctest: +ELLIPSIS
    ['elo: its scores need more digits than float32 has, so they are kept in float64; subtract ...']
    """
    return [
        f"{metric}: its scores need more digits than float32 has, so they are kept in float64; "
        "subtract what they have in common to save memory"
        for metric in metrics
    ]
