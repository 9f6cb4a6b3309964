"""Doing one unit: making or reading its images, and writing every score that is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, FlashevalError
from flasheval.base.models.batches import Batches
from flasheval.base.version import __version__
from flasheval.base.versions import library_versions
from flasheval.generators.generator import Batch, Generator
from flasheval.generators.images import ImageFault
from flasheval.runs.devices import hardware_name
from flasheval.runs.failures import Failure
from flasheval.runs.generation import Made, make_images
from flasheval.runs.run_plan import PlannedScorer, RunPlan, Unit
from flasheval.runs.score_files import (
    UnitScores,
    damage_of,
    read_unit_scores,
    write_unit_scores,
)
from flasheval.runs.store import RunStore
from flasheval.scorers.scorer import Embedder, Grade, Grader, Scorer, grades_of

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "LoadError",
    "StorageError",
    "Tools",
    "do_units",
    "error_line",
    "missing_outputs",
    "run_versions",
]

IMAGES = "images"
_LIBRARIES = ("torch", "diffusers", "transformers", "pillow")


class StorageError(DataError):
    """The run folder cannot be written to, so no unit can be done."""


class LoadError(FlashevalError):
    """A variant's model cannot be loaded, so none of its units can be done."""


@dataclass
class Tools:
    """The generator and scorers that a worker uses for the units of one variant.

    Attributes:
        load: Loads the variant's generator.
        scorers: The loaded scorers, by metric.
        batches: The size of the batches in which images are made.
        generator: The generator, once it is loaded.
        warm: Whether the generator has made images before.
        score_batches: The size of the batches for each scorer.

    """

    load: Callable[[], Generator]
    scorers: Mapping[str, Scorer]
    batches: Batches
    generator: Generator | None = None
    warm: bool = False
    score_batches: dict[str, Batches] = field(default_factory=dict)

    def loaded(self) -> Generator:
        """Return the generator, loading it on the first call. Raises LoadError.

        >>> def broken():
        ...     raise OSError("no weights")
        >>> Tools(broken, {}, Batches(8)).loaded()
        Traceback (most recent call last):
        flasheval.runs.unit_work.LoadError: OSError: no weights
        """
        if self.generator is None:
            try:
                self.generator = self.load()
            except Exception as error:
                raise LoadError(error_line(error)) from error
        return self.generator


def missing_outputs(plan: RunPlan, store: RunStore, unit: Unit) -> list[str]:
    """Return the metrics, and ``images``, that a unit lacks; damaged files count as missing."""
    wanted = [] if plan.work.stage == "generate" else list(plan.scorers)
    missing = [scorer.metric for scorer in wanted if not _is_done(plan, store, unit, scorer)]
    if keeps_images(plan) and not store.images(plan.work).has(store.image_unit(unit)):
        missing.append(IMAGES)
    return missing


def keeps_images(plan: RunPlan) -> bool:
    """Tell whether kept images are an output of each unit."""
    return plan.work.stage == "generate" or (plan.work.stage == "run" and plan.work.keep_images)


def _is_done(plan: RunPlan, store: RunStore, unit: Unit, scorer: PlannedScorer) -> bool:
    found = read_unit_scores(store.score_path(unit, scorer))
    if found is None or (plan.work.retry_faults and found.faults):
        return False
    return not plan.work.keep_embeddings or _has_embeddings(store, unit, scorer)


def _has_embeddings(store: RunStore, unit: Unit, scorer: PlannedScorer) -> bool:
    return not scorer.settings.embeds or store.features.has(store.image_unit(unit), scorer.key)


def do_units(plan: RunPlan, store: RunStore, units: Sequence[Unit], tools: Tools) -> list[Failure]:
    """Make the missing outputs of some units of one chunk and return the failures.

    The images of a prompt are made beside each other, so that one call of a model makes several.

    Raises:
        StorageError: The folder cannot be written to.
        LoadError: The variant's model cannot be loaded.

    """
    failures: list[Failure] = []
    found, to_make, is_warm = [], [], tools.warm
    for unit in units:
        missing = missing_outputs(plan, store, unit)
        if not missing:
            continue
        damaged = _damaged_scores(plan, store, unit, missing)
        try:
            made = _kept_images(plan, store, unit, damaged)
        except Exception as error:  # whatever reading kept images meets
            failures.append(_failure(unit, "generate", error))
            continue
        if made is None:
            to_make.append((unit, missing, damaged))
        else:
            found.append((unit, missing, damaged, made))
    if to_make:
        try:
            all_made = _made_images(plan, [unit for unit, _, _ in to_make], tools)
        except LoadError:
            raise
        except Exception as error:  # a model may fail in any way; the other units go on
            failures += [_failure(unit, "generate", error) for unit, _, _ in to_make]
        else:
            found += [(*one, made) for one, made in zip(to_make, all_made, strict=True)]
            del all_made
    while found:  # images that are done with are let go
        unit, missing, damaged, made = found.pop(0)
        failures += _finish(plan, store, unit, missing, damaged, made, tools)
        is_warm = is_warm or bool(made.seconds)
    tools.warm = is_warm  # only now: what was made in one call is all as cold
    return failures


