"""Repeat the whole search without each part of the variants in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.one_search import ProgressCallback, search_part, search_progress
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.selector import Selection, Selector

__all__ = ["cross_fit"]


def cross_fit(
    blocks: Sequence[NDArray[np.float32]],
    metrics: Sequence[str],
    sizes: Sequence[int],
    selector: Selector[Any],
    folds: Sequence[Split],
    *,
    seed: int,
    required: Sequence[int] = (),
    forbidden: Sequence[int] = (),
    warm_start: Sequence[int] | None = None,
    hints: Hints | None = None,
    units: FinishedSearches | None = None,
    progress: ProgressCallback | None = None,
) -> tuple[Selection, ...] | None:
    """Search on each fold's search variants, just as on all of them.

    Args:
        blocks: One float32 array [variants, prompts] per metric to search on.
        metrics: Their names.
        sizes: One size, or the ascending sizes of a nested search.
        selector: The method.
        folds: The parts, see `flasheval.selection.calibration.folds.make_folds`.
        seed: Each search's generator comes from it, the fold and the size alone.
        required: Prompts every subset must contain.
        forbidden: Prompts no subset may contain.
        warm_start: Subset to start every search from.
        hints: What a method that borrows may look at beside the blocks, of the same variants.
        units: Where finished searches are kept, so that a second call skips them.
        progress: See `flasheval.selection.held_out.one_search.ProgressCallback`.

    Returns:
        One selection a fold, or None when Ctrl-C cut the work short.

    Raises:
        DataError: A fold leaves too few variants to search on.

    """
    found = []
    try:
        for done, fold in enumerate(folds):
            steps = search_progress(progress, f"calibration, {fold.name}", done, len(folds))
            outcome = search_part(
                selector,
                blocks,
                metrics,
                sizes,
                fold.search,
                seed=seed,
                required=required,
                forbidden=forbidden,
                warm_start=warm_start,
                hints=hints,
                units=units,
                progress=steps,
            )
            if outcome.interrupted:
                return None
            found.append(outcome.selection)
    except KeyboardInterrupt:  # between two searches, or before a search's first step
        return None
    return tuple(found)
