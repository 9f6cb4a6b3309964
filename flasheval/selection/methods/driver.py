"""Drives any selector to its end: progress, saved state, and a clean stop on Ctrl-C."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.saved_state import load_state, save_state
from flasheval.selection.methods.selector import Selection, Selector, State

__all__ = ["SearchOutcome", "StepCallback", "drive"]

StepCallback = Callable[[int, int], None]
"""Called with the steps done and the steps planned after every step."""

_SAVE_EVERY_SECONDS = 5.0


@dataclass(frozen=True)
class SearchOutcome:
    """What a search found.

    Attributes:
        selection: The chosen prompts.
        history: One row a step or stage.
        sets: Candidate sets scored.
        seconds: Wall time of this run (a resumed search counts from its resumption).
        interrupted: Whether Ctrl-C ended it, so `selection` is the best so far.

    Example:
        >>> outcome = SearchOutcome(Selection(np.array([4, 2])), sets=1)
        >>> outcome.selection.indices.tolist(), outcome.interrupted
        ([4, 2], False)

    """

    selection: Selection
    history: list[dict[str, float]] = field(default_factory=list)
    sets: int = 0
    seconds: float = 0.0
    interrupted: bool = False


def drive(
    selector: Selector[Any],
    problem: Problem,
    rng: np.random.Generator,
    *,
    progress: StepCallback | None = None,
    state_file: Path | None = None,
    key: str = "",
    keep_state: bool = False,
) -> SearchOutcome:
    """Search with one method.

    Linear algebra is held to one thread, so a seed gives the same subset on any number of them.
    With `state_file` the state is saved every five seconds and on Ctrl-C, taken up again when a
    file with the same `key` lies there, and removed at the end; a resumed search gives exactly
    what an uninterrupted one gives.

    Args:
        selector: The method.
        problem: What to choose from.
        rng: Source of all randomness; left alone when a saved state is taken up.
        progress: Called after every step.
        state_file: Where to save the state.
        key: Hash of everything that determines the search.
        keep_state: Leave the finished state in `state_file`; the caller removes it.

    Returns:
        The outcome; after Ctrl-C the best so far, marked `interrupted`.

    Raises:
        KeyboardInterrupt: Ctrl-C came before the first step was done, so nothing was found yet.

    Example:
        >>> from flasheval.selection.methods.discrimination import Discrimination
        >>> from flasheval.selection.methods.problem import make_problem
        >>> scores = np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)
        >>> problem = make_problem([scores], ["clip"], size=2)
        >>> len(drive(Discrimination(), problem, np.random.default_rng(0)).selection.indices)
        2

    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    begun = time.perf_counter()
    with threadpool_limits(limits=1, user_api="blas"):
        work = selector.prepare(problem)
        state = None if state_file is None else load_state(state_file, key=key)
        if state is None:
            state = selector.start(work, rng)
        state, interrupted = _advance(selector, work, state, progress, state_file, key)
        if interrupted and state.step == 0:
            raise KeyboardInterrupt
        selection = selector.best(work, state)
    if state_file is not None and not interrupted:
        if keep_state:
            save_state(state, state_file, key=key)
        else:
            with suppress(OSError):  # it was never written
                state_file.unlink()
    seconds = time.perf_counter() - begun
    return SearchOutcome(selection, state.history, state.sets, seconds, interrupted)


def _advance(
    selector: Selector[Any],
    work: Any,
    state: State,
    progress: StepCallback | None,
    state_file: Path | None,
    key: str,
) -> tuple[State, bool]:
    """Step until done; the last whole state, and whether Ctrl-C stopped it.

    A step that is broken off may leave arrays half updated, so each works on a copy of the state
    that only takes its place when the step is whole.
    """
    saved = time.monotonic()
    try:
        while not state.done:
            trial = _copy(state)
            selector.step(work, trial)
            state = trial
            if progress is not None:
                progress(state.step, state.steps)
            if state_file is not None and time.monotonic() - saved > _SAVE_EVERY_SECONDS:
                save_state(state, state_file, key=key)
                saved = time.monotonic()
    except KeyboardInterrupt:
        if state_file is not None:
            save_state(state, state_file, key=key)
        return state, True
    return state, False


def _copy(state: State) -> State:
    return replace(
        state,
        rng=copy.deepcopy(state.rng),
        arrays={name: array.copy() for name, array in state.arrays.items()},
        history=list(state.history),
    )
