"""`flasheval.evaluate`: score a model on a subset, also in the middle of its training."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from flasheval.base.arguments import checked_arguments
from flasheval.base.canonical import JSON, canonical_value, sha256_of
from flasheval.base.errors import DataError, SettingError
from flasheval.base.models.batches import Batches
from flasheval.base.progress import Report as ProgressReport
from flasheval.base.progress import reporting
from flasheval.base.versions import utc_now
from flasheval.evaluation.autocast import autocast_of, autocasting
from flasheval.evaluation.loaded_scorers import loaded_scorer
from flasheval.evaluation.processes import agreed, processes, shared_out
from flasheval.evaluation.report import MetricScores, Report, joined_faults
from flasheval.evaluation.undisturbed import undisturbed
from flasheval.generators.generator import Batch, Generator, GeneratorSettings
from flasheval.generators.image_folder import ImageFolder, ImageFolderSettings
from flasheval.generators.images import ImageFault
from flasheval.generators.python_objects import as_generator
from flasheval.generators.registry import DEFAULT_GENERATOR, make_generator
from flasheval.generators.seeds import ImageSeeds
from flasheval.generators.text_encoders import pipeline_readers
from flasheval.prompts.readers import cut_by
from flasheval.runs.devices import choose_device
from flasheval.runs.generation import make_images
from flasheval.runs.text_readers import readers_of
from flasheval.runs.unit_work import run_versions
from flasheval.scorers.of_subset import asked_scorers
from flasheval.scorers.scorer import Grade, Scorer, ScorerSettings, grades_of
from flasheval.subset import Subset
from flasheval.subset.image_plan import ImagePlan, plan_images
from flasheval.subset.library import load_subset

__all__ = ["evaluate", "images_given", "made_with"]

_log = logging.getLogger(__name__)

T = TypeVar("T")

_IMAGES_AT_ONCE = 64


Place = tuple[str, int]
"""A prompt's id and the number of one of its images."""


@dataclass(frozen=True)
class _Row:
    """One image's scores, in the scorers' order; why there are none; the image if wanted."""

    scores: tuple[float | None, ...]
    fault: str | None = None
    image: object = None


@dataclass(frozen=True)
class _Task:
    """What there is to do: the images, the rows already known, and how the others are made."""

    places: tuple[Place, ...]
    asked: Batch
    held: Mapping[Place, _Row]
    images: ImagePlan
    subset: Subset
    scorers: Mapping[str, ScorerSettings]
    versions: Mapping[str, str]
    call: Mapping[str, JSON]
    device: str
    autocast: Mapping[str, str]

    def told(self) -> tuple[object, ...]:
        """Return what must be the same in all processes."""
        asked = self.asked.ids, self.asked.seeds
        return self.subset.content_hash, *asked, self.versions, self.call


