"""Full-set means beside subset means: what a rank plot shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.report.page.score_sources import Scored
from flasheval.scores.ranking.kendall import kendall_tau_b
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.selector import Selection, subset_means
from flasheval.subset import Subset

__all__ = ["Ranks", "known_ranks", "scored_ranks", "split_ranks"]


@dataclass(frozen=True, eq=False)
class Ranks:
    """Variants by two means of one metric.

    Attributes:
        metric: Its name.
        higher_is_better: Its direction.
        variants: Their names.
        full: float64 [variants], mean over all prompts.
        subset: float64 [variants], mean over the subset.
        searched: bool [variants], whether the search saw it.

    Example:
        >>> full, subset = np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.3, 0.2])
        >>> seen = np.array([True, True, False])
        >>> ranks = Ranks("clip", True, ("a", "b", "c"), full, subset, seen)
        >>> round(ranks.tau(), 2), ranks.tau(searched=True)
        (0.33, 1.0)

    """

    metric: str
    higher_is_better: bool
    variants: tuple[str, ...]
    full: NDArray[np.float64]
    subset: NDArray[np.float64]
    searched: NDArray[np.bool_]

    def tau(self, searched: bool | None = None) -> float:
        """Tau-b of one side (of all variants for None); NaN where a side has fewer than two.

        Example:
            >>> means, seen = np.array([0.1, 0.2, 0.3]), np.array([True, True, False])
            >>> ranks = Ranks("clip", True, ("a", "b", "c"), means, means, seen)
            >>> ranks.tau(), ranks.tau(searched=False)  # one variant alone has no ranking
            (1.0, nan)

        """
        rows = np.ones(len(self.full), np.bool_) if searched is None else self.searched == searched
        if rows.sum() < 2:
            return float("nan")
        return float(kendall_tau_b(self.subset[rows], self.full[rows]))


def split_ranks(scored: Scored, split: Split, selection: Selection) -> list[Ranks]:
    """Return the variants of one split by the subset that was searched on it, by metric.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table, chosen = synthetic_scores(8, 30), Selection(np.arange(5))
        >>> split = Split("halves", np.arange(4), np.arange(4, 8))
        >>> ranks = split_ranks(Scored(table, 8, True, table, chosen), split, chosen)[0]
        >>> ranks.searched.tolist()
        [True, True, True, True, False, False, False, False]

    """
    rows = np.sort(np.concatenate([split.search, split.held_out]))
    searched = np.isin(rows, split.search)
    return _ranks(scored, selection, rows, searched)


def scored_ranks(scored: Scored) -> list[Ranks]:
    """Return all variants by the subset itself, by metric.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(8, 30)
        >>> scored = Scored(table, 6, True, table, Selection(np.arange(30)))  # all prompts
        >>> [(one.metric, one.tau()) for one in scored_ranks(scored)]
        [('quality', 1.0), ('alignment', 1.0)]

    """
    return _ranks(scored, scored.selection, np.arange(len(scored.table)), scored.sides)


def known_ranks(subset: Subset) -> list[Ranks]:
    """Return the variants that a manifest knows both means of, by metric.

    Example:
        >>> from flasheval.subset.library import load_subset
        >>> [(one.metric, len(one.variants)) for one in known_ranks(load_subset("coco-clip-50"))]
        [('CLIP', 64)]

    """
    found = []
    for metric in subset.metrics:
        known = [
            one
            for one in subset.record.known_variants
            if metric.name in one.full_means and metric.name in one.subset_means
        ]
        if len(known) >= 2:
            found.append(
                Ranks(
                    metric.name,
                    metric.higher_is_better,
                    tuple(one.name for one in known),
                    np.array([one.full_means[metric.name] for one in known]),
                    np.array([one.subset_means[metric.name] for one in known]),
                    np.array([one.name in subset.searched_variants for one in known]),
                )
            )
    return found


def _ranks(
    scored: Scored, selection: Selection, rows: NDArray[np.int64], searched: NDArray[np.bool_]
) -> list[Ranks]:
    names = tuple(scored.table.variant_names[row] for row in rows)
    found = []
    for metric in scored.table.metrics:
        matrix = scored.table[metric]
        full = matrix.values.mean(axis=1, dtype=np.float64)[rows]
        means = subset_means(matrix.values, selection)[rows]
        found.append(Ranks(metric, matrix.higher_is_better, names, full, means, searched))
    return found
