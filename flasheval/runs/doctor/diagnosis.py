"""Diagnosing a run before it starts: missing things, time and disk space."""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Part, Table, View, lines
from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.progress import duration
from flasheval.generators.populations.population import Population
from flasheval.prompts import PromptSet
from flasheval.prompts.loading import as_prompts
from flasheval.prompts.readers import CLIP_READERS, cut_lines
from flasheval.runs.devices import choose_device, device_count, device_kind
from flasheval.runs.doctor.checks import (
    Check,
    check_folder,
    check_prompts,
    check_scorers,
    check_tables,
    check_variants,
    free_bytes,
    free_memory_bytes,
    size_text,
)
from flasheval.runs.doctor.estimate import Left, ModelEstimate, estimate_model
from flasheval.runs.doctor.sampling import Sample, take_sample
from flasheval.runs.run import first_prompts, images_of_run, only_whole, run_settings
from flasheval.runs.run_plan import RunPlan, WorkSettings, make_run_plan
from flasheval.runs.same_images import setting_lines
from flasheval.runs.score_files import UnitScores, write_unit_scores
from flasheval.runs.status.finished_units import finished_units
from flasheval.runs.store import RunSettings, RunStore
from flasheval.runs.text_readers import readers_of
from flasheval.runs.unit_work import run_versions
from flasheval.scorers.scorer import ScorerSettings

__all__ = ["Diagnosis", "diagnose"]

_ROWS = 20  # models shown


