"""A family's manifests: searched on all variants, with the evidence of the procedure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from flasheval.scores import ScoreTable
from flasheval.scores.ranking.significant import near_tie_share
from flasheval.selection.held_out.evidence import evidence_of
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.warnings import (
    measurement_warnings,
    result_of_evidence,
    table_warnings,
)
from flasheval.selection.methods.selector import Selection
from flasheval.selection.search import SearchResult, known_variants, search
from flasheval.subset import Subset
from flasheval.subset.evidence import Evidence
from publishing.families import SHARED, SIZES, Family, split_kinds

__all__ = ["SEED", "make_family", "with_advice"]

SEED = 0
# By scripts/evidence/measure_nesting.py, on splits that are not reported; nested too.
_ONE_METRIC: tuple[str, dict[str, int]] = ("padded", {"core": 100})
_ALL_METRICS: tuple[str, dict[str, int]] = ("anneal", {})
_SCORES = (
    "searched on the per-prompt scores published with FlashEval (CVPR 2024, "
    "github.com/thu-nics/FlashEval)"
)
_NOTES = {
    "coco": (
        _SCORES,
        "prompts: captions of MS-COCO val2014, by their annotation ids; texts are not included",
    ),
    "diffusiondb": (
        _SCORES,
        "prompts: the 5,000 of DiffusionDB that FlashEval chose, by its own ids, with its "
        "image_name and part_id; texts are not included",
    ),
    "miniature": ("miniature: small models of a drawn world, which travel with flasheval",),
}


def make_family(
    family: Family,
    table: ScoreTable,
    data: Path | None,
    units: Path,
    *,
    sizes: tuple[int, ...] = SIZES,
    most: int | None = None,
) -> list[Subset]:
    """Search one nested list on all variants, repeat it on every split, and part it by size.

    Args:
        family: What to make.
        table: Complete variants, all metrics.
        data: Folder of the official data, for the authors' split.
        units: Where finished searches are kept.
        sizes: The sizes of the nested list.
        most: Splits of a kind, for a trial; all of them when None.

    Returns:
        One subset a size, ascending.

    Raises:
        KeyboardInterrupt: It was cut short; the same call continues.

    """
    kinds = split_kinds(family.population, table, data, development=False)
    method, settings = _ALL_METRICS if family.serves == SHARED else _ONE_METRIC
    results: dict[str, SearchResult] = {}
    for number, (kind, splits) in enumerate(kinds.items()):
        results[kind] = search(
            table,
            metric=list(family.metrics),
            method=method,
            settings=settings,
            nested=sizes,
            seed=SEED,
            splits=list(splits[:most]),
            calibrate=number == 0,
            folder=units,
        )
        if results[kind].interrupted:
            raise KeyboardInterrupt
    whole = replace(next(iter(results.values())).subset, name=family.name(sizes[-1]))
    main = _named(*next(iter(results.items())))
    return [
        _part(family, table, whole, size, dict(_evidence(results, size)), main) for size in sizes
    ]


def with_advice(subset: Subset, shared: Subset) -> Subset:
    """Warn where the subset for all metrics of the same size ranks by this one's as well.

    Args:
        subset: For one metric.
        shared: For all; both with evidence on the same splits.

    """
    (metric,) = subset.metrics
    own, other = subset.record.evidence, shared.record.evidence
    if own is None or other is None:
        return subset
    taus = [one.metrics[metric.name].held_out_tau.mean for one in (own, other)]
    if taus[1] < taus[0]:
        return subset
    line = (
        f"{shared.name}, chosen for all metrics, ranks by {metric.name} as well or better on "
        f"{own.split_spec} ({taus[1]:.3f} against {taus[0]:.3f}): rather take that one"
    )
    record = replace(subset.record, warnings=(*subset.record.warnings, line))
    return replace(subset, record=record)


def _evidence(results: Mapping[str, SearchResult], size: int) -> Iterator[tuple[str, Evidence]]:
    for kind, result in results.items():
        found = result.measurement and evidence_of(result.measurement, size, kind)
        if found is not None:
            yield kind, found


def _named(kind: str, result: SearchResult) -> Measurement:
    """Return what was measured on one kind of splits, under the name that readers know it by."""
    if result.measurement is None:
        raise ValueError(f"{kind}: nothing was held out")
    (splits,) = result.measurement.kinds
    baseline = {kind: result.measurement.random}
    return replace(
        result.measurement, kinds=(replace(splits, name=kind),), baseline=baseline, cells=[]
    )


def _part(
    family: Family,
    table: ScoreTable,
    whole: Subset,
    size: int,
    evidence: Mapping[str, Evidence],
    measured: Measurement,
) -> Subset:
    part = whole if size == whole.size else whole.prefix(size)
    served = table.with_metrics(family.metrics)
    chosen = Selection(served.prompts.index_of(part.ids), part.weights)
    main, *further = evidence.values()
    ties = {metric: near_tie_share(served[metric].values) for metric in served.metrics}
    warnings = measurement_warnings(measured, [result_of_evidence(main, part.method.name)])
    warnings += table_warnings((), ties)
    warnings += [line for more in further for line in _no_better(more)]
    record = replace(
        part.record,
        evidence=main,
        further_evidence=tuple(further),
        known_variants=known_variants(served, chosen),
        notes=(*_NOTES[family.population], *part.record.notes),
        warnings=tuple(warnings),
    )
    part = replace(part, name=family.name(size), record=record)
    return part.with_texts(table.prompts) if family.population == "miniature" else part


def _no_better(evidence: Evidence) -> Iterator[str]:
    found, chance = evidence.pooled.held_out_tau.mean, evidence.pooled.random_tau.mean
    if found <= chance:
        yield (
            f"{evidence.split_spec}: held-out agreement ({found:.3f}) is not above that of random "
            f"prompts ({chance:.3f})"
        )