@checked_arguments
def evaluate(
    generator: Any,
    subset: Subset | str | Path,
    scorers: Any = None,
    *,
    images_per_prompt: int | None = None,
    seeds: str = "search",
    seed: int | None = None,
    batch: int = 8,
    call: Mapping[str, Any] | None = None,
    device: str | None = None,
    modules: Iterable[object] = (),
    autocast: Any = "auto",
    known: Report | None = None,
    images: bool = False,
    name: str = "",
    step: int | None = None,
    progress: ProgressReport | bool | None = None,
) -> Report:
    """Score a model on a subset, and leave the process that trains it as it was.

    An image's seed is made from the run seed, its prompt's id and its number, so that two
    checkpoints are compared on the same noise; run seed and number of images are those of the
    search unless said otherwise. A prompt's score is the mean over its images.

    Modules are in evaluation mode meanwhile, scorers see no autocast, and then modes, random states
    and scheduler are those of before (`flasheval.evaluation.undisturbed`). In distributed training
    every process calls this, does its part of the images, and gets the whole report; where only the
    main one calls it, it waits for the others for ever.

    Args:
        generator: A diffusers pipeline, or a function ``(prompts, seeds) -> images``; one whose
            second parameter is called ``generators`` gets one torch generator a prompt instead.
            Also a loaded generator, or a generator's settings, or a mapping of them with the kind
            as ``generator`` (diffusers where there is none), which are loaded here; the report then
            records everything that determines the images.
        subset: A subset with its prompts' texts, or what `flasheval.load_subset` takes.
        scorers: Names, mappings of settings with a ``name``, or Python objects and functions; by
            default those of the subset's metrics, as its manifest records them. They stay loaded in
            memory (`flasheval.evaluation.loaded_scorers`).
        images_per_prompt: Images of each prompt; by default as many as the subset was searched on,
            1 where that is not known, and of a folder of images all that it holds.
        seeds: ``search`` for the seeds of the images searched on, which predictions are best for;
            ``other`` for others. Where the search gave each variant seeds of its own, `name` counts
            in them, else `step`, and one of the two is needed.
        seed: The run seed; by default the search's, 0 where it is not known, and another with
            ``seeds="other"``. One that is not the search's gives other seeds, and the report says
            so.
        batch: Images made at a time; halved when memory runs out.
        call: Further arguments of the pipeline's call, such as ``num_inference_steps``.
        device: The scorers' device; by default the pipeline's, else the first GPU or the CPU.
        modules: Torch modules that a function uses, to be put into evaluation mode.
        autocast: The type images are made in: ``bf16``, ``fp16`` or one of torch, ``off``,
            ``keep`` for that of the caller, or ``auto``: what a pipeline with parts of several
            types needs (a float32 UNet in training among bfloat16 parts), none for other pipelines,
            the caller's for functions. Where it is on the report's `call` has it.
        known: A report of the same model on other prompts, such as a prefix of the subset, or with
            fewer images of each; its scores are not computed again.
        images: Whether the report holds the images.
        name: The model's name, for tables.
        step: The model's training step.
        progress: A function of a label, the images made and those asked for; False for none; by
            default a bar, lines where there is no terminal, in the first process.

    Raises:
        SettingError: A bad setting.
        DataError: A subset without texts, or a known report with another seed, call or scorer.

    Example:
        >>> from flasheval import PromptSet
        >>> from flasheval.subset import Method, MetricInfo
        >>> import numpy as np
        >>> pets = PromptSet("pets", ("1", "2"), texts=("a cat", "a white dog"))
        >>> subset = Subset.choose(pets, [0, 1], name="pets-2", metrics=(MetricInfo("light"),),
        ...                        method=Method("random"), with_texts=True)
        >>> def paint(prompts, seeds):
        ...     return [np.full((8, 8, 3), 0.9 if "white" in one else 0.5) for one in prompts]
        >>> def light(images, prompts):
        ...     return [image.getpixel((0, 0))[0] / 255 for image in images]
        >>> report = evaluate(paint, subset, [light])
        >>> round(report.means["light"], 3)
        0.702

    """
    arguments, begun, loading = dict(call or {}), time.perf_counter(), 0.0
    label = _label(name, step)
    if isinstance(generator, Mapping):
        own = {key: value for key, value in generator.items() if key != "generator"}
        generator = make_generator(generator.get("generator", DEFAULT_GENERATOR), own, "generator")
    if batch < 1:
        raise SettingError(f"batch={batch}: expected a whole number above 0")

    def plan() -> _Task:
        chosen = subset if isinstance(subset, Subset) else load_subset(subset)
        judges = {judge.metric: judge for judge in asked_scorers(scorers, chosen)}
        versions = {metric: judge.version for metric, judge in judges.items()}
        place = choose_device(device) if device else _device_of(generator)
        types = autocast_of(generator, autocast, place)
        each = images_given(generator, images_per_prompt, chosen.ids)
        asked = plan_images(chosen.record, images_per_prompt=each, seeds=seeds, seed=seed)
        _check_seeds(asked, label)
        settings = made_with(generator, arguments, chosen.ids, place, asked.images)
        settings |= _told_of(types)
        held = _held(known, chosen, versions, asked, label, settings, images)
        places = tuple((one, k) for one in chosen.ids for k in range(asked.images))
        missing = tuple(one for one in places if one not in held)
        made = _batch(missing, chosen, asked, label)
        return _Task(places, made, held, asked, chosen, judges, versions, settings, place, types)

    task = agreed(plan, _Task.told)

    def work(numbers: Sequence[int]) -> list[_Row]:
        nonlocal loading
        if not numbers:
            return []
        with undisturbed(generator, modules):
            started = time.perf_counter()
            made_by = as_generator(generator, arguments, device=task.device)
            loaded = {
                metric: loaded_scorer(judge, task.device) for metric, judge in task.scorers.items()
            }
            loading = time.perf_counter() - started
            asked = _take(task.asked, numbers)
            return _rows(made_by, loaded, asked, batch, images, task.autocast, report)

    with reporting(progress if processes()[0] == 0 else False) as report:
        if report is not None and len(task.asked):
            report(f"loading {label or 'the model'}", 0, 0)
        new = shared_out(len(task.asked), work)
    missing = (one for one in task.places if one not in task.held)
    found = {**task.held, **dict(zip(missing, new, strict=True))}
    rows = [found[one] for one in task.places]
    _log.info("evaluated %s on %d images of %d", label or "a model", len(new), len(rows))
    seconds = time.perf_counter() - begun - loading + (known.seconds if known else 0.0)
    return Report(
        task.subset,
        task.images.seeds.run_seed,
        {
            metric: MetricScores.from_images(
                task.versions[metric],
                judge.higher_is_better,
                _by_prompt([row.scores[i] for row in rows], task.images.images),
            )
            for i, (metric, judge) in enumerate(task.scorers.items())
        },
        label,
        step,
        task.call,
        _faults(task.subset.ids, _by_prompt(rows, task.images.images)),
        round(seconds, 3),
        run_versions(),
        utc_now(),
        tuple(row.image for row in rows) if images else (),
        _cut(generator, task),
        task.images.images,
        task.images.kind,
        task.images.seeds.variant_seeds,
    )


