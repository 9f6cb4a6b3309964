"""One ordered list whose prefixes are each a good subset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from flasheval.base.errors import SettingError
from flasheval.selection.methods.driver import SearchOutcome, StepCallback, drive
from flasheval.selection.methods.problem import Kept, Problem
from flasheval.selection.methods.selector import Selection, Selector

__all__ = ["check_nested", "check_sizes", "run_nested"]


def check_nested(sizes: Sequence[int], n_prompts: int) -> tuple[int, ...]:
    """Sizes in ascending order, each once; SettingError for one out of range.

    Example:
        >>> check_nested([50, 10], 100)
        (10, 50)

    """
    return check_sizes("nested", sizes, 1, n_prompts)


def check_sizes(key: str, sizes: object, least: int, most: int) -> tuple[int, ...]:
    """Sizes of a setting in ascending order, each once; SettingError for one out of range.

    Example:
        >>> check_sizes("curve", [50, 10, 50], 1, 100)
        (10, 50)

    """
    if not isinstance(sizes, Sequence) or isinstance(sizes, str) or not sizes:
        raise SettingError(f"{key}={sizes!r}: expected a list of sizes, for example [10,20,50]")
    for size in sizes:
        if not isinstance(size, int | np.integer) or isinstance(size, bool):
            raise SettingError(f"{key}: size {size!r} is not a whole number")
        if not least <= size <= most:
            raise SettingError(f"{key}: size {size} is outside {least} to {most} prompts")
    return tuple(sorted({int(size) for size in sizes}))


def run_nested(
    selector: Selector[Any],
    problem: Problem,
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    progress: StepCallback | None = None,
    state_file: Path | None = None,
    key: str = "",
    keep_state: bool = False,
) -> SearchOutcome:
    """Search the smallest size first, then each next one with the last one's prompts required.

    Args:
        selector: The method; it must respect required prompts, as all of ours do.
        problem: The search; its `size` is replaced by each of `sizes` in turn.
        sizes: From `check_nested`.
        rng: Source of all randomness.
        progress: Called after every step of every stage.
        state_file: As in `drive`, one file a stage beside it.
        key: As in `drive`.
        keep_state: As in `drive`, for the files of all stages.

    Returns:
        The largest size's outcome, its indices so ordered that the first k, for each k of `sizes`,
        are that stage's subset; weights are the last stage's. History rows carry a column `size`.
        After Ctrl-C it is that of the stage broken off, or of the one before it.

    Raises:
        SettingError: A size is below the number of required prompts, or the method repeats
            prompts, so that its subsets have no prefixes.
        KeyboardInterrupt: As in `drive`, in the first stage.

    Example:
        >>> from flasheval.selection.methods.discrimination import Discrimination
        >>> from flasheval.selection.methods.problem import make_problem
        >>> scores = np.random.default_rng(0).normal(size=(6, 20))
        >>> problem = make_problem([scores], ["clip"], size=5)
        >>> outcome = run_nested(Discrimination(), problem, (2, 5), np.random.default_rng(0))
        >>> len(outcome.selection.indices), outcome.sets  # one set scored for each size
        (5, 2)

    """
    if sizes[0] < len(problem.required):
        raise SettingError(
            f"nested: size {sizes[0]} is smaller than the {len(problem.required)} required "
            "prompts: leave that size out, or require fewer"
        )
    rngs = rng.spawn(len(sizes))
    files: list[Path] = []
    history: list[dict[str, float]] = []
    sets, seconds, interrupted = 0, 0.0, False
    selection = Selection(problem.required)
    kept: Kept = {}
    for number, (size, stage_rng) in enumerate(zip(sizes, rngs, strict=True)):
        stage = problem.stage(size, selection.indices, kept)
        stage_file = (
            None if state_file is None else state_file.with_stem(f"{state_file.stem}-{size}")
        )
        try:
            outcome = drive(
                selector,
                stage,
                stage_rng,
                progress=_stage_progress(progress, number, len(sizes)),
                state_file=stage_file,
                key=f"{key}/{size}",
                keep_state=True,
            )
        except KeyboardInterrupt:
            if number == 0:
                raise
            interrupted = True
            break
        files += [] if stage_file is None else [stage_file]
        selection = outcome.selection
        history += [{"size": size, **row} for row in outcome.history]
        sets, seconds = sets + outcome.sets, seconds + outcome.seconds
        interrupted = outcome.interrupted
        if interrupted:
            break
        if len(selection.indices) < size:
            raise SettingError(
                f"nested: the subset of size {size} repeats prompts and has only "
                f"{len(selection.indices)} different ones; use replace: false"
            )
    if not interrupted and not keep_state:
        for file in files:
            file.unlink(missing_ok=True)
    return SearchOutcome(selection, history, sets, seconds, interrupted)


def _stage_progress(progress: StepCallback | None, stage: int, stages: int) -> StepCallback | None:
    """Count a stage's steps as its share of all stages' steps."""
    if progress is None:
        return None
    return lambda step, steps: progress(stage * steps + step, stages * steps)
