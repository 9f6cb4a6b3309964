"""One metric's variants in the order of their means, with what the order is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from flasheval.base.drawing.brief import Brief
from flasheval.generators.variants import Variant
from flasheval.scores.matrix import sign_of
from flasheval.scores.ranking.frontier import frontier
from flasheval.scores.ranking.moments import Moments
from flasheval.scores.ranking.simultaneous import (
    mean_intervals,
    rank_intervals,
    separated_pairs,
    separation,
    shared_ranks,
    tie_groups,
)

__all__ = ["NEAR", "Standings", "standings_of"]

NEAR = 2.0  # paired standard errors within which a pair alone is a near tie, as `show` counts them


@dataclass(frozen=True, eq=False, repr=False)
class Standings(Brief):
    """A metric's variants, the best first.

    Attributes:
        metric: Its name.
        higher_is_better: Its direction.
        variants: Their names.
        means: float64 [variants], means over the prompts.
        low: float64 [variants], lower ends of the means' intervals, each alone; NaN for one prompt.
        high: float64 [variants], their upper ends.
        best: int64 [variants], best ranks, from 1; all rank intervals hold together.
        worst: int64 [variants], worst ranks.
        separated: bool [variants, variants], the pairs told apart when all are tested at once.
        near_ties: Pairs within two paired standard errors, each tested alone.
        critical: Paired standard errors that tell a pair apart; NaN where none vary.
        prompts: How many prompts the means are over.
        units: The prompts, or clusters of prompts, that err apart.
        left_out: Variants without scores for all of them.
        prompts_left_out: Prompts that a variant lacks.
        seconds: float64 [variants], seconds an image, NaN where they are not known; empty where
            none is.
        evaluations: Network evaluations an image, None where they are not known; empty where no
            seconds are.
        families: The variants' families, empty texts where they have none; empty where no seconds
            are known.

    Example:
        >>> from flasheval.scores.ranking.moments import paired_moments
        >>> values = np.array([[0, 1, 0, 1], [5, 6, 5, 7], [0, 1, 1, 0]])
        >>> found = standings_of("clip", True, ("a", "b", "c"), paired_moments(values), prompts=4)
        >>> found.variants, found.best.tolist(), found.worst.tolist()
        (('b', 'a', 'c'), [1, 2, 2], [1, 3, 3])
        >>> found.groups, found.tied_pairs, found.pairs
        ((('b',), ('a', 'c')), 1, 3)

    """

    metric: str
    higher_is_better: bool
    variants: tuple[str, ...]
    means: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    best: NDArray[np.int64]
    worst: NDArray[np.int64]
    separated: NDArray[np.bool_]
    near_ties: int
    critical: float
    prompts: int
    units: int
    left_out: tuple[str, ...] = ()
    prompts_left_out: int = 0
    seconds: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    evaluations: tuple[int | None, ...] = ()
    families: tuple[str, ...] = ()

    @property
    def pairs(self) -> int:
        """Pairs of variants."""
        return len(self.variants) * (len(self.variants) - 1) // 2

    @property
    def tied_pairs(self) -> int:
        """Pairs not told apart when all are tested at once."""
        return self.pairs - int(np.triu(self.separated, 1).sum())

    @property
    def ranks(self) -> NDArray[np.int64]:
        """Ranks by the means, from 1, int64 [variants]; equal means share the best."""
        return shared_ranks(self.means)

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """First and last place, from 0, of each group that cannot be told apart."""
        return tuple(tie_groups(self.separated))

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Names of each group that cannot be told apart: neighbours, in as few groups as hold."""
        return tuple(self.variants[first : last + 1] for first, last in self.places)

    @property
    def on_frontier(self) -> NDArray[np.bool_]:
        """Whether no variant is as good in no more seconds, bool [variants]; see `frontier`."""
        seconds = self.seconds if self.seconds.size else np.full(len(self.variants), np.nan)
        return frontier(self.means, seconds, higher_is_better=self.higher_is_better)

    @property
    def leaders(self) -> tuple[str, ...]:
        """The first, and those not told apart from it."""
        return tuple(self.variants[i] for i in np.flatnonzero(~self.separated[0]))

    def with_costs(self, variants: Sequence[Variant]) -> Standings:
        """Return the standings with what an image of each variant costs, as far as that is known.

        variants: Those of the score table, in any order. Without seconds nothing changes.
        """
        known = {variant.name: variant for variant in variants}
        mine = [known[name] for name in self.variants]
        seconds = np.array([variant.seconds for variant in mine], dtype=np.float64)
        if np.isnan(seconds).all():
            return self
        return replace(
            self,
            seconds=seconds,
            evaluations=tuple(variant.evaluations for variant in mine),
            families=tuple(str(variant.factors.get("family", "")) for variant in mine),
        )


def standings_of(
    metric: str,
    higher_is_better: bool,
    variants: tuple[str, ...],
    moments: Moments,
    *,
    prompts: int,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
    left_out: tuple[str, ...] = (),
    prompts_left_out: int = 0,
) -> Standings:
    """Order a metric's variants and say which are told apart; see `Standings`.

    Raises SettingError for a level or draws that cannot be.
    """
    critical = separation(moments, level, draws=draws, rng=np.random.default_rng(seed))
    separated = separated_pairs(moments, critical)
    better = sign_of(higher_is_better) * moments.means
    best, worst = rank_intervals(better, separated)
    low, high = mean_intervals(moments, level)
    order = np.argsort(-better, kind="stable")
    near = ~separated_pairs(moments, NEAR)
    return Standings(
        metric,
        higher_is_better,
        tuple(variants[row] for row in order),
        moments.means[order],
        low[order],
        high[order],
        best[order],
        worst[order],
        separated[np.ix_(order, order)],
        int(np.triu(near, 1).sum()),
        critical,
        prompts,
        moments.units,
        left_out,
        prompts_left_out,
    )
