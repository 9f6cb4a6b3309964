"""Timing models and scorers on a few batches, each loaded once."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from flasheval.base.models.batches import Batches
from flasheval.generators.generator import Batch, Generator
from flasheval.generators.images import ImageFault
from flasheval.runs.devices import device_kind
from flasheval.runs.doctor.checks import Check, model_label
from flasheval.runs.doctor.estimate import ModelTiming, fit_seconds
from flasheval.runs.generation import Made, make_images
from flasheval.runs.kept.codec import encode
from flasheval.runs.loading import ModelHolder, by_model
from flasheval.runs.run_plan import PlannedVariant, RunPlan
from flasheval.runs.same_images import Seen
from flasheval.runs.unit_work import error_line
from flasheval.scorers.scorer import Scorer

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Sample", "take_sample"]

_ENOUGH = 10.0  # seconds: a batch that takes longer is timed once, a shorter one twice
_SCHEDULE = ("scheduler", "steps")
_FIRST = "first batch"


@dataclass
class Sample:
    """The result of a sample: the times, what failed, and what was seen of the images."""

    timings: list[ModelTiming] = field(default_factory=list)
    problems: list[Check] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)


@dataclass(frozen=True)
class _Point:
    """A variant timed: its evaluations, where counted, and seconds an image."""

    variant: PlannedVariant
    evaluations: int | None
    seconds: float


def take_sample(plan: RunPlan, report: Callable[[str, float, int], None]) -> Sample:
    """Load the scorers and each distinct model once, and time a few batches.

    A model or scorer that fails becomes a problem of the sample; the others go on.
    """
    sample = Sample()
    scorers = _loaded_scorers(plan, sample)
    holder = ModelHolder(plan.work.device)
    groups = by_model(plan.variants, plan.work.device)
    for number, group in enumerate(groups):
        report(group[0].name, number, len(groups))
        for alike in _alike(group):
            timing = _Model(plan, alike, holder, scorers, sample).time()
            if timing is not None:
                sample.timings.append(timing)
        holder.drop()
    return sample


def _loaded_scorers(plan: RunPlan, sample: Sample) -> dict[str, Scorer]:
    scorers = {}
    for scorer in plan.scorers:
        try:
            scorers[scorer.metric] = scorer.settings.load(plan.work.device)
        except Exception as error:  # whatever a model does when loaded
            sample.problems.append(Check(f"scorer {scorer.metric}", error_line(error), False))
    return scorers


class _Model:
    """The variants of one loaded model, timed."""

    def __init__(
        self,
        plan: RunPlan,
        group: Sequence[PlannedVariant],
        holder: ModelHolder,
        scorers: dict[str, Scorer],
        sample: Sample,
    ) -> None:
        self._plan, self._group, self._holder = plan, group, holder
        self._scorers, self._sample = scorers, sample
        chunk = plan.chunks[0]
        part = slice(0, plan.work.batch)
        seeds = tuple(plan.seeds.of(one) for one in chunk.ids[part])
        self._batch = Batch(chunk.ids[part], chunk.texts[part], seeds)
        self._batches = Batches(plan.work.batch)
        self._images: list[Image] = []
        self._n_batches = 0

    def time(self) -> ModelTiming | None:
        """Return what the model takes; None where no variant of it could be timed."""
        _forget_peak(self._plan.work.device)
        begun = time.perf_counter()
        points, load = [], 0.0
        for variant in _chosen(self._group):
            try:
                generator = self._holder.load(variant)
                load = load or time.perf_counter() - begun
                points.append(self._timed(variant, generator))
            except Exception as error:  # whatever a model does
                self._problem(f"variant {variant.name}", error_line(error))
        if not points or not self._images:
            return None
        score = {metric: self._scored(metric) for metric in list(self._scorers)}
        save, size = self._saved()
        evaluations, counted = _evaluations(self._group, points)
        fixed, slope = fit_seconds([(evaluations[one.variant.name], one.seconds) for one in points])
        return ModelTiming(
            model_label(self._group[0].recipe.generator),
            tuple(variant.name for variant in self._group),
            load,
            fixed,
            slope,
            evaluations,
            counted,
            {metric: seconds for metric, seconds in score.items() if seconds is not None},
            save,
            size,
            self._n_batches,
            _peak(self._plan.work.device),
        )

    def _timed(self, variant: PlannedVariant, generator: Generator) -> _Point:
        if not self._n_batches:
            self._made(generator)  # warm-up, which is not counted
        made = [self._made(generator)]
        if sum(made[0].seconds) < _ENOUGH / 2:
            made.append(self._made(generator))
        self._n_batches += len(made)
        images = made[-1].images
        self._sample.seen.note(variant.name, _FIRST, made[-1].digest, made[-1].remarks)
        faults = [image.reason for image in images if isinstance(image, ImageFault)]
        if len(faults) == len(images):
            self._problem(f"variant {variant.name}", f"no image can be scored: {faults[0]}")
        elif not self._images:
            self._images = [one for one in images if not isinstance(one, ImageFault)]
        count = sum(size for one in made for size in one.sizes)
        seconds = sum(took for one in made for took in one.seconds)
        return _Point(variant, made[-1].evaluations, seconds / count)

    def _made(self, generator: Generator) -> Made:
        return make_images(generator, self._batch, self._batches)

    def _scored(self, metric: str) -> float | None:
        """Return the seconds an image takes in a metric, in numbers as units have them."""
        scorer, size = self._scorers[metric], len(self._plan.chunks[0])
        images = (self._images * size)[:size]
        texts = list(self._plan.chunks[0].texts)
        try:
            scorer.score(images[: len(self._images)], texts[: len(self._images)])
            begun = time.perf_counter()
            scorer.score(images, texts)
            return (time.perf_counter() - begun) / size
        except Exception as error:  # whatever a scorer does
            self._problem(f"scorer {metric}", error_line(error))
            del self._scorers[metric]
            return None

    def _saved(self) -> tuple[float, float]:
        """Return the seconds and bytes an image takes when kept."""
        begun = time.perf_counter()
        sizes = [len(encode(image, self._plan.work.image_format)) for image in self._images]
        return (time.perf_counter() - begun) / len(sizes), sum(sizes) / len(sizes)

    def _problem(self, what: str, said: str) -> None:
        self._sample.problems.append(Check(what, said, False))


def _alike(group: Sequence[PlannedVariant]) -> list[list[PlannedVariant]]:
    """Return a model's variants by what else an image's time depends on: size, guidance, ..."""
    kinds: dict[str, list[PlannedVariant]] = {}
    for variant in group:
        factors = dict(variant.recipe.variant.factors)
        others = {key: value for key, value in factors.items() if key not in _SCHEDULE}
        others["options"] = _plain(variant, "options")  # such as true_cfg_scale, which doubles it
        kinds.setdefault(repr(sorted(others.items())), []).append(variant)
    return list(kinds.values())


def _chosen(group: Sequence[PlannedVariant]) -> list[PlannedVariant]:
    """Return the variants to time: of each scheduler the fewest steps, and the most of all.

    A scheduler with other settings counts as another one: whether they do anything is seen then.
    """
    ordered = sorted(group, key=_steps)
    first: dict[object, PlannedVariant] = {}
    for variant in ordered:
        scheduler = variant.recipe.variant.factors.get("scheduler")
        first.setdefault((scheduler, _plain(variant, "scheduler_settings")), variant)
    chosen = list(first.values())
    if _steps(ordered[-1]) > _steps(ordered[0]) and ordered[-1] not in chosen:
        chosen.append(ordered[-1])
    return chosen


def _plain(variant: PlannedVariant, key: str) -> str:
    """Return a mapping among the generator's settings as text, for comparing."""
    return repr(sorted((getattr(variant.recipe.generator, key, None) or {}).items()))


