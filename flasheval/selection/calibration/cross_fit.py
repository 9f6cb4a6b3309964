"""Repeat the whole search without each part of the variants in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from flasheval.scores import ScoreTable
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.one_search import ProgressCallback, search_part
from flasheval.selection.held_out.parallel import run_parallel
from flasheval.selection.held_out.splits import Split, on_other_seeds, with_images_used
from flasheval.selection.methods.driver import StepCallback
from flasheval.selection.methods.selector import Selection
from flasheval.selection.request import SearchRequest

__all__ = ["cross_fit", "fold_labels", "fold_pieces", "image_folds", "used_folds", "whole"]


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

    Example:
        >>> import numpy as np
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.methods.stratified import Stratified
        >>> every = np.arange(12)
        >>> folds = [Split("a", every[4:], every[:4]), Split("b", every[:8], every[8:])]
        >>> found = cross_fit(SearchRequest(synthetic_scores(12, 40), Stratified(), (5,)), folds)
        >>> [len(selection.indices) for selection in found]
        [5, 5]

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
        outcome = search_part(request, fold.search, finished, steps, fold.images)
        return None if outcome.interrupted else outcome.selection

    return [partial(search, fold) for fold in folds]


def fold_labels(folds: Sequence[Split]) -> list[str]:
    """Return what each search without a fold is called in the progress."""
    return [f"calibration, {fold.name}" for fold in folds]


def image_folds(folds: Sequence[Split], table: ScoreTable, images: int | None) -> tuple[Split, ...]:
    """Return the folds whose searches see half of the images, and are judged by the others.

    Args:
        folds: The parts of the variants.
        table: The scores.
        images: Images a prompt that the subset is to be used with; None for all there are.

    Returns:
        None where each prompt has one image; without the parts of which missing images leave
        fewer than one variant held out or two searched.

    Example:
        >>> import numpy as np
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> every = np.arange(12)
        >>> folds = [Split("a", every[4:], every[:4]), Split("b", every[:8], every[8:])]
        >>> found = image_folds(folds, synthetic_scores(12, 40, images=2), None)
        >>> [fold.name for fold in found], image_folds(folds, synthetic_scores(12, 40), None)
        (['a+seeds', 'b+seeds'], ())

    """
    if table.images_per_prompt < 2:
        return ()
    plain = [replace(fold, images=None) for fold in folds]
    return used_folds([on_other_seeds(fold, table) for fold in plain], table, images)


def used_folds(folds: Sequence[Split], table: ScoreTable, images: int | None) -> tuple[Split, ...]:
    """Return the folds judged by as many images a prompt as the subset is to be used with.

    Arguments as for `image_folds`; parts left with too few variants are left out too.
    """
    parts = [with_images_used(fold, table, images) for fold in folds]
    return tuple(part for part in parts if len(part.held_out) and len(part.search) > 1)


def whole(found: Sequence[Selection | None]) -> tuple[Selection, ...] | None:
    """Return the selections when there is one of every fold, None otherwise."""
    selections = tuple(one for one in found if one is not None)
    return selections if len(selections) == len(found) else None
