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
from flasheval.selection.images import ImageUse, image_values
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
class _Scores:
    """One metric's scores [variants, prompts] that subset means are taken of, by their images.

    Attributes:
        known: Of the known variants, for the subset's own line.
        line: The same in a fold, for its line.
        new: Of the variants held out, as those of a new variant will be.

    """

    known: NDArray[np.float32]
    line: NDArray[np.float32]
    new: NDArray[np.float32]


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
    images: ImageUse | None = None,
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

    On other seeds the images are parted together with the variants: a fold's search saw the first
    half of the other variants' images alone, its line is that of full scores on subset means over
    those images, and the variants held out come in with the means of images that no search saw. So
    all that the search made of the prompts' seeds, and that does not come again, is in the errors.
    Full scores are means over all images throughout. Where the subset is to be used with more
    images than there are to judge by, the errors come out too large: what averaging more of them
    takes away is not counted. The searches see half of the images that the subset's own saw, which
    makes the errors slightly too large too.

    Args:
        matrices: The metrics' scores [variants, prompts], aligned and complete. The subset need
            not have been searched on all of them.
        selection: The subset searched on all variants.
        folds: The folds.
        selections: The subset searched without each fold.
        expect: Whether the folds are random parts or groups.
        group: The factor the groups are of, where they are groups.
        near_ties: By metric, the share of pairs that the full set does not tell apart.
        images: Which images the folds' searches saw and which the subset's scores come from, as
            in the folds' splits; None for all. Metrics that lack those images are left out.

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
    usable, scores = _with_images(usable, folds, images)
    if not usable or len(folds) < 2:
        return None
    full = np.stack([np.asarray(matrix.full_means, dtype=np.float64) for matrix in usable])
    spread = full.std(axis=1, ddof=1)
    parts = [
        _fold(scores, full, spread, fold, chosen)
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
        means = subset_means(scores[row].known, selection)
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
    other = images is not None and images.other_seeds
    return Calibration(
        metrics,
        dof,
        pair_dof,
        count,
        expect,
        group if grouped else None,
        seeds="other" if other else "search",
    )


def _with_images(
    matrices: Sequence[ScoreMatrix], folds: Sequence[Split], images: ImageUse | None
) -> tuple[list[ScoreMatrix], list[_Scores]]:
    """Return the metrics that have the images, and what subset means are taken of in each."""
    found, scores = [], []
    for matrix in matrices:
        if images is None:
            one = _Scores(matrix.values, matrix.values, matrix.values)
        elif matrix.images_per_prompt <= max(images.judged):
            continue
        else:
            new = image_values(matrix, images.judged)
            seen = image_values(matrix, images.searched) if images.other_seeds else new
            known = matrix.values if images.other_seeds else new
            one = _Scores(known, seen, new)
            members = np.concatenate([one.new[fold.held_out] for fold in folds])
            if np.isnan(members).any() or np.isnan(one.known).any():
                continue
        found.append(matrix)
        scores.append(one)
    return found, scores


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
    scores: Sequence[_Scores],
    full: NDArray[np.float64],
    spread: NDArray[np.float64],
    fold: Split,
    selection: Selection,
) -> _Fold:
    out = fold.held_out
    centre = full.mean(axis=1)
    standard, errors = [], []
    for row, one in enumerate(scores):
        line = _line(full[row], subset_means(one.line, selection), fold.search)
        means = subset_means(one.new, selection)
        standard.append((line(means[out]) - centre[row]) / spread[row])
        chosen = one.new[np.ix_(out, selection.indices)]
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