def _evaluations(
    group: Sequence[PlannedVariant], points: Sequence[_Point]
) -> tuple[dict[str, float], bool]:
    """Return the evaluations of every variant, and whether they are known at all.

    Those of a variant not timed follow from its steps and the timed ones of its scheduler. Where
    nothing counts evaluations the steps take their place, else 1.
    """
    counted = all(point.evaluations is not None for point in points)
    if not counted:
        return {variant.name: _steps(variant) or 1.0 for variant in group}, False
    timed = {point.variant.name: float(point.evaluations or 0) for point in points}
    return {
        variant.name: timed.get(variant.name, _likely(variant, points)) for variant in group
    }, True


def _likely(variant: PlannedVariant, points: Sequence[_Point]) -> float:
    mine = variant.recipe.variant.factors.get("scheduler")
    same = [one for one in points if one.variant.recipe.variant.factors.get("scheduler") == mine]
    x = [_steps(one.variant) for one in same or points]
    y = [float(one.evaluations or 0) for one in same or points]
    if len(set(x)) > 1:
        slope, constant = np.polyfit(x, y, 1)
        return float(constant + slope * _steps(variant))
    return y[0] * (_steps(variant) / x[0] if x[0] else 1.0)


def _steps(variant: PlannedVariant) -> float:
    steps = variant.recipe.variant.factors.get("steps")
    return float(steps) if isinstance(steps, int | float) else 0.0


def _forget_peak(device: str) -> None:
    torch = sys.modules.get("torch")
    if torch is not None and device_kind(device) == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _peak(device: str) -> int | None:
    """Return the most memory used: of the GPU since the last model, or of this process ever."""
    torch = sys.modules.get("torch")
    if torch is not None and device_kind(device) == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # not a POSIX system
        return None
    kilo = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilo
