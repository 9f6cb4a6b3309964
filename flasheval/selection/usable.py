"""The part of a score table that can be searched: complete variants, each of twins once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flasheval.scores import ScoreTable
from flasheval.scores.ranking.significant import near_tie_share
from flasheval.scores.table import Incomplete
from flasheval.selection.held_out.warnings import table_warnings

__all__ = ["UsableScores", "usable_scores"]


@dataclass(frozen=True, eq=False)
class UsableScores:
    """What can be searched of the scores given, and what was left out.

    Attributes:
        given: All metrics and variants, on the prompts of `table`: some methods look at them too.
        whole: The complete variants, twins included.
        table: The complete variants, of twins the first.
        twins: int64 [variants of `whole`], the row of the first with the same scores.
        dropped: Names of the variants left out for missing scores.
        prompts_left_out: How many prompts were left out for missing scores.

    """

    given: ScoreTable
    whole: ScoreTable
    table: ScoreTable
    twins: NDArray[np.int64]
    dropped: tuple[str, ...]
    prompts_left_out: int

    @cached_property
    def near_ties(self) -> dict[str, float]:
        """The share of pairs that the full set does not tell apart, by metric."""
        return {name: near_tie_share(self.table[name].values) for name in self.table.metrics}

    def warnings(self, incomplete: Incomplete) -> list[str]:
        """Return what must be said of the scores; ``incomplete`` as for `usable_scores`."""
        advise = self.dropped and incomplete == "drop"
        return table_warnings(
            self.dropped,
            self.near_ties,
            self.prompts_left_out,
            keepable=self.given.keepable(self.table.metrics) if advise else "",
            twins=self.whole.named_twins(self.twins),
            exact=self.table.exact_metrics,
        )


def usable_scores(
    given: ScoreTable, metric: str | Sequence[str] | None, incomplete: Incomplete
) -> UsableScores:
    """Leave out what lacks scores, see `ScoreTable.complete`, and all but the first of twins.

    Raises SettingError and DataError as `ScoreTable.complete` does.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> usable = usable_scores(synthetic_scores(6, 40), "quality", "drop")
        >>> len(usable.table), usable.dropped, usable.twins.tolist()
        (6, (), [0, 1, 2, 3, 4, 5])

    """
    whole, dropped = given.complete(metric, incomplete)
    left_out = given.n_prompts - whole.n_prompts
    if left_out:
        given = given.take_prompts(given.prompts.index_of(whole.prompts.ids))
    twins = given.twins_among(whole.variant_names)
    return UsableScores(given, whole, whole.distinct(twins), twins, dropped, left_out)
