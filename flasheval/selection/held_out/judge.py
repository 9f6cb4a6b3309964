"""Held-out evaluation: search on some variants, judge the subset on the others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.ranking.kendall import kendall_tau_b_many
from flasheval.scores.ranking.pairwise import pairwise_accuracy_many
from flasheval.scores.ranking.significant import significant_pairs, tau_on_pairs_many
from flasheval.scores.ranking.weighted import weighted_tau_many
from flasheval.selection.held_out.splits import Split
from flasheval.selection.images import ImageUse, image_values
from flasheval.selection.methods.selector import Selection, subset_means

__all__ = ["Agreements", "Judge", "full_score_errors"]

_WEIGHTED = 50  # of many sets the first so many give the mean weighted tau: each is a scipy call


@dataclass(frozen=True)
class Agreements:
    """How well one subset ranks one metric's variants on one split.

    Attributes:
        metric: The metric.
        search_tau: Tau-b on the variants searched; too high, because the search saw them.
        held_out_tau: Tau-b on the variants held out.
        held_out_tau_significant: The same on pairs that the full set tells apart (more than two
            paired standard errors); NaN when there is none.
        held_out_accuracy: Share of held-out pairs ordered as by the full set.
        held_out_weighted_tau: Tau in which confusing the best variants costs most.
        full_score_error: How far off held-out full scores are when predicted from subset scores,
            see `full_score_errors`.

    Example:
        >>> found = Agreements("clip", 0.95, 0.83, 0.9, 0.91)
        >>> found.search_tau > found.held_out_tau, found.full_score_error  # not measured: NaN
        (True, nan)

    """

    metric: str
    search_tau: float
    held_out_tau: float
    held_out_tau_significant: float
    held_out_accuracy: float
    held_out_weighted_tau: float = math.nan
    full_score_error: float = math.nan


def full_score_errors(
    means: NDArray[np.float64],
    target: NDArray[np.float64],
    split: Split,
    searched: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Error of full scores predicted from subset scores, in units of how far full scores differ.

    The straight line of `target` on `means` is fitted to the search variants by least squares;
    the mean absolute error on the held-out variants is divided by the standard deviation (with n)
    of their full scores. 0 is perfect; predicting every variant's mean gives about 0.8.

    Args:
        means: float64 [sets, variants], subset means.
        target: float64 [variants], full-set means.
        split: The split.
        searched: float64 [sets, variants], the means of the variants searched, where those are
            over other images.

    Returns:
        float64 [sets]; NaN where the subset gives all search variants one score, so that no line
        can be fitted, and where all held-out variants have the same full score.

    Example:
        >>> split = Split("s", np.array([0, 1]), np.array([2, 3]))
        >>> target = np.array([0.0, 2.0, 4.0, 8.0])
        >>> full_score_errors(np.array([[0.0, 1.0, 2.0, 4.0], [0.0, 1.0, 2.0, 3.0]]), target, split)
        array([0. , 0.5])

    """
    seen = (means if searched is None else searched)[:, split.search]
    unseen = means[:, split.held_out]
    known, wanted = target[split.search], target[split.held_out]
    spread = float(np.std(wanted))
    centred = seen - seen.mean(axis=1, keepdims=True)
    squares = (centred**2).sum(axis=1)
    # Rounding leaves a little of what is constant: below that there is no slope.
    flat = squares <= (1e-12 * np.abs(seen).max(axis=1)) ** 2 * seen.shape[1]
    if spread == 0.0:
        return np.full(len(means), np.nan)
    slope = centred @ (known - known.mean()) / np.where(flat, np.nan, squares)
    predicted = known.mean() + slope[:, None] * (unseen - seen.mean(axis=1, keepdims=True))
    errors: NDArray[np.float64] = np.abs(predicted - wanted).mean(axis=1) / spread
    return errors


class Judge:
    """Judges subsets of one metric; what all splits share is computed once.

    The ranking that counts is always that of the whole benchmark, by each variant's mean over all
    prompts and all of their images: what a user of the subset wants to know, as well as it is
    known. On other seeds the subset's means come from the images judged by alone, of which the
    search saw none. Some are in the full mean too, as a subset's scores always are, a share of N
    prompts in all; random subsets, judged in the same way, have the same share.

    Args:
        matrix: Complete variants only.
        images: Which images the search sees, and which are the subset's scores; None for all.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> judge = Judge(synthetic_scores(8, 30)["quality"])
        >>> everything = Selection(np.arange(30))
        >>> found = judge(Split("halves", np.arange(4), np.arange(4, 8)), everything)
        >>> round(found.held_out_tau, 3), found.held_out_accuracy  # the full set agrees with itself
        (1.0, 1.0)

    """

    def __init__(self, matrix: ScoreMatrix, images: ImageUse | None = None) -> None:
        self.matrix = matrix
        self.values = image_values(matrix, None if images is None else images.judged)
        self.seen = image_values(matrix, None if images is None else images.searched)
        self.seen_target = self.seen.mean(axis=1, dtype=np.float64)
        self.target = matrix.values.mean(axis=1, dtype=np.float64)
        self.separated = significant_pairs(matrix.values)

    def __call__(self, split: Split, selection: Selection) -> Agreements:
        """Compare the ranking by a subset with that by the full set, on both sides of a split."""
        return self.of_means(split, *self.means(selection))

    def means(self, selection: Selection) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Return a subset's means float64 [1, variants], and those over the images searched.

        The latter are None where they are the same.
        """
        means = subset_means(self.values, selection)[None]
        same = self.seen is self.values
        return means, None if same else subset_means(self.seen, selection)[None]

    def of_means(
        self,
        split: Split,
        means: NDArray[np.float64],
        searched: NDArray[np.float64] | None = None,
    ) -> Agreements:
        """Do the same for subset means [sets, all variants]: each measure's mean over the sets.

        Args:
            split: The split.
            means: Over the images that count for the variants held out.
            searched: Over the images that the search sees, where those are others.

        """
        target, unseen = self.target, split.held_out
        searched = means if searched is None else searched
        seen = np.ascontiguousarray(searched[:, split.search])
        held = np.ascontiguousarray(means[:, unseen])
        wanted = target[unseen]
        pairs = self.separated[np.ix_(unseen, unseen)]
        best_first = float(self.matrix.sign)
        return Agreements(
            self.matrix.metric,
            _mean(kendall_tau_b_many(seen, self.seen_target[split.search])),
            _mean(kendall_tau_b_many(held, wanted)),
            _mean(tau_on_pairs_many(held, wanted, pairs)),
            _mean(pairwise_accuracy_many(held, wanted)),
            _mean(weighted_tau_many(best_first * held[:_WEIGHTED], best_first * wanted)),
            _mean(full_score_errors(means, target, split, searched)),
        )


def _mean(values: NDArray[np.float64]) -> float:
    """Mean of the values there are; NaN where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan
