"""`flasheval.validate`: compare search methods on variants that no search has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_arguments
from flasheval.base.checks import check_draws, checked_seed
from flasheval.base.errors import SettingError
from flasheval.base.progress import reporting
from flasheval.base.threads import check_workers
from flasheval.base.versions import library_versions, utc_now
from flasheval.generators.seeds import checked_images_per_prompt
from flasheval.scores import ScoreTable, load_scores
from flasheval.scores.table import Incomplete
from flasheval.selection.features import Features, Kinds, prompt_features, rows_kept
from flasheval.selection.held_out.clusters import GroupResampler
from flasheval.selection.held_out.contenders import RANDOM, Contender, find_contender, read_methods
from flasheval.selection.held_out.engine import measure
from flasheval.selection.held_out.kinds import Kind, check_ties, read_kinds
from flasheval.selection.held_out.learning_curve import check_search_variants, learning_curves
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.one_search import ProgressCallback
from flasheval.selection.held_out.records import SplitKind, Summary
from flasheval.selection.held_out.report import ValidationReport
from flasheval.selection.held_out.searches import Procedure
from flasheval.selection.held_out.splits import Split, split_once, with_images_used
from flasheval.selection.held_out.summaries import random_curves, random_points, summarise
from flasheval.selection.held_out.warnings import (
    measurement_warnings,
    result_of_summary,
    too_few_groups_warnings,
)
from flasheval.selection.images import (
    ImagesAs,
    check_several_images,
    checked_images_as,
)
from flasheval.selection.methods.nested import check_sizes
from flasheval.selection.request import SearchRequest, checked_kinds, hints_for
from flasheval.selection.usable import UsableScores, usable_scores
from flasheval.subset.evidence import SplitSizes

__all__ = ["METHODS_COMPARED", "validate"]

METHODS_COMPARED = ("frequency", "anneal", "balanced", "pooled")
_REFERENCE = "frequency"

Floats = NDArray[np.float64]


@checked_arguments
def validate(
    scores: Any,
    *,
    size: int | Sequence[int] = 50,
    methods: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] = METHODS_COMPARED,
    splits: object = "random:10",
    metric: str | Sequence[str] | None = None,
    reference: str | None = _REFERENCE,
    seed: int = 0,
    draws: int = 200,
    search_variants: Sequence[int] | None = None,
    cluster: str | None = None,
    group: str | None = None,
    images_per_prompt: int | None = None,
    images_as: str = "auto",
    balance: Any = "auto",
    quota: Any = "none",
    workers: int | None = None,
    folder: str | Path | None = None,
    incomplete: Incomplete = "drop",
    progress: ProgressCallback | bool | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    drop: str | Sequence[str] = (),
) -> ValidationReport:
    """Compare methods, sizes and kinds of splits on one table of scores, held out.

    Every method searches every split's search variants and is judged on its held-out ones, metric
    by metric. `shared` searches all metrics together, the other methods one at a time. Beside
    them stands `random`, the mean over random subsets of the same size.

    Args:
        scores: A score table, or anything `load_scores` reads: a file, a frame, arrays with names.
        size: Prompts to choose, or several sizes.
        methods: Names of `flasheval.selection.methods.registry.METHODS`, or mappings with a
            method's `name` and settings of it.
        splits: What `flasheval.selection.held_out.splits.make_splits` reads, a list of
            descriptions, or a mapping of names to descriptions or to sequences of `Split`: each is
            a kind of its own.
        metric: One metric or several; all of the table's when not given.
        reference: Label or name of the method the others are paired with; None for none.
        seed: Same scores, settings and seed give the same numbers.
        draws: Random subsets per size.
        search_variants: Numbers of search variants to try as well, on splits without groups.
        cluster: A factor: intervals by drawing whole groups of held-out variants too.
        group: The factor that names families, for methods that ask for it; `base_model` where it
            is not given.
        images_per_prompt: Images a prompt that subsets will be used with, as for
            `flasheval.search`: the variants held out are judged by so many.
        images_as: How a search sees several images of a prompt, as for `flasheval.search`: `rows`
            in the methods that know them.
        balance: What is kept in balance over the chosen prompts, as for `flasheval.search`, by the
            methods that can.
        quota: Kinds of prompts whose shares are held, as for `flasheval.search`; the random prompts
            that methods stand beside are drawn without it.
        workers: Searches made at a time; one per core when not given. It changes no number.
        folder: Finished searches are kept in `units` there, so that the same call after an
            interruption continues.
        incomplete: What to leave out for missing scores: the variants (`drop`), or, where few are
            missing, the `prompts`; or an `error`.
        progress: As for `flasheval.search`.
        columns: Which columns of a table are what, as for `load_scores`.
        drop: Columns, variants and prompts to leave out, as for `load_scores`.

    Returns:
        The report; print it, or `save` it. After Ctrl-C it holds what was done, marked
        `interrupted`.

    Raises:
        SettingError: An invalid setting.
        DataError: Scores that cannot be used.
        KeyboardInterrupt: Ctrl-C came before any search was done.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(n_variants=24, n_prompts=200)
        >>> report = validate(table, size=[10, 20], methods=["discrimination", "balanced"], draws=9)
        >>> [method.label for method in report.methods], report.sizes
        (['random', 'discrimination', 'balanced'], (10, 20))
        >>> report.summary(method="balanced", size=20).over_random.clear
        True

    """
    loaded = load_scores(scores, columns=columns, drop=drop)
    usable = usable_scores(loaded, metric, incomplete)
    given, table, twins = usable.given, usable.table, usable.twins
    given_sizes = [size] if isinstance(size, int | np.integer) else size
    sizes = check_sizes("size", given_sizes, 1, table.n_prompts)
    check_draws(draws)
    check_workers(workers)
    seed = checked_seed(seed)
    if images_per_prompt is not None:
        images_per_prompt = checked_images_per_prompt(images_per_prompt)
    images = images_per_prompt, checked_images_as(images_as)
    if images[1] == "rows":
        check_several_images(table, "images_as=rows", "use images_as=auto")
    contenders = read_methods(methods)
    selectors = [one.selector() for one in contenders if one != RANDOM]
    kinds_held = checked_kinds(table.prompts, quota, selectors, sizes)
    features = prompt_features(table.prompts, rows_kept(balance, loaded.prompts, table.prompts))
    kept = features, kinds_held
    paired = _reference(reference, contenders)
    check_ties(usable.whole)
    kinds = tuple(
        replace(kind, splits=_judged(kind.splits, usable, images[0]))
        for kind in read_kinds(splits, usable.whole, given=given.variant_names, twins=twins)
    )
    check_ties(table, kinds)
    counts = check_search_variants(search_variants, kinds)
    resampler = _resampler(table, cluster, seed)
    with reporting(progress) as report:
        measurement = measure(
            table,
            _procedures(given, table, contenders, sizes, seed, group, images, kept),
            kinds,
            sizes,
            seed=seed,
            draws=draws,
            counts=counts,
            folder=None if folder is None else Path(folder) / "units",
            resampler=resampler,
            workers=workers,
            report=report,
        )
    if measurement.interrupted and not any(
        cell.method != RANDOM.label for cell in measurement.cells
    ):
        raise KeyboardInterrupt
    summaries = summarise(measurement, paired)
    warnings = _warnings(measurement, summaries, cluster)
    return ValidationReport(
        prompt_set=table.prompts.name,
        n_prompts=table.n_prompts,
        n_variants=len(table),
        metrics=table.metrics,
        kinds=tuple(_record(kind) for kind in kinds),
        methods=contenders,
        sizes=sizes,
        main_size=int(given_sizes[0]),
        reference=paired,
        cluster=cluster,
        seed=seed,
        draws=draws,
        summaries=summaries,
        curves=random_curves(measurement),
        learning=learning_curves(measurement),
        warnings=(*warnings, *usable.warnings(incomplete)),
        dropped=usable.dropped,
        prompts_left_out=usable.prompts_left_out,
        interrupted=measurement.interrupted,
        versions=library_versions(),
        created=utc_now(),
        cells=tuple(measurement.cells),
        random=random_points(measurement),
        learning_cells=tuple(measurement.smaller),
    )


def _procedures(
    given: ScoreTable,
    table: ScoreTable,
    contenders: Sequence[Contender],
    sizes: Sequence[int],
    seed: int,
    group: str | None,
    images: tuple[int | None, ImagesAs],
    kept: tuple[Features | None, Kinds | None],
) -> list[Procedure]:
    """Return what is asked of each method, random apart: all metrics together or one at a time."""
    parts: dict[tuple[str, ...], ScoreTable] = {
        (name,): table.with_metrics([name]) for name in table.metrics
    }
    parts[table.metrics] = table
    hints = {names: hints_for(given, part, group) for names, part in parts.items()}
    return [
        Procedure(
            contender.label,
            tuple(
                SearchRequest(
                    parts[names],
                    contender.selector(),
                    (size,),
                    seed,
                    hints=hints[names],
                    images_per_prompt=images[0],
                    images_as=images[1],
                    features=kept[0] if getattr(contender.selector(), "balances", False) else None,
                    kinds=kept[1],
                )
                for size in sizes
                for names in (
                    [table.metrics] if contender.together else [(name,) for name in table.metrics]
                )
            ),
        )
        for contender in contenders
        if contender != RANDOM
    ]


def _judged(splits: Sequence[Split], usable: UsableScores, images: int | None) -> tuple[Split, ...]:
    """Return splits of the distinct variants, judged by as many images as will be used."""
    once = (split_once(split, usable.twins) for split in splits)
    return tuple(with_images_used(split, usable.table, images) for split in once)


def _warnings(
    measurement: Measurement, summaries: Sequence[Summary], cluster: str | None
) -> list[str]:
    pooled = [one for one in summaries if one.metric is None and one.method != RANDOM.label]
    found = measurement_warnings(measurement, [result_of_summary(one) for one in pooled])
    if measurement.interrupted:
        said = "interrupted: these are the searches done so far; run the same command to continue"
        found.insert(0, said)
    return found + too_few_groups_warnings(pooled, cluster)


def _reference(wanted: str | None, contenders: Sequence[Contender]) -> str | None:
    """Return the label of the method to pair with; the default one may be absent.

    None for random too: gains over random are there for all.
    """
    found = None if wanted is None else find_contender(wanted, contenders)
    if found is None and wanted not in (None, _REFERENCE):
        labels = ", ".join(contender.label for contender in contenders)
        raise SettingError(f"reference={wanted}: it is none of the methods compared: {labels}")
    return None if found in (None, RANDOM) else found.label


def _resampler(table: ScoreTable, cluster: str | None, seed: int) -> GroupResampler | None:
    if cluster is None:
        return None
    groups = [str(value) for value in table.factor(cluster)]
    return GroupResampler(groups, np.random.default_rng([seed, 17]))


def _record(kind: Kind) -> SplitKind:
    splits = tuple(
        SplitSizes(split.name, len(split.search), len(split.held_out)) for split in kind.splits
    )
    return SplitKind(kind.name, kind.spec, splits, kind.groups, kind.seeds)
