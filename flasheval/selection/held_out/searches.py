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
from flasheval.selection.images import ImageUse
from flasheval.selection.methods.driver import StepCallback
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
        images: Which images of each prompt it sees; all where None.

    """

    label: str
    request: SearchRequest
    members: NDArray[np.int64]
    places: list[Place] = field(default_factory=list)
    images: ImageUse | None = None

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
    found: dict[tuple[object, ...], Search] = {}
    for place in places:
        for procedure in procedures:
            for number, request in enumerate(procedure.requests):
                members = place.split.search
                images = place.split.images
                part = None if images is None else images.search_key
                key = (procedure.label, number, members.tobytes(), part)
                search = Search(procedure.label, request, members, images=images)
                search = found.setdefault(key, search)
                search.places.append(place)
    return tuple(found.values())


class Searcher:
    """Makes searches on one table and judges their subsets; may be used by several threads.

    Args:
        table: Complete variants only, with all metrics.
        folder: Where finished searches are kept, or None.
        resampler: Draws groups of held-out variants, or None.
        images: Which images subsets are judged by, for each of the splits' ways; None for all.

    """

    def __init__(
        self,
        table: ScoreTable,
        folder: Path | None = None,
        resampler: GroupResampler | None = None,
        images: Sequence[ImageUse | None] = (None,),
    ) -> None:
        self.table, self.folder, self.resampler = table, folder, resampler
        self.judges = {
            (metric, use): Judge(table[metric], use)
            for metric in table.metrics
            for use in dict.fromkeys(images)
        }
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
        outcome = search_part(request, search.members, finished, progress, search.images)
        if outcome.interrupted:
            return None
        return [
            self._judge_means(
                place,
                metric,
                *self.judges[metric, place.split.images].means(outcome.selection.first(size)),
                size=size,
                seconds=outcome.seconds,
            )
            for size in request.sizes
            for place in search.places
            for metric in request.table.metrics
        ]

    def judge_random(
        self,
        place: Place,
        metric: str,
        means: NDArray[np.float64],
        size: int,
        seen: NDArray[np.float64] | None = None,
    ) -> JudgedSubset:
        """Judge the means of random subsets [sets, all variants], by the mean over the sets.

        `seen` are the means over the images searched, where those are others.
        """
        return self._judge_means(place, metric, means, seen, size=size, seconds=0.0)

    def _judge_means(
        self,
        place: Place,
        metric: str,
        means: NDArray[np.float64],
        seen: NDArray[np.float64] | None,
        *,
        size: int,
        seconds: float,
    ) -> JudgedSubset:
        judge = self.judges[metric, place.split.images]
        resampled = None
        if self.resampler is not None and not place.smaller:
            resampled = self.resampler.taus(means, judge.target, place.split.held_out)
        agreements = judge.of_means(place.split, means, seen)
        return JudgedSubset(place, size, agreements, seconds, resampled)


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
