"""`flasheval.search`: choose a subset and say honestly how well the choice generalises.

The subset is searched on all complete variants. Beside that the whole search is repeated on every
split's search variants alone and judged on its held-out ones: that evidence is of the procedure,
never of the exact set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import flasheval
from flasheval.errors import SettingError
from flasheval.prompts import PromptSet
from flasheval.scores import ScoreTable, load_scores
from flasheval.selectors.nested import check_nested, check_sizes
from flasheval.selectors.problem import make_problem
from flasheval.selectors.registry import make_selector, selector_settings
from flasheval.selectors.run import Outcome
from flasheval.selectors.selector import Selection, Selector
from flasheval.storage.canonical import sha256_of
from flasheval.storage.files import safe_name
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.evidence import KnownVariant, Record, library_versions, utc_now
from flasheval.validation.held_out import subset_means
from flasheval.validation.measure import (
    Measurement,
    Report,
    check_draws,
    measure,
    search_progress,
    search_unit,
)
from flasheval.validation.splits import Split, describe_splits, make_splits
from flasheval.validation.summary import evidence_of
from flasheval.validation.units import UnitStore
from flasheval.validation.warnings import near_tie_share, search_warnings

__all__ = ["SearchResult", "search"]

_CURVE = (10, 20, 50, 100, 200)


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


@dataclass(frozen=True)
class _Plan:
    """A search with every setting resolved."""

    table: ScoreTable
    selector: Selector[Any]
    sizes: tuple[int, ...]
    seed: int
    required: tuple[int, ...]
    forbidden: tuple[int, ...]
    warm_start: tuple[int, ...] | None

    @property
    def size(self) -> int:
        return self.sizes[-1]

    def settings(self) -> dict[str, Any]:
        """Everything besides scores and seed that determines the subset."""
        ids = self.table.prompts.ids
        settings = selector_settings(self.selector)
        if len(self.sizes) > 1:
            settings["nested"] = list(self.sizes)
        for key, chosen in (
            ("require", self.required),
            ("forbid", self.forbidden),
            ("warm_start", self.warm_start),
        ):
            if chosen:
                settings[key] = [ids[index] for index in chosen]
        return settings

    def context(self) -> str:
        return sha256_of(
            {
                "version": flasheval.__version__,
                "scores": self.table.content_hash,
                "method": self.selector.name,
                "settings": self.settings(),
                "seed": self.seed,
            },
            digits=17,
        )


def search(
    scores: ScoreTable | str | Path,
    *,
    size: int = 50,
    method: str = "balanced",
    settings: Mapping[str, Any] | None = None,
    metric: str | Sequence[str] | None = None,
    seed: int = 0,
    splits: object = "random:10",
    incomplete: Literal["drop", "error"] = "drop",
    nested: Sequence[int] | None = None,
    warm_start: Subset | Sequence[str] | None = None,
    require: Sequence[str] = (),
    forbid: Sequence[str] = (),
    curve: Sequence[int] | Literal["auto"] | None = None,
    draws: int = 200,
    name: str | None = None,
    folder: str | Path | None = None,
    progress: Report | None = None,
) -> SearchResult:
    """Find the prompts that rank variants as the whole set does.

    Args:
        scores: A score table, or anything `load_scores` reads.
        size: Prompts to choose.
        method: One of `flasheval.selectors.registry.METHODS`.
        settings: The method's own settings; the rest keep their defaults.
        metric: One metric or several to serve together; all of the table's when not given.
        seed: Same scores, settings and seed give the same subset and content hash.
        splits: How to hold variants out, see `flasheval.validation.splits.make_splits`; None for
            no evidence.
        incomplete: Whether variants with missing scores are left out or an error.
        nested: Sizes that shall each be a prefix of one ordered list; `size` is then their largest.
        warm_start: A subset, or prompt ids, to start from.
        require: Ids of prompts that must be in.
        forbid: Ids of prompts that must stay out.
        curve: Further sizes at which to measure agreement, for the plot; "auto" takes 10 to 200
            for methods that cost next to nothing.
        draws: Random subsets per size of the baseline.
        name: The subset's name; made from prompt set, metrics and size when not given.
        folder: Where unfinished and finished units of work are kept, so that the same call after
            an interruption continues.
        progress: See `flasheval.validation.measure.Report`.

    Returns:
        The result. After Ctrl-C it holds the best so far, marked `interrupted`.

    Raises:
        SettingError: A setting that cannot be.
        DataError: Scores that cannot be used.

    Example:
        >>> from flasheval.synthetic import synthetic_scores
        >>> table = synthetic_scores(n_variants=24, n_prompts=300)
        >>> result = search(table, size=10, metric="quality", splits="random:4")
        >>> result.subset.size, len(result.measurement.splits)
        (10, 4)

    """
    given = load_scores(scores)
    names = [metric] if isinstance(metric, str) else metric
    table, dropped = given.complete(names, incomplete)
    plan = _resolve(
        table,
        make_selector(method, settings),
        size,
        nested,
        seed,
        require,
        forbid,
        warm_start,
    )
    name = _checked_name(plan, name)
    check_draws(draws)
    parts = () if splits is None else make_splits(splits, table, given=given.variant_names)
    units = None if folder is None else UnitStore(Path(folder), plan.context()).ready()
    sizes = _measured_sizes(plan, curve)
    planned = 1 + len(parts) * (1 if len(plan.sizes) > 1 else len(sizes))
    outcome = _search_all(plan, units, progress, planned)
    measurement = None
    if parts and not outcome.interrupted:
        measurement = _measure(plan, parts, sizes, units, draws, progress)
    interrupted = outcome.interrupted or (
        bool(parts) and (measurement is None or measurement.interrupted)
    )
    spec = describe_splits(splits)
    evidence = None if measurement is None else evidence_of(measurement, plan.size, spec, seed)
    ties = {name: near_tie_share(table[name]) for name in table.metrics}
    warnings = search_warnings(evidence, parts, len(table), dropped, ties, interrupted)
    record = Record(
        evidence=evidence,
        known_variants=_known_variants(table, outcome.selection),
        versions=library_versions(),
        created=utc_now(),
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


def _resolve(
    table: ScoreTable,
    selector: Selector[Any],
    size: int,
    nested: Sequence[int] | None,
    seed: int,
    require: Sequence[str],
    forbid: Sequence[str],
    warm_start: Subset | Sequence[str] | None,
) -> _Plan:
    sizes = (size,) if nested is None else check_nested(nested, table.n_prompts)
    prompts = table.prompts
    start = None
    if warm_start is not None:
        if isinstance(warm_start, Subset):
            warm_start.verify(prompts)  # equal ids may be other prompts
            warm_start = warm_start.ids
        start = _positions(prompts, warm_start)
    return _Plan(
        table,
        selector,
        sizes,
        _checked_seed(seed),
        _positions(prompts, require),
        _positions(prompts, forbid),
        start,
    )


def _checked_seed(seed: object) -> int:
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise SettingError(f"seed={seed!r}: expected a whole number from 0 on")
    return int(seed)


def _positions(prompts: PromptSet, ids: Sequence[str]) -> tuple[int, ...]:
    chosen = prompts.index_of([ids] if isinstance(ids, str) else ids)
    return tuple(int(index) for index in chosen)


def _checked_name(plan: _Plan, name: str | None) -> str:
    """Return the subset's name, which must be good for a file, before any work is done."""
    if name is None:
        metrics = plan.table.metrics
        shown = metrics[0] if len(metrics) == 1 else "shared"
        name = f"{plan.table.prompts.name}-{shown}-{plan.size}"
    return safe_name(name, "subset name")


