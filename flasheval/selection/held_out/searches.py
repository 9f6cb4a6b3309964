"""The searches of a comparison: each made once, and judged wherever its subset counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.scores import ScoreTable
from flasheval.selection.held_out.clusters import GroupResampler
from flasheval.selection.held_out.contenders import RANDOM, Contender
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.judge import Agreements, Judge, subset_means
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.learning_curve import smaller_searches
from flasheval.selection.held_out.one_search import search_part
from flasheval.selection.held_out.records import ValidationCell
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.driver import StepCallback
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.selector import Selection
from flasheval.selection.request import make_plan

__all__ = ["JudgedSubset", "Place", "Search", "Searcher", "cell_of", "plan_searches"]


@dataclass(frozen=True)
class Place:
    """Where a subset is judged: a split of a kind, or the same with fewer search variants."""

    kind: str
    split: Split
    smaller: bool = False


@dataclass(frozen=True)
class Search:
    """One search.

    Attributes:
        contender: The method.
        metrics: The metrics searched together.
        size: Prompts to choose.
        members: int64, the search variants.
        places: Where its subset is judged.

    """

    contender: Contender
    metrics: tuple[str, ...]
    size: int
    members: NDArray[np.int64]
    places: list[Place] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What progress calls it."""
        metric = "" if len(self.metrics) != 1 else f", {self.metrics[0]}"
        return f"{self.contender.label}, {self.places[0].split.name}, {self.size} prompts{metric}"


@dataclass(frozen=True)
class JudgedSubset:
    """One subset judged at one place by one metric.

    Attributes:
        place: The place.
        agreements: What was measured.
        seconds: Wall time of the search.
        resampled: Held-out tau-b in every draw of groups, where groups are drawn.

    """

    place: Place
    agreements: Agreements
    seconds: float
    resampled: NDArray[np.float64] | None = None


def plan_searches(
    contenders: Sequence[Contender],
    metrics: Sequence[str],
    sizes: Sequence[int],
    kinds: Sequence[Kind],
    counts: Sequence[int],
    seed: int,
) -> tuple[Search, ...]:
    """List the searches, split by split, so that one broken off leaves whole comparisons.

    A search that several kinds of splits have in common is made once.

    Args:
        contenders: The methods; random, which is no search, is passed over.
        metrics: The metrics.
        sizes: Sizes.
        kinds: The kinds of splits.
        counts: Numbers of search variants to try on splits without groups, or none.
        seed: Seed of the order in which search variants are left out.

    """
    places = [Place(kind.name, split) for kind in kinds for split in kind.splits]
    if counts:
        places += [
            Place(kind.name, smaller, smaller=True)
            for kind in kinds
            if not kind.groups
            for split in kind.splits
            for smaller in smaller_searches(split, counts, seed)
        ]
    found: dict[tuple[str, tuple[str, ...], int, bytes], Search] = {}
    for place in places:
        for contender in contenders:
            if contender == RANDOM:
                continue
            together = [tuple(metrics)] if contender.together else [(name,) for name in metrics]
            for size in sizes:
                for names in together:
                    members = place.split.search
                    key = (contender.label, names, size, members.tobytes())
                    search = found.setdefault(key, Search(contender, names, size, members))
                    search.places.append(place)
    return tuple(found.values())


class Searcher:
    """Makes searches on one table and judges their subsets; may be used by several threads.

    Args:
        table: Complete variants only.
        seed: Seed of the searches.
        folder: Where finished searches are kept, or None.
        resampler: Draws groups of held-out variants, or None.
        hints: By metrics searched together, what a method that borrows may look at.

    """

    def __init__(
        self,
        table: ScoreTable,
        seed: int,
        folder: Path | None,
        resampler: GroupResampler | None,
        hints: Mapping[tuple[str, ...], Hints],
    ) -> None:
        self.table, self.seed, self.folder = table, seed, folder
        self.resampler, self.hints = resampler, hints
        self.judges = {metric: Judge(table[metric]) for metric in table.metrics}
        self._parts: dict[tuple[str, ...], ScoreTable] = {
            (metric,): table.with_metrics([metric]) for metric in table.metrics
        }
        self._parts[table.metrics] = table
        self._units: dict[tuple[str, tuple[str, ...]], FinishedSearches] = {}

    def ready(self, searches: Sequence[Search]) -> None:
        """Check that the folder can be written to and name the units, before any work."""
        if self.folder is None:
            return
        for search in searches:
            key = (search.contender.label, search.metrics)
            if key not in self._units:
                table = self._parts[search.metrics]
                selector = search.contender.selector()
                plan = make_plan(
                    table,
                    selector,
                    search.size,
                    None,
                    self.seed,
                    (),
                    (),
                    None,
                    self.hints[search.metrics],
                )
                self._units[key] = FinishedSearches(self.folder, plan.context()).ready()

    def run(self, search: Search, progress: StepCallback) -> list[JudgedSubset] | None:
        """Make one search, or read it back, and judge it; None when it was stopped half-way."""
        outcome = search_part(
            search.contender.selector(),
            [self.table[metric].values for metric in search.metrics],
            search.metrics,
            (search.size,),
            search.members,
            seed=self.seed,
            hints=self.hints[search.metrics],
            units=self._units.get((search.contender.label, search.metrics)),
            progress=progress,
        )
        if outcome.interrupted:
            return None
        return [
            self.judge(place, metric, outcome.selection, outcome.seconds)
            for place in search.places
            for metric in search.metrics
        ]

    def judge(
        self, place: Place, metric: str, selection: Selection, seconds: float
    ) -> JudgedSubset:
        """Judge a subset by one metric on the variants held out at a place."""
        means = subset_means(self.table[metric].values, selection)[None]
        return self.judge_means(place, metric, means, seconds)

    def judge_means(
        self, place: Place, metric: str, means: NDArray[np.float64], seconds: float = 0.0
    ) -> JudgedSubset:
        """Judge subset means [sets, all variants], by the mean over the sets."""
        judge = self.judges[metric]
        resampled = None
        if self.resampler is not None and not place.smaller:
            resampled = self.resampler.taus(means, judge.target, place.split.held_out)
        return JudgedSubset(place, judge.of_means(place.split, means), seconds, resampled)


def cell_of(found: JudgedSubset, label: str, size: int) -> ValidationCell:
    """Write a judged subset down as a cell."""
    split = found.place.split
    measures: dict[str, Any] = dict(vars(found.agreements))
    return ValidationCell(
        kind=found.place.kind,
        split=split.name,
        method=label,
        size=size,
        n_search=len(split.search),
        n_held_out=len(split.held_out),
        seconds=found.seconds,
        **measures,
    )
