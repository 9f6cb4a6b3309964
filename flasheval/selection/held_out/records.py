"""What a validation found, piece by piece, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flasheval.base.drawing.brief import Brief
from flasheval.subset.evidence import EquivalentSize, SplitSizes, Spread

__all__ = [
    "MEASURES",
    "Gain",
    "Grouped",
    "LearningCurve",
    "LearningPoint",
    "RandomCurve",
    "RandomPoint",
    "SplitKind",
    "Summary",
    "ValidationCell",
]

MEASURES = (
    "search_tau",
    "held_out_tau",
    "held_out_tau_significant",
    "held_out_accuracy",
    "held_out_weighted_tau",
    "full_score_error",
)
"""The measures of a cell, as `flasheval.selection.held_out.judge.Agreements` defines them."""


@dataclass(frozen=True, repr=False)
class ValidationCell(Brief):
    """One search on one split, judged by one metric; NaN where a measure is undefined.

    Attributes:
        kind: The kind of splits.
        split: The split's name.
        method: The method's label; `random` is the mean over random subsets.
        size: Prompts in the subset.
        metric: The metric it is judged by.
        search_tau: See `flasheval.selection.held_out.judge.Agreements`, here and for those below.
        held_out_tau: Tau-b on the held-out variants.
        held_out_tau_significant: The same on pairs the full set tells apart.
        held_out_accuracy: Share of held-out pairs in the right order.
        held_out_weighted_tau: Tau in which the best variants count most.
        full_score_error: Error of predicted full scores, in their standard deviations.
        n_search: Variants searched.
        n_held_out: Variants held out.
        seconds: Wall time of the search, which a method that searches all metrics together makes
            once for all of them.

    Example:
        >>> where = ("random:10", "0", "pooled", 50, "clip")
        >>> tau = dict.fromkeys(MEASURES, 0.8)
        >>> cell = ValidationCell(*where, **tau, n_search=24, n_held_out=20, seconds=0.1)
        >>> cell.held_out_tau, cell.n_held_out
        (0.8, 20)

    """

    kind: str
    split: str
    method: str
    size: int
    metric: str
    search_tau: float
    held_out_tau: float
    held_out_tau_significant: float
    held_out_accuracy: float
    held_out_weighted_tau: float
    full_score_error: float
    n_search: int
    n_held_out: int
    seconds: float


@dataclass(frozen=True)
class RandomPoint:
    """Held-out tau-b of random subsets of one size on one split: mean and 5-95% of the draws."""

    kind: str
    split: str
    metric: str
    size: int
    held_out_tau: float
    low: float
    high: float


@dataclass(frozen=True, repr=False)
class RandomCurve(Brief):
    """Held-out tau-b of random subsets by size, over the splits of a kind.

    Attributes:
        kind: The kind of splits.
        metric: The metric; None for the mean over metrics.
        sizes: Sizes, ascending.
        mean: Mean over splits and draws, one a size.
        low: 5% quantile over splits and draws.
        high: 95% quantile.

    """

    kind: str
    metric: str | None
    sizes: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, repr=False)
class SplitKind(Brief):
    """One kind of splits: its name, description, splits, and the groups held out whole.

    `seeds` is ``other`` where subsets were judged by images that the search did not see.

    Example:
        >>> kind = SplitKind("random:1", "random:1", (SplitSizes("0", 24, 24),))
        >>> kind.splits[0].n_held_out, kind.groups
        (24, ())

    """

    name: str
    spec: str
    splits: tuple[SplitSizes, ...]
    groups: tuple[str, ...] = ()
    seeds: Literal["search", "other"] = "search"


@dataclass(frozen=True, repr=False)
class Gain(Brief):
    """A paired difference of held-out tau-b: the same splits for both sides.

    Attributes:
        mean: Mean over the splits.
        low: Lower end of its 90% bootstrap interval over splits; None with fewer than 8 splits,
            or 8 groups.
        high: Its upper end.
        by_split: One value a split, in order; None where either side is undefined.

    Example:
        >>> Gain(0.03, low=0.01, high=0.05).clear, Gain(0.03).clear  # no interval
        (True, False)

    """

    mean: float
    low: float | None = None
    high: float | None = None
    by_split: tuple[float | None, ...] = ()

    @property
    def clear(self) -> bool:
        """Whether the interval lies above 0.

        Example:
            >>> Gain(0.03, low=-0.01, high=0.07).clear
            False

        """
        return self.low is not None and self.low > 0

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest value of a split.

        Example:
            >>> Gain(0.25, by_split=(0.5, None, 0.0)).range, Gain(0.25).range
            ((0.0, 0.5), (0.25, 0.25))

        """
        known = [value for value in self.by_split if value is not None]
        return (min(known), max(known)) if known else (self.mean, self.mean)