def _finish(
    plan: RunPlan,
    store: RunStore,
    unit: Unit,
    missing: Sequence[str],
    damaged: dict[Path, str],
    made: Made,
    tools: Tools,
) -> list[Failure]:
    """Keep and score a unit's images; return the failures."""
    failures = []
    if made.seconds and keeps_images(plan):
        try:
            made = _keep(plan, store, unit, made)
        except StorageError:
            raise
        except Exception as error:  # an image that cannot be encoded
            return [_failure(unit, "generate", error)]
    for scorer in plan.scorers:
        if scorer.metric in missing:
            try:
                _score(plan, store, unit, scorer, made, tools)
            except StorageError:
                raise
            except Exception as error:
                failures.append(_failure(unit, scorer.metric, error))
    if not failures:
        store.failures.clear(unit.variant.slug, unit.name)
        with _storing():
            for path, reason in damaged.items():
                store.repairs.note(path, reason)
    return failures


def _damaged_scores(
    plan: RunPlan, store: RunStore, unit: Unit, missing: Sequence[str]
) -> dict[Path, str]:
    """Return what is wrong with each file of scores that is there and yet has to be made again."""
    paths = [store.score_path(unit, one) for one in plan.scorers if one.metric in missing]
    reasons = {path: damage_of(path) for path in paths if path.exists()}
    return {path: reason for path, reason in reasons.items() if reason is not None}


def _kept_images(
    plan: RunPlan, store: RunStore, unit: Unit, damaged: dict[Path, str]
) -> Made | None:
    """Return kept images, None where they must be made; add a damaged file to those known."""
    kept, image_unit = store.images(plan.work), store.image_unit(unit)
    found = kept.read(image_unit)
    if found is not None and not (plan.work.retry_faults and _to_retry(plan, found)):
        return Made(found, (), (), None)
    reason, path = kept.damage(image_unit), kept.path_of(image_unit)
    if plan.work.stage == "score" and unit.variant.recipe.generator.kind != IMAGES:
        if reason is not None:
            raise DataError(
                f"{path} is damaged: {reason}; delete it and make its images again with "
                "flasheval generate"
            )
        raise DataError("its images are not kept here; make them with flasheval generate")
    if reason is not None and keeps_images(plan):
        damaged[path] = reason
    return None


def _made_images(plan: RunPlan, units: Sequence[Unit], tools: Tools) -> list[Made]:
    """Make the images of some units of one chunk, those of a prompt beside each other."""
    chunk, count = units[0].chunk, len(units)
    wanted = [(one, unit) for one in chunk.ids for unit in units]
    batch = Batch(
        tuple(one for one, _ in wanted),
        tuple(text for text in chunk.texts for _ in units),
        tuple(plan.seeds.of(one, unit.image, unit.variant.name) for one, unit in wanted),
        tuple(unit.image for _, unit in wanted),
    )
    made = make_images(tools.loaded(), batch, tools.batches)
    return [made.every(count, number) for number in range(count)]


def _keep(plan: RunPlan, store: RunStore, unit: Unit, made: Made) -> Made:
    """Keep a unit's images and return them as they can be read again."""
    kept, image_unit = store.images(plan.work), store.image_unit(unit)
    with _storing():
        kept.write(image_unit, made.images)
    if plan.work.image_format == "jpeg":  # what is scored must be what can be scored again
        return replace(made, images=kept.read(image_unit) or made.images)
    return made


def _to_retry(plan: RunPlan, images: Sequence[Image | ImageFault]) -> bool:
    return keeps_images(plan) and any(isinstance(image, ImageFault) for image in images)


