"""The searches of a held-out evaluation: each made once, and judged wherever its subset counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.scores import ScoreTable
from flasheval.selection.held_out.clusters import GroupResampler
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.judge import Agreements, Judge
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.learning_curve import smaller_searches
from flasheval.selection.held_out.one_search import search_part
from flasheval.selection.held_out.records import ValidationCell
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.driver import StepCallback
from flasheval.selection.methods.selector import subset_means
from flasheval.selection.request import SearchRequest

__all__ = ["JudgedSubset", "Place", "Procedure", "Search", "Searcher", "cell_of", "plan_searches"]


@dataclass(frozen=True)
class Procedure:
    """One method as it is repeated on every split.

    Attributes:
        label: What tables call it.
        requests: What is asked of it: one request for each size (or one nested one) and each group
            of metrics searched together.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.random import Random
        >>> request = SearchRequest(synthetic_scores(8, 30), Random(), (5, 10))
        >>> Procedure("random", (request,)).requests[0].sizes
        (5, 10)

    """

    label: str
    requests: tuple[SearchRequest, ...]


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
        label: The procedure's label.
        request: What is asked.
        members: int64, the search variants.
        places: Where its subset is judged.

    """

    label: str
    request: SearchRequest
    members: NDArray[np.int64]
    places: list[Place] = field(default_factory=list)

    @property
    def description(self) -> str:
        """What progress calls it.

        Example:
            >>> from flasheval.scores.synthetic import synthetic_scores
            >>> from flasheval.selection.methods.random import Random
            >>> table = synthetic_scores(8, 30).with_metrics(["quality"])
            >>> place = Place("random:1", Split("random:0", np.arange(4), np.arange(4, 8)))
            >>> request = SearchRequest(table, Random(), (5,))
            >>> Search("random", request, np.arange(4), [place]).description
            'random, random:0, 5 prompts, quality'

        """
        metrics = self.request.table.metrics
        metric = "" if len(metrics) != 1 else f", {metrics[0]}"
        size = self.request.size
        return f"{self.label}, {self.places[0].split.name}, {size} prompts{metric}"


@dataclass(frozen=True)
class JudgedSubset:
    """One subset judged at one place by one metric.

    Attributes:
        place: The place.
        size: Prompts in it.
        agreements: What was measured.
        seconds: Wall time of the search.
        resampled: Held-out tau-b in every draw of groups, where groups are drawn.

    """

    place: Place
    size: int
    agreements: Agreements
    seconds: float
    resampled: NDArray[np.float64] | None = None


def plan_searches(
    procedures: Sequence[Procedure], kinds: Sequence[Kind], counts: Sequence[int], seed: int
) -> tuple[Search, ...]:
    """List the searches, split by split, so that one broken off leaves whole comparisons.

    A search that several kinds of splits have in common is made once.

    Args:
        procedures: The methods.
        kinds: The kinds of splits.
        counts: Numbers of search variants to try on splits without groups, or none.
        seed: Seed of the order in which search variants are left out.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.random import Random
        >>> one = Procedure("random", (SearchRequest(synthetic_scores(8, 30), Random(), (5,)),))
        >>> kind = Kind("halves", "random:1", (Split("0", np.arange(4), np.arange(4, 8)),))
        >>> [len(search.members) for search in plan_searches([one], [kind], counts=[2, 3], seed=0)]
        [4, 2, 3]

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
    found: dict[tuple[str, int, bytes], Search] = {}
    for place in places:
        for procedure in procedures:
            for number, request in enumerate(procedure.requests):
                members = place.split.search
                key = (procedure.label, number, members.tobytes())
                search = found.setdefault(key, Search(procedure.label, request, members))
                search.places.append(place)
    return tuple(found.values())


class Searcher:
    """Makes searches on one table and judges their subsets; may be used by several threads.

    Args:
        table: Complete variants only, with all metrics.
        folder: Where finished searches are kept, or None.
        resampler: Draws groups of held-out variants, or None.

    """

    def __init__(
        self, table: ScoreTable, folder: Path | None = None, resampler: GroupResampler | None = None
    ) -> None:
        self.table, self.folder, self.resampler = table, folder, resampler
        self.judges = {metric: Judge(table[metric]) for metric in table.metrics}
        self._finished: dict[int, FinishedSearches] = {}

    def ready(self, searches: Sequence[Search]) -> None:
        """Check that the folder can be written to and name the searches, before any work."""
        if self.folder is None:
            return
        contexts: dict[tuple[str, tuple[str, ...]], FinishedSearches] = {}
        for search in searches:
            request = search.request
            same = (search.label, request.table.metrics)  # whatever the size
            if id(request) not in self._finished:
                if same not in contexts:
                    contexts[same] = FinishedSearches(self.folder, request.context()).ready()
                self._finished[id(request)] = contexts[same]

    def run(self, search: Search, progress: StepCallback) -> list[JudgedSubset] | None:
        """Make one search, or read it back, and judge it; None when it was stopped half-way."""
        request = search.request
        finished = self._finished.get(id(request))
        outcome = search_part(request, search.members, finished, progress)
        if outcome.interrupted:
            return None
        return [
            self._judge_means(
                place,
                metric,
                subset_means(self.table[metric].values, outcome.selection.first(size))[None],
                size,
                outcome.seconds,
            )
            for size in request.sizes
            for place in search.places
            for metric in request.table.metrics
        ]

    def judge_random(
        self, place: Place, metric: str, means: NDArray[np.float64], size: int
    ) -> JudgedSubset:
        """Judge the means of random subsets [sets, all variants], by the mean over the sets."""
        return self._judge_means(place, metric, means, size, 0.0)

    def _judge_means(
        self, place: Place, metric: str, means: NDArray[np.float64], size: int, seconds: float
    ) -> JudgedSubset:
        judge = self.judges[metric]
        resampled = None
        if self.resampler is not None and not place.smaller:
            resampled = self.resampler.taus(means, judge.target, place.split.held_out)
        return JudgedSubset(place, size, judge.of_means(place.split, means), seconds, resampled)


def cell_of(found: JudgedSubset, label: str) -> ValidationCell:
    """Write a judged subset down as a cell.

    Example:
        >>> place = Place("random:1", Split("0", np.arange(24), np.arange(24, 48)))
        >>> judged = JudgedSubset(place, 50, Agreements("clip", 0.95, 0.83, 0.9, 0.91), seconds=0.2)
        >>> cell = cell_of(judged, "pooled")
        >>> cell.method, cell.held_out_tau, cell.n_held_out
        ('pooled', 0.83, 24)

    """
    split = found.place.split
    measures: dict[str, Any] = dict(vars(found.agreements))
    return ValidationCell(
        kind=found.place.kind,
        split=split.name,
        method=label,
        size=found.size,
        n_search=len(split.search),
        n_held_out=len(split.held_out),
        seconds=found.seconds,
        **measures,
    )
