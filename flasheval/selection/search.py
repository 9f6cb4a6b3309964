"""`flasheval.search`: choose a subset and say honestly how well the choice generalises.

The subset is searched on all complete variants. Beside that the whole search is repeated on every
split's search variants alone and judged on its held-out ones: that evidence is measured on sets
chosen in the same way, never on the exact set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_arguments, checked_class
from flasheval.base.checks import check_draws
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import View
from flasheval.base.progress import reporting
from flasheval.base.versions import library_versions, utc_now
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores
from flasheval.scores.table import Incomplete
from flasheval.selection.calibration.cross_fit import (
    fold_labels,
    fold_pieces,
    image_folds,
    used_folds,
    whole,
)
from flasheval.selection.calibration.fit import fit_calibration, predicting_matrices
from flasheval.selection.calibration.folds import DEFAULT_GROUP, Expect, checked_expect
from flasheval.selection.calibration.looks import fit_looks
from flasheval.selection.features import rows_kept
from flasheval.selection.held_out.engine import HeldOutWork
from flasheval.selection.held_out.evidence import evidence_of
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.kinds import Kind, check_ties
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.one_search import ProgressCallback, search_all
from flasheval.selection.held_out.parallel import run_parallel
from flasheval.selection.held_out.searches import Procedure
from flasheval.selection.held_out.splits import (
    OTHER_SEEDS,
    Split,
    describe_splits,
    make_splits,
    on_other_seeds,
    split_once,
    with_images_used,
)
from flasheval.selection.held_out.warnings import (
    few_variants,
    measurement_warnings,
    result_of_evidence,
)
from flasheval.selection.images import image_values
from flasheval.selection.methods.auto import Auto, explain
from flasheval.selection.methods.driver import SearchOutcome, StepCallback
from flasheval.selection.methods.registry import make_method
from flasheval.selection.methods.selector import Selection, Selector, subset_means
from flasheval.selection.request import (
    SearchRequest,
    calibration_folds,
    hints_for,
    make_request,
    measured_sizes,
    subset_name,
)
from flasheval.selection.search_view import measurement_data, search_view
from flasheval.selection.usable import usable_scores
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.calibration import Calibration
from flasheval.subset.evidence import Evidence, KnownVariant, PrefixCalibration, Record
from flasheval.subset.evidence_table import agreement_rows
from flasheval.subset.prompt_sources import source_of

__all__ = ["SearchResult", "known_variants", "search"]


@checked_class
@dataclass(frozen=True, repr=False)
class SearchResult(Shown):
    """What a search found and what was measured of it.

    Attributes:
        subset: The chosen prompts with their manifest; `subset.record.evidence` is the evidence.
        measurement: Every number on held-out variants, or None when nothing was held out.
        history: One row a step or stage of the search on all variants.
        sets: Candidate sets it scored.
        seconds: Its wall time.
        warnings: What a reader must know, one line each.
        interrupted: Whether Ctrl-C cut the search or its evidence short.
        n_prompts: Prompts searched among.

    """

    kind = "search"

    subset: Subset
    measurement: Measurement | None
    history: tuple[Mapping[str, float], ...]
    sets: int
    seconds: float
    warnings: tuple[str, ...] = ()
    interrupted: bool = False
    n_prompts: int | None = None

    def view(self, n_prompts: int | None = None, notes: Sequence[str] | None = None) -> View:
        """Return what to know of it, see `Subset.view`, and the figure of what was measured.

        Args:
            n_prompts: Prompts of the whole set; those of the search unless given.
            notes: Lines to put before the warnings; those of the record unless given.

        """
        count = self.n_prompts if n_prompts is None else n_prompts
        said = self.subset.record.notes if notes is None else notes
        return search_view(self.subset, self.measurement, count, said)

    def _brief(self) -> str:
        evidence = self.subset.record.evidence
        tau = "" if evidence is None else f", held-out tau {evidence.pooled.held_out_tau.mean:.3f}"
        of = f"{self.subset.size} prompts of {self.subset.prompt_set_name}"
        return f"{self.subset.name}, {of}, by {self.subset.method.name}{tau}"

    def _data(self) -> dict[str, Any]:
        return {
            "subset": self.subset,
            "measurement": None if self.measurement is None else measurement_data(self.measurement),
            "history": self.history,
            "sets": self.sets,
            "seconds": self.seconds,
            "warnings": self.warnings,
            "interrupted": self.interrupted,
            "n_prompts": self.n_prompts,
        }

    def _rows(self) -> list[dict[str, object]]:
        evidence = self.subset.record.evidence
        return [] if evidence is None else agreement_rows(evidence)


@checked_arguments
def search(
    scores: Any,
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
    images_per_prompt: int | None = None,
    images_as: str = "auto",
    balance: Any = "auto",
    quota: Any = "none",
    calibrate: bool | Literal["auto"] = "auto",
    expect: str = "similar",
    group: str | None = None,
    name: str | None = None,
    folder: str | Path | None = None,
    progress: ProgressCallback | bool | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    drop: str | Sequence[str] = (),
) -> SearchResult:
    """Find the prompts that rank variants as the whole set does.

    The task, and the method `frequency`, come from Zhao et al., "FlashEval: Towards Fast and
    Accurate Evaluation of Text-to-image Diffusion Generative Models", CVPR 2024, arXiv 2403.16379.

    Args:
        scores: A score table, or anything `load_scores` reads: a file, a frame, arrays with names.
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
        images_per_prompt: Images a prompt that the subset will be used with; as many as the scores
            have when not given. The noise that the search reckons with, the evidence and the
            calibration are then those of so many images.
        images_as: How the search sees several images of a prompt: their `mean`; each as `rows` of
            its own, in the methods that know them; or `auto`: rows in those methods.
        balance: What is kept in balance over the chosen prompts beside their scores, by methods
            that minimise a loss: `tags`, the prompts' tags; names of columns; an array of
            embeddings [prompts, numbers] in the order of the scores' prompts, a frame whose index
            holds their ids, or a file `.npy` of an array; `none`; or `auto`, the tags where there
            are some. It counts as much as it explains of the search variants' scores.
        quota: Kinds of prompts whose shares the subset holds exactly, as near as whole prompts
            allow: `tags`, all tags together; names of columns; or `none`.
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
            none; by default the bar.
        columns: Which columns of a table are what, as for `load_scores`.
        drop: Columns, variants and prompts to leave out, as for `load_scores`.

    Returns:
        The result. After Ctrl-C it holds the best so far, marked `interrupted`.

    Raises:
        SettingError: An invalid setting.
        DataError: Scores that cannot be used.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(n_variants=24, n_prompts=300)
        >>> result = search(table, size=10, metric="quality", splits="random:4")
        >>> result.subset.size, result.measurement.values(10, "quality", "held_out_tau").size
        (10, 4)

    """
    loaded = load_scores(scores, columns=columns, drop=drop)
    usable = usable_scores(loaded, metric, incomplete)
    given, table, twins = usable.given, usable.table, usable.twins
    check_ties(usable.whole)
    request = make_request(
        table,
        _selector(method, settings, expect),
        size,
        nested,
        seed,
        require,
        forbid,
        warm_start,
        hints_for(given, table, group),
        images_per_prompt,
        images_as,
        rows_kept(balance, loaded.prompts, table.prompts),
        quota,
    )
    name = subset_name(request, name)
    check_draws(draws)
    parts: tuple[Split, ...] = ()
    if splits is not None:
        parts = make_splits(splits, usable.whole, given=given.variant_names, twins=twins)
        parts = tuple(split_once(split, twins) for split in parts)
        parts = tuple(with_images_used(one, table, request.images_per_prompt) for one in parts)
    folds = calibration_folds(request, calibrate, checked_expect(expect), group)
    folds = used_folds(folds, table, request.images_per_prompt)
    elsewhere = image_folds(folds, table, request.images_per_prompt)
    folder = None if folder is None else Path(folder)
    finished = None if folder is None else FinishedSearches(folder, request.context()).ready()
    spec = describe_splits(splits)
    kinds = [Kind(spec, spec, parts)] if parts else []
    kinds += _kinds_on_other_seeds(request, kinds)
    sizes, every = measured_sizes(request, curve), (*folds, *elsewhere)
    with reporting(progress) as report:
        outcome, measurement, chosen = _search_everywhere(
            request, kinds, sizes, every, draws, finished, folder, report
        )
    selections = None if chosen is None else chosen[: len(folds)]
    interrupted = outcome.interrupted or (bool(folds) and selections is None)
    interrupted = interrupted or (bool(parts) and (measurement is None or measurement.interrupted))
    found_evidence = [
        None if measurement is None else evidence_of(measurement, request.size, number=number)
        for number in range(len(kinds))
    ]
    evidence = found_evidence[0] if kinds else None
    further = tuple(one for one in found_evidence[1:] if one is not None)
    warnings = _warnings(request, parts, measurement, (evidence, *further), interrupted)
    warnings += usable.warnings(incomplete)
    warnings += _without_images(table)
    calibrated = _Calibrated()
    if selections is not None and chosen is not None:
        calibrated = _calibrated(
            predicting_matrices(given, table),
            outcome.selection,
            (folds, selections),
            (elsewhere, chosen[len(folds) :]),
            request.sizes,
            expect=checked_expect(expect),
            group=group or DEFAULT_GROUP,
            near_ties=usable.near_ties,
        )
    elif folds:
        warnings.insert(1, "not calibrated yet, so full scores of new variants are not predicted")
    record = Record(
        evidence=evidence,
        further_evidence=further,
        calibration=calibrated.calibration,
        looks=calibrated.looks,
        known_variants=known_variants(usable.whole, outcome.selection),
        scorers={
            metric: version
            for metric in table.metrics
            if (version := table[metric].scorer_version) is not None
        },
        versions=library_versions(),
        created=utc_now(),
        notes=_notes(request.selector, outcome),
        warnings=tuple(warnings),
        interrupted=interrupted,
        seeds=table.seeds,
        images_searched=_images_searched(table),
        images_per_prompt=request.images_per_prompt,
        other_seeds=calibrated.other_seeds,
    )
    subset = _subset(request, outcome.selection, name, record)
    return SearchResult(
        subset,
        measurement,
        tuple(outcome.history),
        outcome.sets,
        outcome.seconds,
        tuple(warnings),
        interrupted,
        given.n_prompts,
    )


@dataclass(frozen=True)
class _Calibrated:
    """What the searches without each fold say of the subset's scores: nothing by default."""

    calibration: Calibration | None = None
    other_seeds: Calibration | None = None
    looks: tuple[PrefixCalibration, ...] = ()


def _calibrated(
    matrices: Sequence[ScoreMatrix],
    selection: Selection,
    same: tuple[Sequence[Split], Sequence[Selection]],
    other: tuple[Sequence[Split], Sequence[Selection]],
    sizes: Sequence[int],
    *,
    expect: Expect,
    group: str,
    near_ties: Mapping[str, float],
) -> _Calibrated:
    """Calibrate the subset, and the first prompts of a nested one, on the same and other seeds.

    Args:
        matrices: The metrics to predict from.
        selection: The subset searched on all variants.
        same: The folds and what was searched in each.
        other: The same of the folds on other seeds; empty where each prompt has one image.
        sizes: The sizes of a nested search.
        expect: As for `fit_calibration`.
        group: As for `fit_calibration`.
        near_ties: As for `fit_calibration`.

    """
    fits = [
        fit_calibration(
            matrices,
            selection,
            *found,
            expect=expect,
            group=group,
            near_ties=near_ties,
            images=found[0][0].images,
        )
        if found[0]
        else None
        for found in (same, other)
    ]
    looks = fit_looks(
        matrices,
        selection,
        *same,
        sizes,
        expect=expect,
        group=group,
        near_ties=near_ties,
        images=same[0][0].images,
        other_seeds=other,
    )
    return _Calibrated(fits[0], fits[1], looks)


