"""From the searches repeated without each fold to a `Calibration`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from flasheval.scores import ScoreMatrix, ScoreTable
from flasheval.selection.calibration.differences import Scale, difference_errors
from flasheval.selection.calibration.folds import Expect
from flasheval.selection.calibration.regression import cross_predictions, shrunken_weights
from flasheval.selection.calibration.scale import mean_square, t_scale
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.selector import Selection, subset_means
from flasheval.subset.calibration import Calibration
from flasheval.subset.paired import paired_errors
from flasheval.subset.predictor import GROWTH, MetricCalibration, Predictor

__all__ = ["fit_calibration", "predicting_matrices"]

_TAILS = 8  # degrees of freedom: the errors' tails are a little heavier than the normal's


@dataclass(frozen=True)
class _Line:
    """Full scores as a straight line in subset means."""

    full_mean: float
    subset_mean: float
    slope: float

    def __call__(self, subset_means: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.full_mean + self.slope * (subset_means - self.subset_mean)


@dataclass(frozen=True)
class _Fold:
    """What one fold's subset says of the variants held out, in standard units.

    Attributes:
        standard: float64 [metrics, held out], as the line of the fold's search variants gives.
        full: float64 [metrics, held out].
        errors: float64 [metrics, held out, held out], paired standard errors.

    """

    standard: NDArray[np.float64]
    full: NDArray[np.float64]
    errors: NDArray[np.float64]


def fit_calibration(
    matrices: Sequence[ScoreMatrix],
    selection: Selection,
    folds: Sequence[Split],
    selections: Sequence[Selection],
    *,
    expect: Expect = "similar",
    group: str | None = None,
    near_ties: Mapping[str, float] | None = None,
) -> Calibration | None:
    """Learn what a subset's scores say of the full set's from subsets that did not see a fold.

    Each fold's subset has a scale of its own, so its means are first put on the line of full on
    subset means of the variants it was searched on, as the final subset's will be. The full scores
    of the variants held out are then regressed on those predictions (`regression`), once more
    without the fold at hand, and what is left are errors like those on new variants. Folds have
    fewer variants to search on than there are in all, so the errors come out slightly too large.

    Random folds: errors follow a t distribution of 8 degrees of freedom. Groups: the mean square
    within each group, averaged over groups, so what a group has in common counts in full, with as
    many degrees of freedom as there are groups less one.

    Args:
        matrices: The metrics' scores [variants, prompts], aligned and complete. The subset need
            not have been searched on all of them.
        selection: The subset searched on all variants.
        folds: The folds.
        selections: The subset searched without each fold.
        expect: Whether the folds are random parts or groups.
        group: The factor the groups are of, where they are groups.
        near_ties: By metric, the share of pairs that the full set does not tell apart.

    Returns:
        The calibration, of the metrics in which the known variants differ at all; None if there
        is none.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table, chosen = synthetic_scores(12, 60), Selection(np.arange(20))
        >>> every = np.arange(12)
        >>> folds = [Split("a", every[6:], every[:6]), Split("b", every[:6], every[6:])]
        >>> found = fit_calibration(list(table.matrices.values()), chosen, folds, [chosen] * 2)
        >>> list(found.metrics), found.folds
        (['quality', 'alignment'], 2)

    """
    usable = [matrix for matrix in matrices if np.ptp(matrix.full_means) > 0]
    if not usable:
        return None
    full = np.stack([np.asarray(matrix.full_means, dtype=np.float64) for matrix in usable])
    spread = full.std(axis=1, ddof=1)
    parts = [
        _fold(usable, full, spread, fold, chosen)
        for fold, chosen in zip(folds, selections, strict=True)
    ]
    grouped = expect == "new_family"
    n, count = full.shape[1], len(folds)
    dof = count - 1 if grouped else min(_TAILS, n - 1)
    pair_dof = count - 1 if grouped else min(_TAILS, n - count)
    scales = tuple(mean_square if grouped else partial(t_scale, dof=d) for d in (dof, pair_dof))
    everyone = np.arange(n)
    metrics = {}
    for row, matrix in enumerate(usable):
        means = subset_means(matrix.values, selection)
        line = _line(full[row], means, everyone)
        alone = _predictor(usable, parts, [row], row, scales, grouped)
        several = _predictor(usable, parts, range(len(usable)), row, scales, grouped)
        metrics[matrix.metric] = MetricCalibration(
            higher_is_better=matrix.higher_is_better,
            full_mean=line.full_mean,
            full_sd=float(spread[row]),
            subset_mean=line.subset_mean,
            slope=line.slope,
            low=float(means.min()),
            high=float(means.max()),
            alone=alone,
            joint=several if len(usable) > 1 else None,
            near_ties=(near_ties or {}).get(matrix.metric),
        )
    return Calibration(metrics, dof, pair_dof, count, expect, group if grouped else None)


def predicting_matrices(given: ScoreTable, table: ScoreTable) -> list[ScoreMatrix]:
    """Return the scores served, and of the other metrics those complete for the same variants.

    The images are the same, so scoring them on another metric too costs little, and helps a little
    to predict.

    Args:
        given: All there is.
        table: What is served: complete variants of `given` and some of its metrics.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> given = synthetic_scores(8, 20)
        >>> served = given.with_metrics(["alignment"])
        >>> [matrix.metric for matrix in predicting_matrices(given, served)]
        ['alignment', 'quality']

    """
    return [*table.matrices.values(), *given.other_metrics(table)]


def _predictor(
    matrices: Sequence[ScoreMatrix],
    folds: Sequence[_Fold],
    rows: Sequence[int],
    target: int,
    scales: tuple[Scale, ...],
    grouped: bool,
) -> Predictor:
    """Fit one metric's prediction from the metrics `rows`, and its errors."""
    own = list(rows).index(target)
    standard = [fold.standard[rows] for fold in folds]
    full = [fold.full[target] for fold in folds]
    predicted = cross_predictions(standard, full, own)
    weights = shrunken_weights(np.concatenate(standard, axis=1), np.concatenate(full), own)
    shares = np.concatenate(
        [np.full(len(part), 1 / len(part) if grouped else 1.0) for part in full]
    )
    values = np.concatenate(predicted)
    typical = mean_square(values**2, shares) ** 0.5 or 1.0
    grown = 1 - GROWTH + GROWTH * (values / typical) ** 2
    squares = (np.concatenate(full) - values) ** 2 / grown
    differences = difference_errors(
        full, predicted, [fold.errors[target] for fold in folds], scales[1], equal_folds=grouped
    )
    return Predictor(
        weights={matrices[row].metric: float(w) for row, w in zip(rows, weights, strict=True)},
        scale=scales[0](squares, shares) ** 0.5,
        typical_value=typical,
        by_error=differences.by_error,
        by_size=differences.by_size,
        typical_difference=differences.typical_difference,
    )


def _fold(
    matrices: Sequence[ScoreMatrix],
    full: NDArray[np.float64],
    spread: NDArray[np.float64],
    fold: Split,
    selection: Selection,
) -> _Fold:
    out = fold.held_out
    centre = full.mean(axis=1)
    standard, errors = [], []
    for row, matrix in enumerate(matrices):
        means = subset_means(matrix.values, selection)
        line = _line(full[row], means, fold.search)
        standard.append((line(means[out]) - centre[row]) / spread[row])
        chosen = matrix.values[np.ix_(out, selection.indices)]
        errors.append(paired_errors(chosen, selection.weights) / spread[row])
    scaled = (full[:, out] - centre[:, None]) / spread[:, None]
    return _Fold(np.stack(standard), scaled, np.stack(errors))


def _line(
    full: NDArray[np.float64], means: NDArray[np.float64], members: NDArray[np.int64]
) -> _Line:
    """Least squares of full scores on subset means over some of the variants."""
    x, y = means[members], full[members]
    deviations = x - x.mean()
    square = float(deviations @ deviations)
    slope = float(deviations @ (y - y.mean())) / square if square > 0 else 0.0
    return _Line(float(y.mean()), float(x.mean()), slope)
