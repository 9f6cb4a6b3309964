"""Repeat the whole search without each part of the variants in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.one_search import ProgressCallback, search_part
from flasheval.selection.held_out.parallel import run_parallel
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.driver import StepCallback
from flasheval.selection.methods.selector import Selection
from flasheval.selection.request import SearchRequest

__all__ = ["cross_fit", "fold_labels", "fold_pieces", "whole"]


def cross_fit(
    request: SearchRequest,
    folds: Sequence[Split],
    finished: FinishedSearches | None = None,
    report: ProgressCallback | None = None,
) -> tuple[Selection, ...] | None:
    """Search on each fold's search variants, just as on all of them.

    Args:
        request: What is asked.
        folds: The parts, see `flasheval.selection.calibration.folds.make_folds`.
        finished: Where finished searches are kept, so that a second call makes none again.
        report: Told of the progress.

    Returns:
        One selection a fold, or None when Ctrl-C cut the work short.

    Raises:
        DataError: A fold leaves too few variants to search on.

    """
    pieces = fold_pieces(request, folds, finished)
    costs = [request.cost(len(fold.search)) for fold in folds]
    found, _ = run_parallel(pieces, fold_labels(folds), costs=costs, report=report)
    return whole(found)


def fold_pieces(
    request: SearchRequest, folds: Sequence[Split], finished: FinishedSearches | None
) -> list[Callable[[StepCallback], Selection | None]]:
    """Return the searches without each fold as pieces of work, see `run_parallel`."""

    def search(fold: Split, steps: StepCallback) -> Selection | None:
        outcome = search_part(request, fold.search, finished, steps)
        return None if outcome.interrupted else outcome.selection

    return [partial(search, fold) for fold in folds]


def fold_labels(folds: Sequence[Split]) -> list[str]:
    """Return what each search without a fold is called in the progress."""
    return [f"calibration, {fold.name}" for fold in folds]


def whole(found: Sequence[Selection | None]) -> tuple[Selection, ...] | None:
    """Return the selections when there is one of every fold, None otherwise."""
    selections = tuple(one for one in found if one is not None)
    return selections if len(selections) == len(found) else None