def _label(name: str, step: int | None) -> str:
    """Return what a model is called."""
    return name or ("" if step is None else f"step {step}")


def images_given(
    generator: object, images_per_prompt: int | None, ids: Sequence[str]
) -> int | None:
    """Return the number of images given, else how many a folder of images holds, else None.

    >>> images_given(len, None, ["1"]) is None, images_given(len, 4, ["1"])
    (True, 4)
    """
    folder = generator.settings if isinstance(generator, ImageFolder) else generator
    if images_per_prompt is not None or not isinstance(folder, ImageFolderSettings):
        return images_per_prompt
    return max(1, folder.images_there(ids) or 1)


def _check_seeds(asked: ImagePlan, label: str) -> None:
    """Raise SettingError where images would have seeds of a variant without a name."""
    if asked.seeds.variant_seeds and not label:
        raise SettingError(
            "name is missing: the subset was searched on images whose seeds depend on the "
            "variant's name; add a name, or a step"
        )


def _batch(places: Sequence[Place], subset: Subset, asked: ImagePlan, label: str) -> Batch:
    """Return what to make: the images of one prompt side by side, so that one call may make them.

    A pipeline reads the text of neighbours with equal prompts once.
    """
    texts = dict(zip(subset.ids, subset.texts, strict=True))
    return Batch(
        tuple(prompt for prompt, _ in places),
        tuple(texts[prompt] for prompt, _ in places),
        tuple(asked.seeds.of(prompt, image, label) for prompt, image in places),
        tuple(image for _, image in places),
    )


def _by_prompt(rows: Sequence[T], count: int) -> list[Sequence[T]]:
    """Return the entries of each prompt's images."""
    return [rows[start : start + count] for start in range(0, len(rows), count)]


def _faults(ids: Sequence[str], rows: Sequence[Sequence[_Row]]) -> dict[str, str]:
    """Return why scores are missing, by prompt id; of several images, of which by number."""
    told = (joined_faults([row.fault for row in images]) for images in rows)
    return {prompt: why for prompt, why in zip(ids, told, strict=True) if why}


def _cut(generator: object, task: _Task) -> dict[str, int]:
    """Return how many texts each scorer and text encoder cuts, by its name and limit."""
    generators = [generator] if isinstance(generator, GeneratorSettings) else []
    readers = readers_of(generators, task.scorers.values())
    if not generators:
        readers += pipeline_readers(generator)
    counts = cut_by(task.subset.texts, readers)
    return {f"{one.name} reads {one.tokens} tokens": count for one, count in counts.items()}


def made_with(
    generator: object,
    arguments: Mapping[str, Any],
    ids: Sequence[str],
    device: str,
    images_per_prompt: int = 1,
) -> dict[str, JSON]:
    """Return the `call` of a report: a description of how its images are made.

    It holds the arguments of the call or, for a generator's settings, everything that determines
    the images. An argument that is not JSON data, such as a tensor, is replaced by its type.

    Raises FlashevalError when a file that the settings need is missing.

    >>> from flasheval.generators.function import FunctionSettings
    >>> made_with(len, {"num_inference_steps": 20, "latents": np.zeros(4)}, ("1",), "cpu")
    {'num_inference_steps': 20, 'latents': '<ndarray>'}
    >>> made_with(FunctionSettings("math:hypot", version="1"), {}, ("1",), "cpu")
    {'generator': 'function', 'function': 'math:hypot', 'version': '1'}
    """
    if not isinstance(generator, GeneratorSettings):
        return {key: _told(value) for key, value in arguments.items()}
    state = generator.state(ids)
    if state is not None and images_per_prompt > 1:
        state = [state, *(generator.state(ids, number) for number in range(1, images_per_prompt))]
    more = {} if state is None else {"state": sha256_of(state)}
    made_by = {"generator": generator.kind, **generator.identity(device), **more}
    return {key: _told(value) for key, value in made_by.items()}


