"""Held-out evaluation: search on some variants, judge the subset on the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.ranking.kendall import kendall_tau_b
from flasheval.ranking.pairwise import pairwise_accuracy
from flasheval.ranking.significant import tau_on_pairs
from flasheval.selectors.selector import Selection
from flasheval.validation.splits import Split

__all__ = ["Agreements", "judge", "subset_means"]


@dataclass(frozen=True)
class Agreements:
    """How well one subset ranks one metric's variants on one split.

    Attributes:
        metric: The metric.
        search_tau: Tau-b on the variants searched; it flatters.
        held_out_tau: Tau-b on the variants held out.
        held_out_tau_significant: The same on pairs that the full set tells apart (more than two
            paired standard errors); NaN when there is none.
        held_out_accuracy: Share of held-out pairs ordered as by the full set.

    """

    metric: str
    search_tau: float
    held_out_tau: float
    held_out_tau_significant: float
    held_out_accuracy: float


def subset_means(scores: NDArray[np.float32], selection: Selection) -> NDArray[np.float64]:
    """Weighted mean score of each variant over a subset.

    Args:
        scores: float32 [variants, prompts].
        selection: The subset's prompts and weights.

    Returns:
        float64 [variants].

    Example:
        >>> chosen = Selection(np.array([0, 2]))
        >>> subset_means(np.array([[1, 2, 9]], dtype=np.float32), chosen).tolist()
        [5.0]

    """
    chosen = scores[:, selection.indices].astype(np.float64)
    means: NDArray[np.float64] = np.average(chosen, axis=1, weights=selection.weights)
    return means


def judge(
    metric: str,
    scores: NDArray[np.float32],
    target: NDArray[np.float64],
    separated: NDArray[np.bool_],
    split: Split,
    selection: Selection,
) -> Agreements:
    """Compare the ranking by a subset with that by the full set, on both sides of a split.

    Args:
        metric: The metric's name.
        scores: float32 [all variants, prompts].
        target: float64 [all variants] full-set means.
        separated: bool [all variants, all variants], pairs the full set tells apart.
        split: The split.
        selection: The subset.

    """
    means = subset_means(scores, selection)
    seen, unseen = split.search, split.held_out
    pairs = separated[np.ix_(unseen, unseen)]
    return Agreements(
        metric,
        kendall_tau_b(means[seen], target[seen]),
        kendall_tau_b(means[unseen], target[unseen]),
        tau_on_pairs(means[unseen], target[unseen], pairs),
        pairwise_accuracy(means[unseen], target[unseen]),
    )
