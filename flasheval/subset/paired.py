"""Mean scores of variants over a subset, and paired standard errors of their differences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError

__all__ = ["Scores", "paired_errors", "paired_errors_of", "weighted_means"]

Scores = Mapping[str, float | npt.ArrayLike]
"""A variant's scores by metric: its mean over the subset, one score a prompt, in order, or those of
each prompt's images, [prompts, images], NaN where there is none."""


def weighted_means(scores: Scores, weights: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return the mean score by metric, weighted when there is one score a prompt.

    Raises DataError for scores of another number of prompts than there are weights.

    >>> weighted_means({"clip": [1.0, 4.0], "hps": 0.2}, np.array([2.0, 1.0]))
    {'clip': 2.0, 'hps': 0.2}
    """
    means = {}
    for metric, given in scores.items():
        values = np.asarray(given, dtype=np.float64)
        if values.ndim and values.shape != weights.shape:
            raise DataError(
                f'scores of "{metric}" have shape {values.shape}; expected a mean, or one score '
                f"for each of the {len(weights)} prompts"
            )
        means[metric] = float(np.average(values, weights=weights) if values.ndim else values)
    return means


def paired_errors_of(
    first: Scores, second: Scores, weights: npt.NDArray[np.float64]
) -> dict[str, float]:
    """Return the paired standard error by metric, when both variants have one score a prompt.

    >>> first, second = {"clip": [1.0, 2.0, 3.0], "hps": 0.2}, {"clip": [1.0, 1.0, 1.0], "hps": 0.3}
    >>> {key: round(error, 4) for key, error in paired_errors_of(first, second, np.ones(3)).items()}
    {'clip': 0.5774}
    """
    paired = [metric for metric in first if metric in second and len(weights) > 1]
    return {
        metric: float(paired_errors(np.stack([first[metric], second[metric]]), weights)[0, 1])
        for metric in paired
        if np.ndim(first[metric]) and np.ndim(second[metric])
    }


def paired_errors(
    scores: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> npt.NDArray[np.float64]:
    """Return the paired standard errors of the differences of variants' (weighted) mean scores.

    With weights u that sum to 1 and d = x_i - x_j,

        se_ij = sqrt(N / (N - 1) sum_p u_p^2 (d_p - sum_q u_q d_q)^2)

    which for equal weights is sd(d) / sqrt(N).

    Args:
        scores: float [variants, N prompts].
        weights: float [N], any positive scale; 1 unless given.

    Returns:
        float64 [variants, variants], symmetric, 0 on the diagonal; all NaN for a single prompt.

    Example:
        >>> paired_errors([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]])[0].round(4).tolist()
        [0.0, 0.5774]

    """
    values = np.asarray(scores, dtype=np.float64)
    n, count = values.shape
    if count < 2:
        return np.full((n, n), np.nan)
    shares = np.ones(count) if weights is None else np.asarray(weights, dtype=np.float64)
    shares = shares / shares.sum()
    # Differences this small are rounding of the scores, not differences.
    floor = (8 * np.finfo(np.float64).eps * np.abs(values).max()) ** 2 * (shares @ shares)
    # The mean variant is taken off: it cancels in every difference and would cost digits.
    values = values - values.mean(axis=0)
    parts = shares * (values - (values @ shares)[:, None])
    gram = parts @ parts.T
    squares = np.diag(gram)[:, None] + np.diag(gram)[None] - 2 * gram
    # Nor is what is left over when nearly equal sums are subtracted.
    squares[squares < max(floor, 1e-14 * np.diag(gram).max())] = 0.0
    np.fill_diagonal(squares, 0.0)
    errors: npt.NDArray[np.float64] = np.sqrt(squares * count / (count - 1))
    return errors