def _told_of(types: Mapping[str, str]) -> dict[str, JSON]:
    return {"autocast": " ".join(sorted(set(types.values())))} if types else {}


def _told(value: object) -> JSON:
    try:
        return canonical_value(value, digits=17)
    except DataError:
        return f"<{type(value).__name__}>"


def _rows(
    generator: Generator,
    scorers: Mapping[str, Scorer],
    prompts: Batch,
    batch: int,
    keep: bool,
    types: Mapping[str, str],
    report: ProgressReport | None,
) -> list[_Row]:
    """Make and score the images of some prompts, not holding more of them than need be."""
    batches, part = Batches(batch), batch * max(1, _IMAGES_AT_ONCE // batch)
    rows = []
    for start in range(0, len(prompts), part):
        asked = prompts[start : start + part]

        def tell(done: int, what: str = "images", before: int = start) -> None:
            if report is not None:
                report(what, before + done, len(prompts))

        tell(0)
        with autocasting(types):
            images = make_images(generator, asked, batches, tell).images
        tell(len(asked), "scores")
        rows += _judged(images, asked.prompts, scorers, keep)
    return rows


def _judged(
    images: Sequence[Any], prompts: Sequence[str], scorers: Mapping[str, Scorer], keep: bool
) -> list[_Row]:
    good = [i for i, image in enumerate(images) if not isinstance(image, ImageFault)]
    columns = [
        _grades([images[i] for i in good], [prompts[i] for i in good], scorer)
        for scorer in scorers.values()
    ]
    graded = dict(zip(good, zip(*columns, strict=True), strict=True)) if columns else {}
    found = []
    for place, image in enumerate(images):
        grades = graded.get(place, (Grade(math.nan),) * len(scorers))
        values = tuple(None if np.isnan(one.score) else float(one.score) for one in grades)
        reasons = [one.reason for one in grades if one.reason is not None]
        fault = image.reason if isinstance(image, ImageFault) else "; ".join(reasons) or None
        found.append(_Row(values, fault, image if keep else None))
    return found


def _grades(images: list[Any], prompts: list[str], scorer: Scorer) -> list[Grade]:
    def grade(part: slice) -> list[Grade]:
        return grades_of(scorer, images[part], prompts[part])

    parts = Batches(max(len(images), 1)).over(len(images), grade)
    return [one for part in parts for one in part]


def _held(
    known: Report | None,
    subset: Subset,
    versions: Mapping[str, str],
    asked: ImagePlan,
    label: str,
    call: Mapping[str, JSON],
    images: bool,
) -> dict[Place, _Row]:
    """Return what a report holds already, by image; nothing where it lacks images wanted."""
    if known is None:
        return {}
    theirs = {metric: part.version for metric, part in known.metrics.items()}
    seeds = ImageSeeds(known.seed, known.variant_seeds)
    same = seeds == asked.seeds and (not seeds.variant_seeds or known.name == label)
    if not same or (known.call, theirs) != (call, versions):
        raise DataError(
            "the report given as known was made with another seed, call or scorer; leave it out, "
            "or evaluate with the same ones"
        )
    if images and not known.images:
        return {}
    hashes = {one.id: one.text_hash for one in subset.prompts}
    scores = {metric: known.metrics[metric].image_values.tolist() for metric in versions}
    found = {}
    for place, prompt in enumerate(known.subset.prompts):
        if prompt.id not in hashes or hashes[prompt.id] != prompt.text_hash:
            continue
        pictures = known.images_of(place) or (None,) * known.images_per_prompt
        for number in range(min(known.images_per_prompt, asked.images)):
            own = (scores[metric][place][number] for metric in versions)
            values = tuple(None if math.isnan(one) else one for one in own)
            fault = known.fault_of(prompt.id, number)
            found[prompt.id, number] = _Row(values, fault, pictures[number])
    return found


def _take(prompts: Batch, numbers: Sequence[int]) -> Batch:
    return Batch(
        tuple(prompts.ids[i] for i in numbers),
        tuple(prompts.prompts[i] for i in numbers),
        tuple(prompts.seeds[i] for i in numbers),
        tuple(prompts.images[i] for i in numbers),
    )


def _device_of(generator: object) -> str:
    """Return where a pipeline computes, or else this process's own GPU, or the first there is."""
    for name in ("_execution_device", "device"):  # an offloaded one is on another meanwhile
        device = getattr(generator, name, None)
        if device is not None:
            return str(device)
    torch: Any = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return f"cuda:{torch.cuda.current_device()}"
    return choose_device("auto")
