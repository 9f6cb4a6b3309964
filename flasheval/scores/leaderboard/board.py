"""What a leaderboard holds: standings, how metrics agree, standings by tag."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest
from flasheval.scores.leaderboard.frontier import Step, steps_of
from flasheval.scores.leaderboard.standings import Standings

__all__ = ["Agreement", "Board"]


@dataclass(frozen=True)
class Agreement:
    """Two metrics' orders of the variants that both have.

    Attributes:
        first: A metric.
        second: Another.
        tau: Kendall's tau-b between their means, more being better in both; NaN where undefined.
        low: Lower end of its interval.
        high: Upper end.
        variants: How many both have.
        flips: Pairs that both metrics tell apart, in opposite orders: the first's better one, then
            the second's.

    """

    first: str
    second: str
    tau: float
    low: float
    high: float
    variants: int
    flips: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Board:
    """What a leaderboard holds, without how it is shown.

    Attributes:
        prompt_set: Name of the prompt set.
        level: Probability that an interval holds what it is of.
        standings: One a metric.
        agreements: One a pair of metrics.
        by: The tag that the prompts are parted by, if any.
        parts: By the tag's value, the standings on its prompts, one a metric.
        clusters: What names the clusters of prompts, if they have any.
        notes: What a reader must know, one line each.
        max_seconds: The most seconds an image, where slower variants were left out.

    """

    prompt_set: str
    level: float
    standings: tuple[Standings, ...]
    agreements: tuple[Agreement, ...] = ()
    by: str | None = None
    parts: Mapping[str, tuple[Standings, ...]] = field(default_factory=dict)
    clusters: str | None = None
    notes: tuple[str, ...] = ()
    max_seconds: float | None = None

    @property
    def frontier(self) -> dict[str, tuple[Step, ...]]:
        """By metric the frontier of quality against seconds, the cheapest variant first."""
        return {one.metric: steps_of(one) for one in self.standings}

    def __getitem__(self, metric: str) -> Standings:
        """Return a metric's standings; SettingError for a metric that has none."""
        for one in self.standings:
            if one.metric == metric:
                return one
        known = [one.metric for one in self.standings]
        raise SettingError(
            f"there are no standings in {metric!r}; there are: {', '.join(known)}"
            f"{nearest(metric, known)}"
        )
