"""The scores a report looks at: of the variants searched, and of others where there are some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError
from flasheval.scores import ScoreTable
from flasheval.selection.methods.selector import Selection
from flasheval.subset import Subset

__all__ = ["Scored", "scores_of"]


@dataclass(frozen=True, eq=False)
class Scored:
    """Complete scores of a subset's metrics.

    Attributes:
        table: Variants measured on every prompt: those searched first, in the manifest's order.
        searched: How many of them were searched.
        whole: Whether those are all that were searched.
        given: All metrics and variants there are, on the same prompts.
        selection: The subset's prompts and weights.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(8, 30)
        >>> scored = Scored(table, 6, True, table, Selection(np.arange(5)))
        >>> len(scored.searched_table), len(scored.judged), int(scored.sides.sum())
        (6, 6, 6)

    """

    table: ScoreTable
    searched: int
    whole: bool
    given: ScoreTable
    selection: Selection

    @property
    def searched_table(self) -> ScoreTable:
        """The table of the variants searched alone."""
        if self.searched == len(self.table):
            return self.table
        return self.table.with_variants(np.arange(self.searched))

    @property
    def judged(self) -> ScoreTable:
        """What prompts are judged on: the variants searched, or all where those are not known.

        Example:
            >>> from flasheval.scores.synthetic import synthetic_scores
            >>> table = synthetic_scores(8, 30)
            >>> parts = (table, Selection(np.arange(5)))
            >>> [len(Scored(table, 6, whole, *parts).judged) for whole in (True, False)]
            [6, 8]

        """
        return self.searched_table if self.whole else self.table

    @property
    def sides(self) -> NDArray[np.bool_]:
        """Whether each variant of the table was searched, bool [variants].

        Example:
            >>> from flasheval.scores.synthetic import synthetic_scores
            >>> table = synthetic_scores(4, 30)
            >>> Scored(table, 3, True, table, Selection(np.arange(5))).sides
            array([ True,  True,  True, False])

        """
        return np.arange(len(self.table)) < self.searched


def scores_of(subset: Subset, given: ScoreTable) -> Scored:
    """Take from a table what a report on a subset needs.

    Prompts that a searched variant was not measured on are left out, as the search did.

    Raises:
        DataError: No metric in common, other prompts, another direction, or fewer than two
            variants with all scores.

    """
    metrics = [metric.name for metric in subset.metrics if metric.name in given.metrics]
    if not metrics:
        served = ", ".join(metric.name for metric in subset.metrics)
        raise DataError(
            f'the scores have no metric of subset "{subset.name}" ({served}), but '
            f"{', '.join(given.metrics)}; give the scores it was chosen from"
        )
    for metric in subset.metrics:
        if metric.name in metrics and given[metric.name].higher_is_better != (
            metric.higher_is_better
        ):
            raise DataError(
                f'{metric}: the scores say the other direction than subset "{subset.name}"; '
                "give the scores it was chosen from"
            )
    known = set(given.variant_names)
    searched = [name for name in subset.searched_variants if name in known]
    whole = len(searched) == len(subset.searched_variants) >= 2
    served_table = given.with_metrics(metrics)
    if whole:
        kept = _measured(served_table.with_variants(searched))
        if not kept.all():
            given = given.take_prompts(np.flatnonzero(kept))
            served_table = given.with_metrics(metrics)
    complete, _ = served_table.complete()
    if complete.n_prompts < given.n_prompts:
        given = given.take_prompts(given.prompts.index_of(complete.prompts.ids))
    there = set(complete.variant_names)
    first = [name for name in searched if name in there]
    others = [name for name in complete.variant_names if name not in set(first)]
    table = complete.with_variants([*first, *others])
    if len(table) < 2:
        raise DataError(f"the scores have {len(table)} complete variant; a report needs 2 or more")
    subset.verify(table.prompts)
    weights = subset.weights
    selection = Selection(
        table.prompts.index_of(subset.ids), None if np.ptp(weights) == 0 else weights
    )
    return Scored(table, len(first), whole and len(first) == len(searched), given, selection)


def _measured(table: ScoreTable) -> NDArray[np.bool_]:
    """Return for each prompt whether every score is there."""
    kept = np.ones(table.n_prompts, dtype=np.bool_)
    for matrix in table.matrices.values():
        for row in matrix.values:
            kept &= ~np.isnan(row)
    return kept