def _images_searched(table: ScoreTable) -> int | None:
    """Return the images a prompt of the scores; None where it is not known that there is one."""
    count = table.images_per_prompt
    return count if count > 1 or table.seeds is not None else None


def _without_images(table: ScoreTable) -> list[str]:
    """Return a warning where only some of the metrics have several images a prompt."""
    one = [name for name, matrix in table.matrices.items() if matrix.images_per_prompt < 2]
    if not one or len(one) == len(table.metrics):
        return []
    return [
        f"{', '.join(one)} has one image a prompt and other metrics have several, so nothing is "
        "measured on other seeds; search for the others alone (metric=NAME)"
    ]


def _kinds_on_other_seeds(request: SearchRequest, kinds: Sequence[Kind]) -> list[Kind]:
    """Return the same splits on other seeds, where the scores have several images a prompt.

    None where the splits are on other seeds already, or missing images leave nothing to rank.
    """
    table = request.table
    if not kinds or table.images_per_prompt < 2 or any(one.other_seeds for one in kinds[0].splits):
        return []
    plain = [replace(split, images=None, note="") for split in kinds[0].splits]
    used = request.images_per_prompt
    splits = [with_images_used(on_other_seeds(one, table), table, used) for one in plain]
    able = tuple(split for split in splits if _rankable(table, split))
    spec = f"{kinds[0].spec}{OTHER_SEEDS}"
    return [Kind(spec, spec, able)] if able else []


def _rankable(table: ScoreTable, split: Split) -> bool:
    """Tell whether both sides have two variants, and those searched differ in every metric."""
    if min(len(split.search), len(split.held_out)) < 2 or split.images is None:
        return False
    return all(
        np.ptp(image_values(matrix, split.images.searched)[split.search].mean(axis=1)) > 0
        for matrix in table.matrices.values()
    )