def _search_all(
    plan: _Plan, units: UnitStore | None, progress: Report | None, planned: int
) -> Outcome:
    """Search on all variants: that subset is the answer."""
    table = plan.table
    problem = make_problem(
        [table[name].values for name in table.metrics],
        table.metrics,
        plan.size,
        required=plan.required,
        forbidden=plan.forbidden,
        warm_start=plan.warm_start,
    )
    everyone = list(range(len(table)))
    rng = np.random.default_rng(plan.seed)
    label = f"{plan.selector.name} on all {len(table)} variants"
    steps = search_progress(progress, label, 0, planned)
    return search_unit(plan.selector, problem, plan.sizes, rng, everyone, units, steps)


def _measured_sizes(plan: _Plan, curve: Sequence[int] | Literal["auto"] | None) -> tuple[int, ...]:
    """Return the sizes at which agreement is measured, the one asked for first."""
    if len(plan.sizes) > 1:
        return plan.sizes
    least = max(1, len(plan.required))
    most = plan.table.n_prompts - len(plan.forbidden)
    if isinstance(curve, str):
        if curve != "auto":
            raise SettingError(f"curve={curve}: expected auto, null or a list of sizes")
        curve = _CURVE if plan.selector.cheap else ()
        curve = [size for size in curve if least <= size <= most]
    wanted = check_sizes("curve", curve, least, most) if curve else ()
    return (plan.size, *(size for size in wanted if size != plan.size))


def _measure(
    plan: _Plan,
    parts: tuple[Split, ...],
    sizes: tuple[int, ...],
    units: UnitStore | None,
    draws: int,
    progress: Report | None,
) -> Measurement | None:
    """Measure the procedure on the splits; None when Ctrl-C left nothing."""
    report = progress and (lambda what, done, all_: progress(what, done + 1, all_ + 1))
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
            nested=len(plan.sizes) > 1,
            units=units,
            draws=draws,
            progress=report,
        )
    except KeyboardInterrupt:  # before the first split: the subset is found and is kept
        return None
    return measurement if measurement.cells else None


def _known_variants(table: ScoreTable, selection: Selection) -> tuple[KnownVariant, ...]:
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


def _subset(plan: _Plan, selection: Selection, name: str, record: Record) -> Subset:
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