def _score(
    plan: RunPlan, store: RunStore, unit: Unit, scorer: PlannedScorer, made: Made, tools: Tools
) -> None:
    begun = time.perf_counter()
    good = [i for i, image in enumerate(made.images) if not isinstance(image, ImageFault)]
    images: list[Any] = [made.images[i] for i in good]
    scores = np.full(len(unit.chunk), np.nan, dtype=np.float32)
    faults = {
        unit.chunk.ids[i]: image.reason
        for i, image in enumerate(made.images)
        if isinstance(image, ImageFault)
    }
    texts = [unit.chunk.texts[i] for i in good]
    loaded = tools.scorers[scorer.metric]
    keep = plan.work.keep_embeddings and scorer.settings.embeds
    batches = tools.score_batches.setdefault(scorer.metric, Batches(len(unit.chunk)))
    embeddings, grades = _grades_of(loaded, images, texts, keep, batches)
    scores[good] = [grade.score for grade in grades]
    answers: dict[str, Any] = {}
    for i, grade in zip(good, grades, strict=True):
        if grade.reason is not None:
            faults[unit.chunk.ids[i]] = grade.reason
        if grade.details:
            answers[unit.chunk.ids[i]] = dict(grade.details)
    used = dict(loaded.record()) if isinstance(loaded, Grader) else {}
    more = {key: value for key, value in (("answers", answers), ("used", used)) if value}
    seconds = time.perf_counter() - begun
    with _storing():
        if embeddings is not None:
            rows = np.full((len(unit.chunk), embeddings.shape[1]), np.nan, dtype=np.float32)
            rows[good] = embeddings
            store.features.write(store.image_unit(unit), scorer.key, rows)
        write_unit_scores(
            store.score_path(unit, scorer),
            UnitScores(
                unit.variant.name,
                unit.variant.key,
                scorer.metric,
                scorer.key,
                plan.seed,
                unit.chunk.digest,
                unit.chunk.ids,
                scores,
                faults,
                {**_record(plan, made, seconds, tools.warm), **more},
                unit.image,
                plan.variant_seeds,
            ),
        )


def _grades_of(
    scorer: Scorer, images: list[Image], texts: list[str], keep: bool, batches: Batches
) -> tuple[NDArray[np.float32] | None, list[Grade]]:
    """Return embeddings, where they are to be kept, and grades; in parts if memory is short."""
    if not images:
        return None, []
    if keep and isinstance(scorer, Embedder):
        embeddings = np.concatenate(batches.over(len(images), lambda p: scorer.embed(images[p])))
        values = scorer.score_embeddings(embeddings, texts)
        absent = f"{scorer.name} gives no score"
        return embeddings, [Grade(float(one), absent if np.isnan(one) else None) for one in values]
    parts = batches.over(len(images), lambda part: grades_of(scorer, images[part], texts[part]))
    return None, [grade for part in parts for grade in part]


def _record(plan: RunPlan, made: Made, seconds: float, warm: bool) -> dict[str, Any]:
    return {
        "finished": round(time.time(), 3),
        "seconds_generate": [round(one, 6) for one in made.seconds],
        "batches": list(made.sizes),
        "batch": made.batch,
        "warm": warm,
        "seconds_score": round(seconds, 6),
        "evaluations": made.evaluations,
        "images": made.digest,
        "remarks": dict(made.remarks),
        "device": plan.work.device,
        "hardware": hardware_name(plan.work.device),
        "versions": run_versions(),
    }


@cache
def run_versions() -> dict[str, str]:
    """Return the versions of the installed libraries that images and scores depend on."""
    return {"flasheval": __version__, **library_versions(_LIBRARIES)}


def _failure(unit: Unit, stage: str, error: Exception) -> Failure:
    chunk = unit.chunk
    return Failure(
        unit.variant.name,
        stage,
        error_line(error),
        unit.name,
        chunk.ids[0],
        len(chunk),
        unit.image,
    )


def error_line(error: Exception) -> str:
    r"""Return an error as one line, with its type unless it is a FlashevalError.

    >>> error_line(ValueError("no\n  such file")), error_line(DataError("a.csv is empty"))
    ('ValueError: no such file', 'a.csv is empty')
    """
    reason = str(error) if isinstance(error, FlashevalError) else f"{type(error).__name__}: {error}"
    return " ".join(reason.split())[:500]


class _storing:  # noqa: N801 - reads as the statement it is
    """Turns an error of writing into a StorageError, so that it is not taken for the unit's own."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DataError) and isinstance(error.__cause__, OSError):
            what = str(error).rpartition("; ")[0]  # atomic_write names the file, and gives advice
        elif isinstance(error, OSError):
            where = error.filename or "the run folder"
            what = f"cannot write {where}: {error.strerror or error}"
        else:
            return
        raise StorageError(f"{what}; mend that and run the same command again") from error