@dataclass(frozen=True)
class Grouped:
    """A number when whole groups of held-out variants are drawn again.

    Attributes:
        mean: The number itself.
        low: Lower end of the 90% bootstrap interval over groups; None with fewer than 8 groups.
        high: Its upper end.
        without: The number with each group left out.

    Example:
        >>> found = Grouped(0.8, without={"sd-1.5": 0.83, "sdxl": 0.77})  # too few for an interval
        >>> found.low is None, min(found.without.values())
        (True, 0.77)

    """

    mean: float
    low: float | None = None
    high: float | None = None
    without: Mapping[str, float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, repr=False)
class Summary(Brief):
    """What one method does at one size, over the splits of one kind.

    Attributes:
        kind: The kind of splits.
        method: The method's label.
        size: Prompts in the subset.
        metric: The metric; None for the mean over metrics.
        measures: Each of `MEASURES` that is defined: mean over splits, with the 5-95% range or,
            with fewer than 8 splits (or groups), the least and greatest.
        held_out_tau_by_split: One value a split, in order; None where undefined or not yet done.
        equivalent_random_size: How many random prompts agree as well; None for random itself.
        over_random: Paired gain over random subsets of the same size; None for random itself.
        over_reference: Paired gain over the reference; None for the reference itself.
        seconds: Median wall time of a search.
        clustered: By `held_out_tau`, `over_random` and `over_reference`, where a factor to group
            by was given.

    Example:
        >>> one = Summary("random:10", "pooled", 50, over_random=Gain(0.12, 0.08, 0.16))
        >>> one.over_random.clear, one.metric, one.held_out_tau  # a mean over metrics, no tau yet
        (True, None, None)

    """

    kind: str
    method: str
    size: int
    metric: str | None = None
    measures: Mapping[str, Spread] = field(default_factory=dict, hash=False)
    held_out_tau_by_split: tuple[float | None, ...] = ()
    equivalent_random_size: EquivalentSize | None = None
    over_random: Gain | None = None
    over_reference: Gain | None = None
    seconds: float = 0.0
    clustered: Mapping[str, Grouped] = field(default_factory=dict, hash=False)

    @property
    def held_out_tau(self) -> Spread | None:
        """Held-out tau-b, or None where no split gave one.

        Example:
            >>> measures = {"held_out_tau": Spread(0.83, 0.77, 0.89)}
            >>> print(Summary("random:10", "pooled", 50, measures=measures).held_out_tau)
            0.830 (0.770 to 0.890)

        """
        return self.measures.get("held_out_tau")


@dataclass(frozen=True)
class LearningPoint:
    """Held-out tau-b after a search on this many variants, beside random prompts."""

    n_search: int
    held_out_tau: Spread
    over_random: Gain


@dataclass(frozen=True, repr=False)
class LearningCurve(Brief):
    """Held-out agreement by the number of search variants, the held-out ones the same.

    Attributes:
        kind: The kind of splits.
        method: The method's label.
        size: Prompts in the subset.
        points: Ascending by `n_search`; agreement averaged over metrics.
        enough_from: The smallest number from which on the 90% interval of the gain over random
            lies above 0 at every number measured; None where there is none.

    Example:
        >>> points = [LearningPoint(n, Spread(0.8, 0.7, 0.9), Gain(0.1)) for n in (8, 16)]
        >>> curve = LearningCurve("random:10", "pooled", 50, tuple(points), enough_from=16)
        >>> [point.n_search for point in curve.points], curve.enough_from
        ([8, 16], 16)

    """

    kind: str
    method: str
    size: int
    points: tuple[LearningPoint, ...] = ()
    enough_from: int | None = None