def _search_everywhere(
    request: SearchRequest,
    kinds: Sequence[Kind],
    sizes: tuple[int, ...],
    folds: Sequence[Split],
    draws: int,
    finished: FinishedSearches | None,
    folder: Path | None,
    report: ProgressCallback | None,
) -> tuple[SearchOutcome, Measurement | None, tuple[Selection, ...] | None]:
    """Search on all variants, on every split's and without each fold, on all cores.

    Returns:
        What was found on all variants, the measurement on the splits, and the selections without
        each fold; None for what Ctrl-C or no need left out.

    Raises:
        KeyboardInterrupt: Ctrl-C came before anything was found on all variants.

    """
    answer: list[SearchOutcome] = []

    def on_all(steps: StepCallback) -> SearchOutcome | None:
        answer.append(search_all(request, finished, steps))
        return None if answer[0].interrupted else answer[0]

    procedure = _procedure(request, sizes)
    planned = 1 + sum(len(kind.splits) for kind in kinds) * len(procedure.requests) + len(folds)
    held_out = kinds and HeldOutWork(
        request.table,
        [procedure],
        kinds,
        [size for one in procedure.requests for size in one.sizes],
        seed=request.seed,
        draws=draws,
        judge_random=False,
        folder=folder,
        report=report and (lambda label, done, _: report(label, done, planned)),
    )
    pieces: list[Callable[[StepCallback], Any]] = [on_all]
    labels = [f"{request.selector.name} on all {len(request.table)} variants"]
    costs = [request.cost(len(request.table))]
    if held_out:
        pieces += held_out.pieces
        labels += held_out.labels
        costs += held_out.costs
    results, _ = run_parallel(
        [*pieces, *fold_pieces(request, folds, finished)],
        [*labels, *fold_labels(folds)],
        costs=[*costs, *(request.cost(len(fold.search)) for fold in folds)],
        report=report,
    )
    if not answer:
        raise KeyboardInterrupt
    measurement = held_out.measurement(results[1 : len(pieces)]) if held_out else None
    if measurement is not None and not measurement.cells:
        measurement = None
    return answer[0], measurement, whole(results[len(pieces) :]) if folds else None


def _procedure(request: SearchRequest, sizes: tuple[int, ...]) -> Procedure:
    """Return what is repeated on every split: a nested search, or one search of each size."""
    several = [request] if request.nested else [replace(request, sizes=(size,)) for size in sizes]
    return Procedure(request.selector.name, tuple(several))


def _warnings(
    request: SearchRequest,
    splits: Sequence[Split],
    measurement: Measurement | None,
    every: Sequence[Evidence | None],
    interrupted: bool,
) -> list[str]:
    """Collect what must be said beside the subset, most important first.

    `every` is the evidence, that on the splits asked for first.
    """
    evidence = every[0]
    found = []
    if interrupted:
        found.append("interrupted: this is the best so far; run the same command to continue")
    if not splits:
        found.append("nothing was held out, so it is unknown how well this generalises")
        found += few_variants(len(request.table))
    elif evidence is None and not interrupted:
        found.append("no split gave a held-out ranking (all held-out variants tie)")
    if measurement is not None:
        name = request.selector.name
        results = [result_of_evidence(one, name) for one in every[:1] if one is not None]
        further = [result_of_evidence(one, name) for one in every[1:] if one is not None]
        results += [replace(one, search=None) for one in further]  # of half of the images
        asked = replace(measurement, kinds=measurement.kinds[:1])  # the others have its splits
        found += measurement_warnings(asked, results)
        found += [
            split.note for kind in measurement.kinds[1:] for split in kind.splits[:1] if split.note
        ]
    images, used = request.table.images_per_prompt, request.images_per_prompt
    if used is not None and used > images:
        found.append(
            f"the scores have {images} image{'' if images == 1 else 's'} a prompt: how much better "
            f"{used} rank is not in the evidence, nor in the calibration"
        )
    if evidence is not None and request.warm_start is not None:
        found.append(
            "warm start: if that subset was chosen on variants held out here, the held-out "
            "numbers are too high"
        )
    return found


def _selector(method: object, settings: Mapping[str, Any] | None, expect: str) -> Selector[Any]:
    """Make the method; `auto` is told what to expect unless its settings say so."""
    selector = make_method(method, settings)
    if isinstance(selector, Auto) and selector.expect is None:
        return replace(selector, expect=checked_expect(expect))
    return selector


def _notes(selector: Selector[Any], outcome: SearchOutcome) -> tuple[str, ...]:
    return (explain(outcome.history),) if isinstance(selector, Auto) else ()


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


def _subset(request: SearchRequest, selection: Selection, name: str, record: Record) -> Subset:
    table = request.table
    choose = partial(
        Subset.choose,
        table.prompts,
        selection.indices,
        name=name,
        metrics=tuple(
            MetricInfo(metric, table[metric].higher_is_better) for metric in table.metrics
        ),
        method=Method(request.selector.name, request.settings(), request.seed),
        searched_variants=table.variant_names,
        weights=selection.weights,
        record=record,
    )
    subset = choose()
    # A person's own texts stay with the subset; those of known sets are found by their hashes.
    return subset if source_of(subset) is not None else choose(with_texts=True)
