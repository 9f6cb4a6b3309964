"""Why each prompt is in: what the subset loses without it, and who else would choose it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.ranking.kendall import kendall_tau_b_many
from flasheval.selection.methods.selector import Selection

__all__ = ["Contribution", "contribution_of", "times_chosen"]


@dataclass(frozen=True, eq=False)
class Contribution:
    """What a metric's agreement with the full set loses without each prompt, in sample.

    Attributes:
        metric: Its name.
        tau: float64 [size], tau-b of the subset less tau-b without the prompt: above 0 it helps.
        unexplained: float64 [size], by how much the share of the full means' variance that a
            straight line on the subset means leaves unexplained (1 - r^2) grows without it. It
            moves smoothly where tau moves in steps.

    """

    metric: str
    tau: NDArray[np.float64]
    unexplained: NDArray[np.float64]


def contribution_of(metric: str, values: NDArray[np.float32], selection: Selection) -> Contribution:
    """Leave each prompt out in turn.

    Args:
        metric: The metric's name.
        values: float32 [variants, prompts], complete.
        selection: The subset.

    Returns:
        NaN for a subset of one prompt, and where means are all equal.

    Example:
        >>> values = np.array([[0, 1, 0], [1, 0, 1], [2, 2, 2]], dtype=np.float32)
        >>> found = contribution_of("clip", values, Selection(np.array([0, 1])))
        >>> found.tau.round(2).tolist()  # the first ranks all three right, the second two of them
        [0.48, -0.18]

    """
    full = values.mean(axis=1, dtype=np.float64)
    chosen = values[:, selection.indices].astype(np.float64)
    size = chosen.shape[1]
    weights = np.ones(size) if selection.weights is None else selection.weights
    if size < 2:
        return Contribution(metric, np.full(size, np.nan), np.full(size, np.nan))
    whole = chosen @ weights
    without = (whole[:, None] - chosen * weights) / (weights.sum() - weights)
    sets = np.ascontiguousarray(np.vstack([whole / weights.sum(), without.T]))
    tau = kendall_tau_b_many(sets, full)
    rest = _unexplained(sets, full)
    return Contribution(metric, tau[0] - tau[1:], rest[1:] - rest[0])


def times_chosen(
    selection: Selection, others: Sequence[Selection | None]
) -> tuple[NDArray[np.int64], int]:
    """Count in how many other searches each prompt was chosen too, and the searches known.

    Example:
        >>> others = [Selection(np.array([7, 4])), None, Selection(np.array([7, 9]))]
        >>> times_chosen(Selection(np.array([7, 2])), others)  # counts, searches known
        (array([2, 0]), 2)

    """
    known = [set(one.indices.tolist()) for one in others if one is not None]
    counts = [sum(int(prompt) in one for one in known) for prompt in selection.indices]
    return np.array(counts, dtype=np.int64), len(known)


def _unexplained(sets: NDArray[np.float64], full: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - r^2 of each row with the full means; NaN where a side is constant."""
    centred = sets - sets.mean(axis=1, keepdims=True)
    target = full - full.mean()
    squares = (centred**2).sum(axis=1) * (target @ target)
    known = squares > 0
    share: NDArray[np.float64] = np.where(
        known, (centred @ target) ** 2 / np.where(known, squares, 1), np.nan
    )
    return 1 - share