@dataclass(frozen=True, repr=False)
class Diagnosis(Shown):
    """The result of `diagnose`: checks, and estimates of time and disk space.

    Attributes:
        checks: One check for each thing the run needs.
        plan: The run's plan; None when it cannot be made.
        device: The device models would be loaded on.
        devices: How many of that kind there are; 1 for a processor.
        left: Images left to make, keep and score, by variant.
        score_files: Score files left to write.
        image_files: Files of kept images, one a unit, left to write.
        file_bytes: Bytes of a score file on the disk.
        models: The estimate for each model; empty when nothing was timed.
        warnings: Settings that have no effect, a line each.

    """

    kind = "diagnosis"

    checks: tuple[Check, ...]
    plan: RunPlan | None = None
    device: str = "cpu"
    devices: int = 1
    left: dict[str, Left] | None = None
    score_files: int = 0
    image_files: int = 0
    file_bytes: int = 0
    models: tuple[ModelEstimate, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every check passed.

        >>> Diagnosis((Check("prompts", "2 with texts"), Check("device", "no GPU", ok=False))).ok
        False
        """
        return all(check.ok for check in self.checks)

    def view(self) -> View:
        """Return whether all is there, each check, what is left to do, and a row a model timed."""
        said: list[Part] = [Line(self._brief(), "headline"), Line("")]
        for one in self.checks:
            mark, look = ("ok     ", "text") if one.ok else ("problem", "alert")
            said += lines([f"{mark}  {one.what}: {one.said}"], look)
        return View((*said, *self._warning_lines(), *_counts(self), *_estimate(self)))

    def _brief(self) -> str:
        return _answer(self)

    def _data(self) -> dict[str, object]:
        plan = self.plan
        return {
            "ok": self.ok,
            "checks": self.checks,
            "variants": None if plan is None else [one.name for one in plan.variants],
            "prompts": None if plan is None else len(plan.prompts),
            "images_per_prompt": None if plan is None else plan.images_per_prompt,
            "units": None if plan is None else plan.n_units,
            "device": self.device,
            "devices": self.devices,
            "left": self.left,
            "score_files": self.score_files,
            "image_files": self.image_files,
            "disk_bytes": self.disk,
            "models": self._rows(),
            "untimed": self.untimed,
            "warnings": self.warnings,
        }

    def _rows(self) -> list[dict[str, object]]:
        return [
            {
                "model": one.timing.label,
                "variants": len(one.timing.variants),
                "images": one.images,
                "seconds": one.seconds,
                "make_seconds": one.make,
                "save_seconds": one.save,
                "score_seconds": one.score,
                "image_bytes": one.image_bytes,
                "peak_bytes": one.timing.peak,
            }
            for one in self.models
        ]

    @property
    def batch(self) -> int:
        """Images made at a time."""
        return 0 if self.plan is None else self.plan.work.batch

    @property
    def untimed(self) -> list[str]:
        """The variants that the estimate leaves out."""
        if self.plan is None:
            return []
        timed = {name for model in self.models for name in model.timing.variants}
        return [one.name for one in self.plan.variants if one.name not in timed]

    @property
    def disk(self) -> float:
        """The bytes the run will write: scores, and images when they are kept.

        >>> Diagnosis((), score_files=100, file_bytes=4096).disk
        409600
        """
        return self.score_files * self.file_bytes + sum(model.image_bytes for model in self.models)


def diagnose(
    population: Population,
    prompts: str | PromptSet,
    scorers: Any,
    *,
    out: Path,
    work: WorkSettings,
    seed: int | None = None,
    images_per_prompt: int | None = None,
    variant_seeds: bool | None = None,
    chunk: int | None = None,
    limit: int | None = None,
    whole_texts: bool = False,
    sample: bool = True,
    report: Callable[[str, float, int], None] = lambda label, done, total: None,
) -> Diagnosis:
    """Check everything a run needs, and time a few batches of each model.

    Args:
        population: The variants.
        prompts: A prompt file, or prompts.
        scorers: The scorers' settings.
        out: The run folder, existing or not; nothing is left in it.
        work: How units are to be done; its device may be ``auto``.
        seed: The seed; the folder's, else 0.
        images_per_prompt: Images of each prompt, as for `flasheval.run`.
        variant_seeds: Whether each variant has image seeds of its own; the folder's, else not.
        chunk: Prompts a unit; the folder's, else 32.
        limit: The first so many prompts only.
        whole_texts: Only the prompts that no scorer or text encoder cuts.
        sample: Whether models are loaded and timed.
        report: Called with the progress of the sample.

    Returns:
        The diagnosis; problems are in its checks and raise nothing.

    """
    checks: list[Check] = []
    every, texts = _prompts(prompts, limit, checks)
    found, usable = check_scorers(scorers)
    checks += found
    if texts is not None:
        texts = _read_whole(texts, population, usable, whole_texts, checks)
    work = replace(work, device=_device(work.device, checks))
    settings = _settings(out, seed, chunk, variant_seeds, device_kind(work.device), checks)
    plan = None
    if texts is not None:
        images = _images(out, images_per_prompt, checks)
        ids = None if every is None else every.ids
        plan = _plan(population, texts, usable, settings, images, work, checks, ids)
    checks += check_tables(population.tables)
    checks.append(check_folder(out, settings))
    can_write = checks[-1].ok
    if plan is None:
        return Diagnosis(tuple(checks), device=work.device)
    left = _left(plan, RunStore(out))
    has_device = all(check.ok for check in checks if check.what == "device")
    taken = take_sample(plan, report) if sample and has_device else Sample()
    models = tuple(estimate_model(timing, left) for timing in taken.timings)
    diagnosis = Diagnosis(
        (*checks, *taken.problems),
        plan,
        work.device,
        max(1, device_count(work.device)),
        left,
        sum(_files(plan, count) for one in left.values() for count in one.score.values()),
        sum(_files(plan, one.keep) for one in left.values()),
        _file_bytes(plan),
        models,
        tuple(setting_lines([variant.recipe for variant in plan.variants], taken.seen)),
    )
    if not can_write:
        return diagnosis
    return replace(diagnosis, checks=(*diagnosis.checks, _disk(out, diagnosis)))


def _prompts(
    prompts: str | PromptSet, limit: int | None, checks: list[Check]
) -> tuple[PromptSet | None, PromptSet | None]:
    """Return all prompts, and those of them that the run is of; None where they cannot be used."""
    try:
        every = as_prompts(prompts)
        texts = first_prompts(every, limit)
    except FlashevalError as error:
        checks.append(Check("prompts", str(error), False))
        return None, None
    checks.append(check_prompts(texts))
    return every, texts if checks[-1].ok else None


def _read_whole(
    texts: PromptSet,
    population: Population,
    scorers: list[ScorerSettings],
    whole_texts: bool,
    checks: list[Check],
) -> PromptSet | None:
    """Say what is cut of the texts; leave out what is cut where that is asked for."""
    readers = readers_of((recipe.generator for recipe in population.recipes), scorers)
    lines = cut_lines(texts.texts or (), readers or CLIP_READERS)
    if not whole_texts:
        checks += [Check("texts", line) for line in lines]
        return texts
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the check says it
            kept = only_whole(texts, population.recipes, scorers)
    except FlashevalError as error:
        checks.append(Check("texts", str(error), False))
        return None
    left = len(texts) - len(kept)
    checks += [Check("texts", f"{left:,} that would be cut are left out")] if left else []
    return kept


def _device(asked: str, checks: list[Check]) -> str:
    try:
        device = choose_device(asked)
        free = free_memory_bytes(device)
    except (FlashevalError, RuntimeError) as error:
        checks.append(Check("device", " ".join(str(error).split()), False))
        return "cpu"
    memory = "" if free is None else f", {size_text(free)} of memory free"
    checks.append(Check("device", f"{device}{memory}"))
    return device


def _settings(
    out: Path,
    seed: int | None,
    chunk: int | None,
    variant_seeds: bool | None,
    kind: str,
    checks: list[Check],
) -> RunSettings:
    try:
        return run_settings(out, seed, chunk, kind, variant_seeds)
    except SettingError as error:
        checks.append(Check("plan", str(error), False))
        return _settings(out, seed, None, variant_seeds, kind, checks)
    except FlashevalError:  # told by check_folder
        return RunSettings(seed or 0, chunk or 32, kind, variant_seeds=bool(variant_seeds))


def _images(out: Path, images_per_prompt: int | None, checks: list[Check]) -> int | None:
    try:
        return images_of_run(out, images_per_prompt)
    except SettingError as error:
        checks.append(Check("plan", str(error), False))
    except FlashevalError:  # told by check_folder
        pass
    return None


def _plan(
    population: Population,
    texts: PromptSet,
    scorers: list[ScorerSettings],
    settings: RunSettings,
    images_per_prompt: int | None,
    work: WorkSettings,
    checks: list[Check],
    all_ids: tuple[str, ...] | None,
) -> RunPlan | None:
    """Return the plan of what can be done, once every variant and checkpoint was looked at."""
    try:
        plan = make_run_plan(
            population.recipes,
            texts,
            scorers,
            seed=settings.seed,
            chunk=settings.chunk,
            work=work,
            kind=settings.device,
            images_per_prompt=images_per_prompt,
            variant_seeds=settings.variant_seeds,
            all_ids=all_ids,
        )
    except FlashevalError as refused:  # no variant can be measured, or the chunk cannot be
        reasons = {}
        for recipe in population.recipes:
            try:
                recipe.identity(settings.device)
            except FlashevalError as error:
                reasons[recipe.name] = str(error)
        checks += check_variants(population.recipes, reasons)
        if not reasons:
            checks.append(Check("plan", str(refused), False))
        return None
    checks += check_variants(population.recipes, plan.unusable)
    return plan


def _left(plan: RunPlan, store: RunStore) -> dict[str, Left]:
    sizes = np.array([len(chunk) for chunk in plan.chunks for _ in range(plan.images_per_prompt)])
    metrics = [(scorer.slug, scorer.key) for scorer in plan.scorers]
    left = {}
    for variant in plan.variants:
        names = [unit.name for unit in plan.units(variant)]
        work = plan.work
        found = finished_units(
            store, variant.slug, names, metrics, work.image_store, keeps=work.keep_images
        )
        left[variant.name] = Left(
            int(sizes[found.to_make if plan.scorers else ~found.kept].sum()),
            int(sizes[~found.kept].sum()) if work.keep_images else 0,
            {
                scorer.metric: int(sizes[~there].sum())
                for scorer, there in zip(plan.scorers, found.scored, strict=True)
            },
        )
    return left


def _files(plan: RunPlan, images: int) -> int:
    """Return how many files of units so many images are."""
    return -(-images // plan.chunk)


def _file_bytes(plan: RunPlan) -> int:
    """Return what a score file takes on the disk, by writing one."""
    chunk = plan.chunks[0]
    batches = -(-len(chunk) // plan.work.batch)
    scores = np.random.default_rng(0).random(len(chunk), dtype=np.float32)
    record = {"seconds_generate": [0.123456] * batches, "versions": run_versions()}
    key = "0" * 64
    unit = UnitScores("variant", key, "metric", key, 0, key, chunk.ids, scores, {}, record)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "unit.json")
        write_unit_scores(path, unit)
        state = path.stat()
        return max(state.st_size, 512 * getattr(state, "st_blocks", 0))


def _disk(out: Path, diagnosis: Diagnosis) -> Check:
    free = free_bytes(out)
    if free < diagnosis.disk:
        needed = size_text(diagnosis.disk)
        said = f"{size_text(free)} free, about {needed} needed: make room, or choose another out="
        return Check("disk", said, False)
    return Check("disk", f"{size_text(free)} free")


def _answer(found: Diagnosis) -> str:
    problems = sum(not check.ok for check in found.checks)
    said = "All is there" if not problems else f"{problems} problem{'s' if problems > 1 else ''}"
    if found.models:
        seconds = sum(model.seconds for model in found.models)
        said += f"; about {duration(seconds)} on one {_processor(found)}"
        if found.untimed:
            said += f", without {_count(len(found.untimed))} not timed"
    return said


def _count(variants: int) -> str:
    return "1 variant" if variants == 1 else f"{variants} variants"


def _processor(found: Diagnosis) -> str:
    return "processor" if found.device == "cpu" else "GPU"


def _counts(found: Diagnosis) -> list[Part]:
    plan, left = found.plan, found.left or {}
    if plan is None:
        return []
    each = "" if plan.images_per_prompt == 1 else f" x {plan.images_per_prompt} images"
    units = f"{plan.n_units:,} units of {plan.chunk} prompts"
    images = sum(one.make for one in left.values())
    scores = sum(sum(one.score.values()) for one in left.values())
    count = found.score_files + found.image_files
    files = "1 file" if count == 1 else f"{count:,} files"
    return [
        Line(""),
        Line(f"{_count(len(plan.variants))} x {len(plan.prompts):,} prompts{each}: {units}"),
        Line(f"left: {images:,} images to make, {scores:,} scores, {files}"),
    ]


def _estimate(found: Diagnosis) -> list[Part]:
    if not found.models:
        return []
    labels = Counter(model.timing.label for model in found.models)
    rows = [_row(model, labels[model.timing.label] == 1) for model in found.models]
    titles = ("model", "variants", "images", "s/image", "evaluations", "time")
    hidden = len(rows) - _ROWS
    more = [Line(f"and {hidden} more models")] if hidden > 0 else []
    table = Table(titles, rows[:_ROWS])
    return [Line(""), table, *more, Line(""), *lines(_totals(found))]


def _row(model: ModelEstimate, unique: bool) -> tuple[str, ...]:
    timing = model.timing
    seconds = [timing.seconds(name) for name in timing.variants]
    counts = list(timing.evaluations.values())
    more = " ..." if len(timing.variants) > 1 else ""
    return (
        timing.label if unique else timing.variants[0] + more,
        str(len(timing.variants)),
        f"{model.images:,}",
        _range(seconds),
        _range(counts) if timing.counted else "-",
        duration(model.seconds),
    )


def _range(values: list[float]) -> str:
    low, high = f"{min(values):.3g}", f"{max(values):.3g}"
    return low if low == high else f"{low} to {high}"


def _totals(found: Diagnosis) -> list[str]:
    seconds = sum(model.seconds for model in found.models)
    score = sum(model.score for model in found.models)
    batches = sum(model.timing.batches for model in found.models)
    share = f", {score / seconds:.0%} of it scoring" if seconds else ""
    workers = sorted({1, 2, 4, 8, found.devices})
    shown = "; ".join(f"{count}: {duration(seconds / count)}" for count in workers)
    disk = size_text(found.score_files * found.file_bytes)
    said = [
        f"an estimate, from {batches} timed batches of up to {found.batch} images",
        f"in all:  {seconds / 3600:.3g} {_processor(found)} hours{share}",
        f"workers, with a device each: {shown}",
        f"disk:    {disk} for scores{_image_disk(found)}",
    ]
    peaks = [model.timing.peak for model in found.models if model.timing.peak]
    if peaks:
        said.append(f"memory:  {size_text(max(peaks))} at most in the sample")
    return said


def _image_disk(found: Diagnosis) -> str:
    kept = sum(model.image_bytes for model in found.models)
    if kept:
        return f", {size_text(kept)} for images"
    images = sum(model.images for model in found.models)
    would = sum(model.images * model.timing.image_bytes for model in found.models)
    return f" (keep_images=true: {size_text(would)} more)" if images else ""
