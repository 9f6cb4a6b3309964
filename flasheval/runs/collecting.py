"""Collecting the units of a run into a score table for `search` and `validate`."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.generators.image_time import ImageTime
from flasheval.generators.seeds import ImageSeeds
from flasheval.generators.variants import Factor, Variant
from flasheval.prompts import PromptSet, load_prompts
from flasheval.runs.chunks import prompts_digest
from flasheval.runs.failures import with_reason
from flasheval.runs.image_times import ImageTimes
from flasheval.runs.run_plan import folder_name
from flasheval.runs.same_images import Seen
from flasheval.runs.score_files import UnitScores, read_unit_scores
from flasheval.runs.store import RegisteredMetric, RegisteredVariant, RunSettings, RunStore
from flasheval.runs.unit_work import IMAGES
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores

__all__ = ["Collected", "collect", "units_of"]


@dataclass(frozen=True)
class Collected:
    """The scores and faults of all units of a run.

    Attributes:
        table: The score table; None when nothing was measured yet.
        faults: Why there is no score, by variant and prompt id; of further images of a prompt
            with their number, as in ``37, image 2``.
        seen: What was seen of the images of each variant.

    """

    table: ScoreTable | None
    faults: dict[tuple[str, str], str]
    seen: Seen


def collect(
    store: RunStore,
    first_variants: Sequence[str] = (),
    first_metrics: Sequence[str] = (),
    tables: Sequence[str] = (),
    fitting: Container[str] = frozenset(),
) -> Collected:
    """Read all units of a run and write the score table into its folder.

    Variants and metrics that the run knows from earlier commands stay in it.

    Args:
        store: The run.
        first_variants: Names of variants that come first, in this order.
        first_metrics: Names of metrics that come first, in this order.
        tables: Existing score tables to take further variants from.
        fitting: Names of the score files of the images as they are now. They override others,
            such as those of a file that was changed and changed back.

    Raises:
        FlashevalError: The table cannot be written, or the tables contradict each other.

    """
    prompts = load_prompts(store.folder / "prompts.parquet")
    variants = store.known_variants(first_variants)
    metrics = store.known_metrics(first_metrics)
    faults: dict[tuple[str, str], str] = {}
    evaluations: dict[str, int] = {}
    seen, timed = Seen(), ImageTimes()
    values = {
        metric.name: _values(
            store, prompts, variants, metric, fitting, faults, evaluations, seen, timed
        )
        for metric in metrics
    }
    times = timed.times()
    described = [_variant(variant, evaluations, times) for variant in variants]
    table = _table(prompts, described, metrics, values, _seeds(store, variants))
    for source in tables:
        table = _with_table(table, source, prompts)
    if table is not None:
        _forget_others(store.folder / "scores", table)
        table.save(store.folder)
    return Collected(table, faults, seen)


def _forget_others(folder: Path, table: ScoreTable) -> None:
    """Remove the collected files of metrics that only an earlier command's tables had."""
    for path in folder.glob("*.parquet"):
        if path.stem not in table.metrics:
            path.unlink(missing_ok=True)


def _table(
    prompts: PromptSet,
    variants: list[Variant],
    metrics: list[RegisteredMetric],
    values: dict[str, NDArray[np.float32]],
    seeds: ImageSeeds | None,
) -> ScoreTable | None:
    """Return the table of scores [variants, prompts, images] by metric; None where nothing is."""
    if not variants or not metrics:
        return None
    names = tuple(variant.name for variant in variants)
    matrices = {
        metric.name: ScoreMatrix.from_images(
            metric.name,
            values[metric.name],
            names,
            prompts.ids,
            higher_is_better=metric.higher_is_better,
            scorer=metric.scorer,
            scorer_version=metric.version,
            prompt_set_hash=prompts.hash,
            seeds=seeds,
        )
        for metric in metrics
    }
    return ScoreTable(prompts, tuple(variants), matrices)


