"""`flasheval.search`: choose a subset and say honestly how well the choice generalises.

The subset is searched on all complete variants. Beside that the whole search is repeated on every
split's search variants alone and judged on its held-out ones: that evidence is of the procedure,
never of the exact set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flasheval.base.progress import reporting
from flasheval.base.versions import library_versions, utc_now
from flasheval.scores import ScoreTable, load_scores
from flasheval.scores.ranking.significant import near_tie_share
from flasheval.scores.table import Incomplete
from flasheval.selection.calibration.fit import fit_calibration, predicting_matrices
from flasheval.selection.calibration.folds import DEFAULT_GROUP, checked_expect
from flasheval.selection.calibration.looks import fit_looks
from flasheval.selection.held_out.evidence import evidence_of
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.judge import subset_means
from flasheval.selection.held_out.measure import Measurement, ProgressCallback, check_draws
from flasheval.selection.held_out.splits import describe_splits, make_splits
from flasheval.selection.held_out.warnings import search_warnings
from flasheval.selection.methods.auto import Auto, explain
from flasheval.selection.methods.driver import SearchOutcome
from flasheval.selection.methods.registry import make_method
from flasheval.selection.methods.selector import Selection, Selector
from flasheval.selection.request import (
    Plan,
    calibration_folds,
    hints_for,
    make_plan,
    measured_sizes,
    subset_name,
)
from flasheval.selection.stages import measure_splits, search_all, search_folds
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.evidence import KnownVariant, PrefixCalibration, Record

__all__ = ["SearchResult", "known_variants", "search"]


@dataclass(frozen=True)
class SearchResult:
    """What a search found and what was measured of it.

    Attributes:
        subset: The chosen prompts with their manifest; `subset.record.evidence` is the evidence.
        measurement: Every split's numbers, or None when nothing was held out.
        history: One row a step or stage of the search on all variants.
        sets: Candidate sets it scored.
        seconds: Its wall time.
        warnings: What a reader must know, one line each.
        interrupted: Whether Ctrl-C cut the search or its evidence short.

    """

    subset: Subset
    measurement: Measurement | None
    history: tuple[Mapping[str, float], ...]
    sets: int
    seconds: float
    warnings: tuple[str, ...] = ()
    interrupted: bool = False

    def __str__(self) -> str:
        return str(self.subset)


def search(
    scores: ScoreTable | str | Path,
    *,
    size: int = 50,
    method: str | Mapping[str, Any] | Selector[Any] = "auto",
    settings: Mapping[str, Any] | None = None,
    metric: str | Sequence[str] | None = None,
    seed: int = 0,
    splits: object = "random:10",
    incomplete: Incomplete = "drop",
    nested: Sequence[int] | None = None,
    warm_start: Subset | Sequence[str] | None = None,
    require: Sequence[str] = (),
    forbid: Sequence[str] = (),
    curve: Sequence[int] | Literal["auto"] | None = None,
    draws: int = 200,
    calibrate: bool | Literal["auto"] = "auto",
    expect: str = "similar",
    group: str | None = None,
    name: str | None = None,
    folder: str | Path | None = None,
    progress: ProgressCallback | bool | None = None,
) -> SearchResult:
    """Find the prompts that rank variants as the whole set does.

    Args:
        scores: A score table, or anything `load_scores` reads.
        size: Prompts to choose.
        method: A name out of `flasheval.selection.methods.registry.METHODS`, a mapping of settings
            with a `name`, or a method: one of flasheval such as `Anneal(swaps=1000)`, or your own.
        settings: The settings beside a method's name; the rest keep their defaults.
        metric: One metric or several to serve together; all of the table's when not given.
        seed: Same scores, settings and seed give the same subset and content hash.
        splits: How to hold variants out, see `flasheval.selection.held_out.splits.make_splits`;
            None for no evidence.
        incomplete: What to leave out for missing scores: the variants (`drop`), or, where few are
            missing, the `prompts`; or an `error`.
        nested: Sizes that shall each be a prefix of one ordered list, each with a calibration of
            its own; `size` is then their largest.
        warm_start: A subset, or prompt ids, to start from.
        require: Ids of prompts that must be in.
        forbid: Ids of prompts that must stay out.
        curve: Further sizes at which to measure agreement, for the plot; "auto" takes 10 to 200
            for methods that cost next to nothing.
        draws: Random subsets per size of the baseline.
        calibrate: Whether to learn, from further searches that hold variants out, how well the
            subset's scores predict the full set's; "auto" does it for methods that cost next to
            nothing and at least 8 variants.
        expect: What new variants will be like: `similar` to those here, or of a `new_family`,
            whose scores are predicted with wider intervals.
        group: The factor that names families; `base_model` where it is not given.
        name: The subset's name; made from prompt set, metrics and size when not given.
        folder: Where unfinished and finished units of work are kept, so that the same call after
            an interruption continues.
        progress: A function of a label, the searches done and those planned; True for a bar
            (lines where there is no terminal) over what takes more than two seconds; False for
            none; by default the bar on a terminal only.

    Returns:
        The result. After Ctrl-C it holds the best so far, marked `interrupted`.

    Raises:
        SettingError: A setting that cannot be.
        DataError: Scores that cannot be used.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(n_variants=24, n_prompts=300)
        >>> result = search(table, size=10, metric="quality", splits="random:4")
        >>> result.subset.size, len(result.measurement.splits)
        (10, 4)

    """
    given = load_scores(scores)
    names = [metric] if isinstance(metric, str) else metric
    table, dropped = given.complete(names, incomplete)
    prompts_left_out = given.n_prompts - table.n_prompts
    if prompts_left_out:  # the other metrics, which some methods look at, on the same prompts
        given = given.take_prompts(given.prompts.index_of(table.prompts.ids))
    plan = make_plan(
        table,
        _selector(method, settings, expect),
        size,
        nested,
        seed,
        require,
        forbid,
        warm_start,
        hints_for(given, table, group),
    )
    name = subset_name(plan, name)
    check_draws(draws)
    parts = () if splits is None else make_splits(splits, table, given=given.variant_names)
    folds = calibration_folds(plan, calibrate, checked_expect(expect), group)
    units = None if folder is None else FinishedSearches(Path(folder), plan.context()).ready()
    sizes = measured_sizes(plan, curve)
    splits_planned = len(parts) * (1 if len(plan.sizes) > 1 else len(sizes))
    planned = 1 + splits_planned + len(folds)
    measurement, selections = None, None
    with reporting(progress) as report:
        outcome = search_all(plan, units, report, planned)
        interrupted = outcome.interrupted
        if parts and not interrupted:
            measurement = measure_splits(plan, parts, sizes, units, draws, report, planned)
            interrupted = measurement is None or measurement.interrupted
        if folds and not interrupted:
            selections = search_folds(plan, folds, units, report, 1 + splits_planned, planned)
            interrupted = selections is None
    spec = describe_splits(splits)
    evidence = None if measurement is None else evidence_of(measurement, plan.size, spec, seed)
    ties = {name: near_tie_share(table[name].values) for name in table.metrics}
    warnings = search_warnings(
        evidence,
        parts,
        len(table),
        dropped,
        ties,
        interrupted,
        plan.warm_start is not None,
        prompts_left_out,
    )
    calibration = None
    looks: tuple[PrefixCalibration, ...] = ()
    if selections is not None:
        likeness, family = checked_expect(expect), group or DEFAULT_GROUP
        found = (predicting_matrices(given, table), outcome.selection, folds, selections)
        calibration = fit_calibration(*found, expect=likeness, group=family, near_ties=ties)
        looks = fit_looks(*found, plan.sizes, expect=likeness, group=family, near_ties=ties)
    elif folds:
        warnings.insert(1, "not calibrated yet, so full scores of new variants are not predicted")
    record = Record(
        evidence=evidence,
        calibration=calibration,
        looks=looks,
        known_variants=known_variants(table, outcome.selection),
        scorers={
            metric: version
            for metric in table.metrics
            if (version := table[metric].scorer_version) is not None
        },
        versions=library_versions(),
        created=utc_now(),
        notes=_notes(plan.selector, outcome),
        warnings=tuple(warnings),
        interrupted=interrupted,
    )
    subset = _subset(plan, outcome.selection, name, record)
    return SearchResult(
        subset,
        measurement,
        tuple(outcome.history),
        outcome.sets,
        outcome.seconds,
        tuple(warnings),
        interrupted,
    )


def _selector(method: object, settings: Mapping[str, Any] | None, expect: str) -> Selector[Any]:
    """Make the method; `auto` is told what to expect unless its settings say so."""
    selector = make_method(method, settings)
    if isinstance(selector, Auto) and selector.expect is None:
        return replace(selector, expect=checked_expect(expect))
    return selector


def _notes(selector: Selector[Any], outcome: SearchOutcome) -> tuple[str, ...]:
    return (explain(selector.expect, outcome.history),) if isinstance(selector, Auto) else ()


def known_variants(table: ScoreTable, selection: Selection) -> tuple[KnownVariant, ...]:
    """Return every variant's full and subset means; no score of a single prompt."""
    full: dict[str, NDArray[np.float64]] = {name: table[name].full_means for name in table.metrics}
    subset = {name: subset_means(table[name].values, selection) for name in table.metrics}
    return tuple(
        KnownVariant(
            variant,
            {name: float(full[name][row]) for name in table.metrics},
            {name: float(subset[name][row]) for name in table.metrics},
        )
        for row, variant in enumerate(table.variant_names)
    )


def _subset(plan: Plan, selection: Selection, name: str, record: Record) -> Subset:
    table = plan.table
    return Subset.choose(
        table.prompts,
        selection.indices,
        name=name,
        metrics=tuple(
            MetricInfo(metric, table[metric].higher_is_better) for metric in table.metrics
        ),
        method=Method(plan.selector.name, plan.settings(), plan.seed),
        searched_variants=table.variant_names,
        weights=selection.weights,
        record=record,
    )
