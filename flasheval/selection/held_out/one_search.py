"""One search of a held-out evaluation: on some of the variants, kept once it is finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.methods.driver import SearchOutcome, StepCallback, drive
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.nested import run_nested
from flasheval.selection.methods.problem import Problem, make_problem
from flasheval.selection.methods.selector import Selector

__all__ = ["ProgressCallback", "search_or_read", "search_part", "search_progress", "search_rng"]

ProgressCallback = Callable[[str, float, int], None]
"""Called with what is being done, the searches done (one under way counts by its share of steps),
and the searches planned."""


def search_rng(seed: int, members: NDArray[np.int64], size: int) -> np.random.Generator:
    """Make the generator of one search: it depends on seed, search variants and size alone."""
    return np.random.default_rng([seed, size, *members.tolist()])


def search_part(
    selector: Selector[Any],
    blocks: Sequence[NDArray[np.float32]],
    metrics: Sequence[str],
    sizes: Sequence[int],
    rows: NDArray[np.int64],
    *,
    seed: int,
    required: Sequence[int] = (),
    forbidden: Sequence[int] = (),
    warm_start: Sequence[int] | None = None,
    hints: Hints | None = None,
    units: FinishedSearches | None = None,
    progress: StepCallback | None = None,
) -> SearchOutcome:
    """Search on some of the variants alone: what a held-out evaluation repeats.

    Args:
        selector: The method; hints are taken along only if it borrows.
        blocks: One float32 array [variants, prompts] per metric to search on.
        metrics: Their names.
        sizes: One size, or the ascending sizes of a nested search.
        rows: int64 positions of the search variants.
        seed: The search's generator comes from it, `rows` and the largest size alone.
        required: Prompts the subset must contain.
        forbidden: Prompts it must not contain.
        warm_start: Subset to start from.
        hints: What a method that borrows may look at, of all variants.
        units: See `search_or_read`.
        progress: See `drive`.

    """
    problem = make_problem(
        [block[rows] for block in blocks],
        metrics,
        sizes[-1],
        required=required,
        forbidden=forbidden,
        warm_start=warm_start,
        hints=hints.take(rows) if hints is not None and selector.borrows else None,
    )
    rng = search_rng(seed, rows, sizes[-1])
    return search_or_read(selector, problem, sizes, rng, rows.tolist(), units, progress)


def search_or_read(
    selector: Selector[Any],
    problem: Problem,
    sizes: Sequence[int],
    rng: np.random.Generator,
    members: list[int],
    units: FinishedSearches | None,
    progress: StepCallback | None = None,
) -> SearchOutcome:
    """Run one search, or read it back when `units` holds it already.

    Args:
        selector: The method.
        problem: Its size is the largest of `sizes`.
        sizes: One size, or several for a nested search.
        rng: Source of its randomness.
        members: Positions of the search variants, which name the unit.
        units: Where finished searches are kept; an unfinished one keeps its state there too.
        progress: See `drive`.

    """
    key = "" if units is None else units.key(members, sizes)
    stored = None if units is None else units.read(key)
    if stored is not None:
        return stored
    state_file = None if units is None else units.state_file(key)
    if len(sizes) > 1:
        outcome = run_nested(
            selector,
            problem,
            sizes,
            rng,
            progress=progress,
            state_file=state_file,
            key=key,
            keep_state=units is not None,
        )
    else:
        outcome = drive(
            selector,
            problem,
            rng,
            progress=progress,
            state_file=state_file,
            key=key,
            keep_state=units is not None,
        )
    if units is not None and not outcome.interrupted:
        units.write(key, outcome)
        units.drop_states(key)  # only now: Ctrl-C between would lose the search
    return outcome


def search_progress(
    report: ProgressCallback | None, label: str, done: int, planned: int
) -> StepCallback | None:
    """Report a search's steps as the share of it that is done; None for no report.

    Says at once that the search begins.
    """
    if report is None:
        return None
    report(label, done, planned)
    return lambda step, steps: report(label, done + step / max(steps, 1), planned)