def _seeds(store: RunStore, variants: list[RegisteredVariant]) -> ImageSeeds | None:
    """Return how the images' seeds were made; None where images of a user's folder are among them.

    A run whose settings were lost tells no seed.
    """
    settings = store.settings()
    if settings is None or any(variant.kind == IMAGES for variant in variants):
        return None
    return ImageSeeds(settings.seed, settings.variant_seeds)


def _values(
    store: RunStore,
    prompts: PromptSet,
    variants: list[RegisteredVariant],
    metric: RegisteredMetric,
    fitting: Container[str],
    faults: dict[tuple[str, str], str],
    evaluations: dict[str, int],
    seen: Seen,
    timed: ImageTimes,
) -> NDArray[np.float32]:
    """Return one metric's scores, float32 [variants, prompts, images]; add what else units tell."""
    position = {identifier: column for column, identifier in enumerate(prompts.ids)}
    settings = store.settings()
    by_variant = [units_of(store, variant, metric, settings, fitting) for variant in variants]
    width = 1 + max((unit.image for units in by_variant for unit in units), default=0)
    values = np.full((len(variants), len(prompts), width), np.nan, dtype=np.float32)
    for row, variant in enumerate(variants):
        known: dict[tuple[str, int], str] = {}
        for unit in by_variant[row]:
            columns = [position.get(identifier, -1) for identifier in unit.ids]
            if -1 in columns or unit.prompts != _digest(prompts, columns):
                continue  # of other prompts, or of other texts
            values[row, columns, unit.image] = unit.scores
            for identifier in unit.ids:  # the faults of an older unit go with its scores
                known.pop((identifier, unit.image), None)
            known.update({(one, unit.image): why for one, why in unit.faults.items()})
            record = unit.record
            which = f"{unit.prompts}/{unit.image}"
            seen.note(variant.name, which, record.get("images"), record.get("remarks"))
            timed.note(variant.name, which, unit.timing)
            if record.get("evaluations") is not None:
                evaluations[variant.name] = record["evaluations"]
        for (identifier, image), why in known.items():
            which = f"{identifier}, image {image + 1}" if image else identifier
            place = variant.name, which
            faults[place] = with_reason(faults.get(place), why)
    return values


def units_of(
    store: RunStore,
    variant: RegisteredVariant,
    metric: RegisteredMetric,
    settings: RunSettings | None,
    fitting: Container[str] = (),
) -> list[UnitScores]:
    """Return the units of a variant as it is now, oldest first, then those that fit what is there.

    A later one overrides.
    """
    folder = store.folder / "units" / folder_name(variant.name) / folder_name(metric.name)
    found = ((path.name, read_unit_scores(path)) for path in sorted(folder.glob("*.json")))
    units = [
        (name in fitting, float(unit.record.get("finished", 0.0)), unit)
        for name, unit in found
        if unit is not None
        and (unit.variant_key, unit.scorer_key) == (variant.key, metric.key)
        and (  # or of a run whose settings were lost
            settings is None
            or (unit.seed, unit.variant_seeds) == (settings.seed, settings.variant_seeds)
        )
    ]
    return [unit for *_, unit in sorted(units, key=lambda one: one[:2])]


def _digest(prompts: PromptSet, columns: list[int]) -> str:
    hashes = prompts.text_hashes or ()
    return prompts_digest([prompts.ids[i] for i in columns], [hashes[i] for i in columns])


def _variant(
    variant: RegisteredVariant, evaluations: dict[str, int], times: dict[str, ImageTime]
) -> Variant:
    factors: dict[str, Factor] = dict(variant.factors)
    if variant.name in evaluations:
        factors["evaluations"] = evaluations[variant.name]
    return Variant(variant.name, factors, times.get(variant.name))


def _with_table(table: ScoreTable | None, source: str, prompts: PromptSet) -> ScoreTable:
    """Return the table with the variants of an existing one, as far as the prompts go."""
    other = load_scores(source, prompts=None)
    if other.prompts.text_hashes is None:
        other = other.with_prompts(prompts)
    wanted = set(prompts.ids)
    shared = [i for i, identifier in enumerate(other.prompts.ids) if identifier in wanted]
    other = other.take_prompts(shared)
    return other if table is None else table.merge(other)
