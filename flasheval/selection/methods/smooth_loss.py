"""The smooth loss: how likely a set is to order a pair of variants wrongly, averaged over pairs.

For a pair with full order i above j, margin = sum_S X_i - sum_S X_j and predicted noise standard
deviation s = sqrt(2 * inflation * sum_S D), the loss is 1 / (1 + exp(1.702 margin / s)): the normal
probability of a wrong sign, through the usual logistic approximation. `inflation` is the number of
times the noise D of the search variants is counted, for unseen variants are noisier. Where features
of the prompts are known, what they explain is noise too: t |sum_S F|^2 beside sum_S D.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.base.threads import in_blocks
from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.lanes import LANES, add, load, share_of, total, zero_like
from flasheval.scores.ranking.prepare import prepare_target
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.statistics import (
    UNLIKE,
    explained_variance,
    slope_and_residual,
)

__all__ = ["SmoothLoss", "pair_loss", "smooth_loss"]

_LOGISTIC = 1.702
_FAR = 600.0  # of the 1,400 that exponents of float64 span
_BLOCK = 1024  # sets a thread takes at a time


@dataclass(frozen=True)
class SmoothLoss:
    """A problem's scores laid out for the smooth loss; n rows, see `Problem.search_rows`.

    Attributes:
        rows: float32 [metrics, prompts, n], centred per prompt, variants by descending target.
        first_below: int64 [metrics, n], in that order: the first variant strictly below each one.
        noise: float64 [metrics, prompts], D.
        inflation: Times the noise is counted.
        features: float64 [prompts, features], F, centred over prompts; no columns for none.
        unlike: float64 [metrics], t, the variance that they add.

    """

    rows: NDArray[np.float32]
    first_below: NDArray[np.int64]
    noise: NDArray[np.float64]
    inflation: float
    features: NDArray[np.float64]
    unlike: NDArray[np.float64]

    def of_sets(self, sets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean loss over metrics of each row of int64 [sets, N] prompt indices: float64 [sets]."""
        losses = np.empty(len(sets))

        def count(first: int, last: int) -> None:
            part = slice(first, last)
            _losses(
                self.rows,
                self.first_below,
                self.noise,
                self.inflation,
                self.features,
                self.unlike,
                sets[part],
                losses[part],
            )

        in_blocks(len(sets), _BLOCK, count)
        return losses


def smooth_loss(problem: Problem, *, inflation: float) -> SmoothLoss:
    """Lay a problem's scores out for the smooth loss."""
    rows, below, noise, unlike = [], [], [], np.zeros(len(problem.scores))
    for metric, (scores, target) in enumerate(zip(*problem.search_rows(), strict=True)):
        prepared = prepare_target(target)
        centred = scores[prepared.order] - scores.mean(axis=0)
        rows.append(np.ascontiguousarray(centred.T))
        below.append(prepared.first_below)
        statistics = problem.statistics(metric)
        noise.append(statistics.noise)
        if problem.features is not None:
            _, error = slope_and_residual(problem.scores[metric], None, statistics.quality)
            freedom = max(1, problem.n_variants - 2)
            unlike[metric] = UNLIKE * explained_variance(error, problem.features) / freedom
    features = np.empty((problem.n_prompts, 0))
    if problem.features is not None:
        features = np.ascontiguousarray(problem.features.T)
    return SmoothLoss(
        np.stack(rows), np.stack(below), np.stack(noise), float(inflation), features, unlike
    )


@compiled
def pair_loss(
    sums: NDArray[np.float64],
    first_below: NDArray[np.int64],
    noise: NDArray[np.float64],
    inflation: float,
    odds: NDArray[np.float64],
) -> float:
    """Loss of one set from its sums [metrics, n] and its summed noise [metrics].

    1 / (1 + exp(k (s_i - s_j))) is w_i / (w_i + w_j) with w = exp(-k s): one exponential a
    variant, and one division a pair, sixteen at a time. Where sums lie so far apart that w would
    leave the range of float64 each pair gets its own exponential.

    Args:
        sums: float64 [metrics, n], variants by descending target.
        first_below: int64 [metrics, n], see `SmoothLoss`.
        noise: float64 [metrics].
        inflation: Times the noise is counted.
        odds: float64 [n + LANES], scratch.

    """
    n_metrics, n = sums.shape
    loss = 0.0
    for m in range(n_metrics):
        steepness = _LOGISTIC / np.sqrt(2.0 * inflation * noise[m])
        centre, lowest, highest, pairs = 0.0, sums[m, 0], sums[m, 0], 0
        for i in range(n):
            centre += sums[m, i]
            lowest, highest = min(lowest, sums[m, i]), max(highest, sums[m, i])
            pairs += n - first_below[m, i]
        centre /= n
        if (highest - lowest) * steepness < _FAR:
            for i in range(n):
                odds[i] = np.exp((centre - sums[m, i]) * steepness)
            odds[n:] = np.inf  # pads the last lanes: a share of 0
            wrong = zero_like(load(odds, 0))
            for i in range(n):
                for j in range(first_below[m, i], n, LANES):
                    wrong = add(wrong, share_of(odds[i], load(odds, j)))
            loss += total(wrong) / pairs
        else:
            apart = 0.0
            for i in range(n):
                for j in range(first_below[m, i], n):
                    apart += 1.0 / (1.0 + np.exp((sums[m, i] - sums[m, j]) * steepness))
            loss += apart / pairs
    return float(loss / n_metrics)


@compiled
def _losses(
    rows: NDArray[np.float32],
    first_below: NDArray[np.int64],
    noise: NDArray[np.float64],
    inflation: float,
    features: NDArray[np.float64],
    unlike: NDArray[np.float64],
    sets: NDArray[np.int64],
    losses: NDArray[np.float64],
) -> None:
    n_metrics, _, n = rows.shape
    n_features = features.shape[1]
    sums, spread, kinds = np.empty((n_metrics, n)), np.empty(n_metrics), np.empty(n_features)
    odds = np.empty(n + LANES)
    for index in range(len(sets)):
        sums[:], spread[:], kinds[:] = 0.0, 0.0, 0.0
        for prompt in sets[index]:
            for f in range(n_features):
                kinds[f] += features[prompt, f]
            for m in range(n_metrics):
                spread[m] += noise[m, prompt]
                for v in range(n):
                    sums[m, v] += rows[m, prompt, v]
        square = 0.0
        for f in range(n_features):
            square += kinds[f] * kinds[f]
        for m in range(n_metrics):
            spread[m] += unlike[m] * square
        losses[index] = pair_loss(sums, first_below, spread, inflation, odds)
