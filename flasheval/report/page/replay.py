"""What the search chose on each split: read back from its units, or done again where cheap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flasheval.base.errors import FlashevalError
from flasheval.base.run_folders import UNITS
from flasheval.report.page.origin import Origin
from flasheval.report.page.score_sources import Scored
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.one_search import search_part
from flasheval.selection.held_out.splits import Split, make_splits, with_images_used
from flasheval.selection.methods.registry import make_method
from flasheval.selection.methods.selector import Selection
from flasheval.selection.request import SearchRequest, hints_for, make_request
from flasheval.subset.evidence import Evidence

__all__ = ["Replay", "replay_of"]

_AGAIN = 10  # without units, at most so many searches are done again to be counted
_NOT_THE_METHODS = (
    "nested",
    "require",
    "forbid",
    "warm_start",
    "prefix_of",
    "prefix_size",
    "images_per_prompt",
    "images_as",
    "balance",
    "quota",
)


@dataclass(frozen=True, eq=False)
class Replay:
    """The searches behind the evidence.

    Attributes:
        request: What was asked of the search.
        splits: The splits of the evidence, in its order.
        units: Where finished searches are kept; None where there is no run folder.
        size: The subset's size, the largest or another of the request's sizes.

    """

    request: SearchRequest
    splits: tuple[Split, ...]
    units: FinishedSearches | None
    size: int

    @cached_property
    def selections(self) -> tuple[Selection | None, ...]:
        """What the splits' searches chose; None where finding that out would take long."""
        again = self.request.selector.cheap and not self.request.nested
        return tuple(
            self._kept(split) or (self._searched(split) if again and number < _AGAIN else None)
            for number, split in enumerate(self.splits)
        )

    def selection(self, number: int) -> Selection | None:
        """Return what one split's search chose; None where finding that out would take long."""
        split = self.splits[number]
        found = self._kept(split)
        return self._searched(split) if found is None and self.request.selector.cheap else found

    def _kept(self, split: Split) -> Selection | None:
        if self.units is None:
            return None
        images = None if split.images is None else split.images.search_key
        key = self.units.key(split.search.tolist(), self.request.sizes, images)
        stored = self.units.read(key)
        return None if stored is None else stored.selection.first(self.size)

    def _searched(self, split: Split) -> Selection:
        outcome = search_part(self.request, split.search, images=split.images)
        return outcome.selection.first(self.size)


def replay_of(origin: Origin, scored: Scored) -> Replay | str:
    """Resolve the searches behind a subset's evidence, or say in words why that cannot be done."""
    evidence = origin.subset.record.evidence
    if evidence is None:
        return "nothing was held out"
    if not scored.whole or len(scored.table.metrics) < len(origin.subset.metrics):
        return "the scores are not those of the search: variants or metrics of it are missing"
    try:
        request = _request(origin, scored)
        splits = _splits(origin, scored, request, evidence)
    except (FlashevalError, TypeError, ValueError) as error:
        return f"its search cannot be set up again: {error}"
    named = {one.name for one in evidence.splits}  # after Ctrl-C not all of them were done
    splits = tuple(split for split in splits if split.name in named)
    sizes = [(split.name, len(split.search), len(split.held_out)) for split in splits]
    if sizes != [(one.name, one.n_search, one.n_held_out) for one in evidence.splits]:
        return f"the splits of the evidence ({evidence.split_spec}) cannot be made again"
    units = (
        None
        if origin.folder is None
        else FinishedSearches(origin.folder / UNITS, request.context())
    )
    return Replay(request, splits, units, origin.subset.size)


def _splits(
    origin: Origin, scored: Scored, request: SearchRequest, evidence: Evidence
) -> tuple[Split, ...]:
    """Make the splits again: from the run's settings, or a manifest's words or names for them."""
    spec = origin.settings.get("splits")
    if spec is None:
        drawn = [_drawn(split.name) for split in evidence.splits]
        spec = drawn if all(drawn) else evidence.split_spec
    twins = np.arange(len(request.table))  # of twins one was searched
    given = scored.given.variant_names
    splits = make_splits(origin.located(spec), request.table, given=given, twins=twins)
    used = request.images_per_prompt
    return tuple(with_images_used(split, request.table, used) for split in splits)


def _drawn(name: str) -> str:
    """Return what makes a split that was drawn at random, from its name; empty for others.

    >>> _drawn("random:1000"), _drawn("sample:12:3"), _drawn("official")
    ('random:1@1000', 'sample:12x1@3', '')
    """
    kind, *numbers = name.split(":")
    if kind == "random" and len(numbers) == 1:
        return f"random:1@{numbers[0]}"
    if kind == "sample" and len(numbers) == 2:
        return f"sample:{numbers[0]}x1@{numbers[1]}"
    return ""


def _request(origin: Origin, scored: Scored) -> SearchRequest:
    """Return what was asked of the search; FlashevalError where the manifest lacks some."""
    subset, table = origin.subset, scored.searched_table
    told: dict[str, Any] = dict(subset.method.settings)
    given = {key: told.pop(key, None) for key in _NOT_THE_METHODS}
    nested = given["nested"]
    if given["prefix_of"] is not None and nested is None:
        raise FlashevalError("it is the beginning of a set that was chosen as a whole")
    if subset.method.seed is None:
        raise FlashevalError("its manifest names no seed")
    return make_request(
        table,
        make_method(subset.method.name, told),
        max(nested) if nested else subset.size,
        nested,
        subset.method.seed,
        given["require"] or (),
        given["forbid"] or (),
        given["warm_start"],
        hints_for(scored.given, table, origin.settings.get("group")),
        given["images_per_prompt"],
        given["images_as"] or "auto",
        given["balance"] or "none",
        given["quota"] or "none",
    )
