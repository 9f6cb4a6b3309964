"""The smooth loss: how likely a set is to order a pair of variants wrongly, averaged over pairs.

For a pair with full order i above j, margin = sum_S X_i - sum_S X_j and predicted noise standard
deviation s = sqrt(2 * inflation * sum_S D), the loss is 1 / (1 + exp(1.702 margin / s)): the normal
probability of a wrong sign, through the usual logistic approximation. `inflation` is the number of
times the noise D of the search variants is counted, for unseen variants are noisier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.ranking.jit import compiled, compiled_parallel, prange
from flasheval.scores.ranking.prepare import prepare_target
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.statistics import prompt_statistics

__all__ = ["SmoothLoss", "pair_loss", "smooth_loss"]

_LOGISTIC = 1.702


@dataclass(frozen=True)
class SmoothLoss:
    """A problem's scores laid out for the smooth loss.

    Attributes:
        rows: float32 [metrics, prompts, n], centred per prompt, variants by descending target.
        first_below: int64 [metrics, n], in that order: the first variant strictly below each one.
        noise: float64 [metrics, prompts], D.
        inflation: Times the noise is counted.

    """

    rows: NDArray[np.float32]
    first_below: NDArray[np.int64]
    noise: NDArray[np.float64]
    inflation: float

    def of_sets(self, sets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean loss over metrics of each row of int64 [sets, N] prompt indices: float64 [sets]."""
        return _losses(self.rows, self.first_below, self.noise, self.inflation, sets)


def smooth_loss(problem: Problem, *, inflation: float) -> SmoothLoss:
    """Lay a problem's scores out for the smooth loss."""
    rows, below, noise = [], [], []
    for scores, target in zip(problem.scores, problem.targets(), strict=True):
        prepared = prepare_target(target)
        centred = scores[prepared.order] - scores.mean(axis=0)
        rows.append(np.ascontiguousarray(centred.T))
        below.append(prepared.first_below)
        noise.append(prompt_statistics(scores).noise)
    return SmoothLoss(np.stack(rows), np.stack(below), np.stack(noise), float(inflation))


@compiled
def pair_loss(
    sums: NDArray[np.float64],
    first_below: NDArray[np.int64],
    noise: NDArray[np.float64],
    inflation: float,
) -> float:
    """Loss of one set from its sums [metrics, n] and its summed noise [metrics]."""
    n_metrics, n = sums.shape
    total = 0.0
    for m in range(n_metrics):
        steepness = _LOGISTIC / np.sqrt(2.0 * inflation * noise[m])
        wrong, pairs = 0.0, 0
        for i in range(n):
            for j in range(first_below[m, i], n):
                wrong += 1.0 / (1.0 + np.exp((sums[m, i] - sums[m, j]) * steepness))
                pairs += 1
        total += wrong / pairs
    return float(total / n_metrics)


@compiled_parallel
def _losses(
    rows: NDArray[np.float32],
    first_below: NDArray[np.int64],
    noise: NDArray[np.float64],
    inflation: float,
    sets: NDArray[np.int64],
) -> NDArray[np.float64]:
    losses = np.empty(len(sets))
    for index in prange(len(sets)):
        sums = np.zeros((rows.shape[0], rows.shape[2]))
        spread = np.zeros(rows.shape[0])
        for prompt in sets[index]:
            for m in range(rows.shape[0]):
                spread[m] += noise[m, prompt]
                for v in range(rows.shape[2]):
                    sums[m, v] += rows[m, prompt, v]
        losses[index] = pair_loss(sums, first_below, spread, inflation)
    return losses
