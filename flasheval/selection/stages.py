"""The three parts of `flasheval.search`: on all variants, on each split, without each fold."""

from __future__ import annotations

import numpy as np

from flasheval.selection.calibration.cross_fit import cross_fit
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.measure import Measurement, measure
from flasheval.selection.held_out.one_search import (
    ProgressCallback,
    search_or_read,
    search_progress,
)
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.driver import SearchOutcome
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.selector import Selection
from flasheval.selection.request import Plan

__all__ = ["measure_splits", "search_all", "search_folds"]


def search_all(
    plan: Plan, units: FinishedSearches | None, progress: ProgressCallback | None, planned: int
) -> SearchOutcome:
    """Search on all variants: that subset is the answer."""
    table = plan.table
    problem = make_problem(
        [table[name].values for name in table.metrics],
        table.metrics,
        plan.size,
        required=plan.required,
        forbidden=plan.forbidden,
        warm_start=plan.warm_start,
        hints=plan.hints if plan.selector.borrows else None,
    )
    everyone = list(range(len(table)))
    rng = np.random.default_rng(plan.seed)
    label = f"{plan.selector.name} on all {len(table)} variants"
    steps = search_progress(progress, label, 0, planned)
    return search_or_read(plan.selector, problem, plan.sizes, rng, everyone, units, steps)


def measure_splits(
    plan: Plan,
    parts: tuple[Split, ...],
    sizes: tuple[int, ...],
    units: FinishedSearches | None,
    draws: int,
    progress: ProgressCallback | None,
    planned: int,
) -> Measurement | None:
    """Measure the procedure on the splits; None when Ctrl-C left nothing."""
    report = progress and (lambda what, done, _: progress(what, done + 1, planned))
    try:
        measurement = measure(
            plan.table,
            plan.selector,
            sizes,
            parts,
            seed=plan.seed,
            required=plan.required,
            forbidden=plan.forbidden,
            warm_start=plan.warm_start,
            hints=plan.hints,
            nested=len(plan.sizes) > 1,
            units=units,
            draws=draws,
            progress=report,
        )
    except KeyboardInterrupt:  # before the first split: the subset is found and is kept
        return None
    return measurement if measurement.cells else None


def search_folds(
    plan: Plan,
    folds: tuple[Split, ...],
    units: FinishedSearches | None,
    progress: ProgressCallback | None,
    before: int,
    planned: int,
) -> tuple[Selection, ...] | None:
    """Search without each fold; None when Ctrl-C cut it short."""
    report = progress and (lambda what, done, _: progress(what, before + done, planned))
    table = plan.table
    return cross_fit(
        [table[name].values for name in table.metrics],
        table.metrics,
        plan.sizes,
        plan.selector,
        folds,
        seed=plan.seed,
        required=plan.required,
        forbidden=plan.forbidden,
        warm_start=plan.warm_start,
        hints=plan.hints,
        units=units,
        progress=report,
    )
