"""One search of a held-out evaluation: on some of the variants, kept once it is finished."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.images import ImageUse
from flasheval.selection.methods.driver import SearchOutcome, StepCallback, drive
from flasheval.selection.methods.nested import run_nested
from flasheval.selection.methods.problem import Problem
from flasheval.selection.request import SearchRequest

__all__ = [
    "ProgressCallback",
    "search_all",
    "search_part",
    "search_rng",
]

_log = logging.getLogger(__name__)

ProgressCallback = Callable[[str, float, int], None]
"""Called with what is being done, the searches done (one under way counts by its share of steps),
and the searches planned."""


def search_rng(seed: int, members: NDArray[np.int64], size: int) -> np.random.Generator:
    """Make the generator of one search: it depends on seed, search variants and size alone.

    Example:
        >>> draws = [search_rng(0, np.array([0, 2, 5]), size).random() for size in (10, 10, 20)]
        >>> draws[0] == draws[1], draws[1] == draws[2]
        (True, False)

    """
    return np.random.default_rng([seed, size, *members.tolist()])


def search_all(
    request: SearchRequest,
    finished: FinishedSearches | None = None,
    progress: StepCallback | None = None,
) -> SearchOutcome:
    """Search on all variants: that subset is the answer. Arguments as for `search_part`.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.discrimination import Discrimination
        >>> request = SearchRequest(synthetic_scores(12, 40), Discrimination(), (5,))
        >>> len(search_all(request).selection.indices)
        5

    """
    rng = np.random.default_rng(request.seed)
    everyone = list(range(len(request.table)))
    return _search(request, request.problem, everyone, rng, finished, progress)


def search_part(
    request: SearchRequest,
    rows: NDArray[np.int64],
    finished: FinishedSearches | None = None,
    progress: StepCallback | None = None,
    images: ImageUse | None = None,
) -> SearchOutcome:
    """Search on some of the variants alone: what a held-out evaluation repeats.

    Args:
        request: What is asked.
        rows: int64 positions of the search variants. The search's generator comes from them, the
            request's seed and its largest size alone.
        finished: Where finished searches are kept, so that none is made twice; an unfinished one
            keeps its state there too.
        progress: See `drive`.
        images: Which images of each prompt the search sees; all where not given.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.pooled import Pooled
        >>> request = SearchRequest(synthetic_scores(24, 300), Pooled(), (10,))
        >>> search_part(request, np.arange(12)).selection.indices.shape
        (10,)

    """
    rng = search_rng(request.seed, rows, request.size)
    make = partial(request.problem, rows, images)
    part = None if images is None else images.search_key
    return _search(request, make, rows.tolist(), rng, finished, progress, part)


def _search(
    request: SearchRequest,
    make_problem: Callable[[], Problem],
    members: list[int],
    rng: np.random.Generator,
    finished: FinishedSearches | None,
    progress: StepCallback | None,
    images: object = None,
) -> SearchOutcome:
    """Run one search, or read it back when it is finished already."""
    key = "" if finished is None else finished.key(members, request.sizes, images)
    stored = None if finished is None else finished.read(key)
    what = (request.selector.name, request.size, len(members))
    if stored is not None:
        _log.debug("search by %s of %d prompts on %d variants: made earlier", *what)
        return stored
    _log.info("search by %s of %d prompts on %d variants", *what)
    problem = make_problem()
    state_file = None if finished is None else finished.state_file(key)
    keep_state = finished is not None
    if request.nested:
        outcome = run_nested(
            request.selector,
            problem,
            request.sizes,
            rng,
            progress=progress,
            state_file=state_file,
            key=key,
            keep_state=keep_state,
        )
    else:
        outcome = drive(
            request.selector,
            problem,
            rng,
            progress=progress,
            state_file=state_file,
            key=key,
            keep_state=keep_state,
        )
    if finished is not None and not outcome.interrupted:
        finished.write(key, outcome)
        finished.drop_states(key)  # only now: Ctrl-C between would lose the search
    return outcome
