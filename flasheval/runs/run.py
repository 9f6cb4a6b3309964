"""`flasheval.run`: generate and score a population, in a folder that can be continued."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flasheval.base.arguments import checked_arguments, checked_class
from flasheval.base.drawing.shown import Shown, frame_of
from flasheval.base.drawing.view import Line, Part, View, lines
from flasheval.base.errors import DataError, SettingError
from flasheval.base.progress import reporting
from flasheval.base.run_folders import shown_path
from flasheval.base.text import first_few
from flasheval.generators.populations.population import Population
from flasheval.generators.populations.recipe import Recipe
from flasheval.generators.populations.sources import read_population
from flasheval.generators.seeds import checked_images_per_prompt
from flasheval.prompts import PromptSet
from flasheval.prompts.loading import as_prompts
from flasheval.prompts.readers import CLIP_READERS, cut_lines, whole_prompts
from flasheval.runs.collecting import Collected, collect
from flasheval.runs.devices import device_kind
from flasheval.runs.executors import Executor, make_executor, worker_device
from flasheval.runs.failures import Failure, unscored
from flasheval.runs.leftovers import remove_leftovers
from flasheval.runs.repairs import Repair
from flasheval.runs.run_plan import (
    RunPlan,
    WorkSettings,
    folder_name,
    make_run_plan,
)
from flasheval.runs.same_images import same_images, setting_lines
from flasheval.runs.store import RunSettings, RunStore
from flasheval.runs.text_readers import readers_of, readers_of_plan
from flasheval.runs.unit_work import IMAGES
from flasheval.scorers.registry import make_scorers
from flasheval.scorers.scorer import ScorerSettings
from flasheval.scores.table_view import metrics_table
from flasheval.scores.twins import named_twins

if TYPE_CHECKING:
    from flasheval.scores import ScoreTable

__all__ = [
    "RunResult",
    "first_prompts",
    "images_of_run",
    "plan_run",
    "run",
    "run_plan",
    "run_settings",
]

_CHUNK = 32
_FEW = 5  # reasons shown


@checked_class
@dataclass(frozen=True, repr=False)
class RunResult(Shown):
    """The result of a run.

    Attributes:
        folder: The run folder, which `flasheval.load_scores` reads.
        scores: The table of all scores measured so far; None when there are none.
        failures: The units and variants that failed, with reasons.
        faults: Why an image has no score, by variant and prompt id; of further images of a prompt
            with their number, as in ``37, image 2``.
        interrupted: Whether it was stopped; the same call continues it.
        repairs: The damaged files that were made again.
        detached: A sentence about workers that were left running; None when all have ended.
        warnings: Settings that had no effect, variants with the same scores, and images that are
            not used; a line each.
        plan: What was asked for; None where nobody kept it.

    """

    kind = "run"

    folder: Path
    scores: ScoreTable | None
    failures: tuple[Failure, ...]
    faults: Mapping[tuple[str, str], str]
    interrupted: bool = False
    repairs: tuple[Repair, ...] = ()
    detached: str | None = None
    warnings: tuple[str, ...] = ()
    plan: RunPlan | None = field(default=None, compare=False)

    def view(self) -> View:
        """Return how far it came, what was measured, what failed, and what to do next."""
        plan, table = self.plan, self.scores
        images_only = plan is not None and plan.work.stage == "generate"
        said = self._brief() if plan is None else _answer(plan, self)
        parts: list[Part] = [Line(said, "headline"), Line("")]
        if table is not None and not images_only:
            parts += [metrics_table(table), Line("")]
            if plan is not None:
                readers = readers_of_plan(plan) or CLIP_READERS
                cut = cut_lines(plan.prompts.texts or (), readers)
                parts += [*lines(cut, "warning"), Line("")] if cut else []
        parts += [*self._warning_lines(), Line("")] if self.warnings else []
        problems = _problems(self)
        parts += [*lines(problems, "alert"), Line("")] if problems else []
        return View((*parts, *lines(_next(self, images_only=images_only))))

    def _brief(self) -> str:
        table = self.scores
        scores = (
            "no scores" if table is None else f"{len(table)} variants x {table.n_prompts} prompts"
        )
        failed = f", {len(self.failures)} failed" if self.failures else ""
        state = ", interrupted" if self.interrupted else ""
        return f"{scores}{failed}{state} in {shown_path(self.folder)}"

    def _data(self) -> dict[str, Any]:
        faults = [
            {"variant": variant, "prompt_id": prompt, "reason": reason}
            for (variant, prompt), reason in self.faults.items()
        ]
        return {
            "folder": self.folder,
            "scores": self.scores,
            "failures": self.failures,
            "faults": faults,
            "interrupted": self.interrupted,
            "repairs": self.repairs,
            "detached": self.detached,
            "warnings": self.warnings,
        }

    def to_pandas(self) -> Any:
        """Return all scores as a tidy pandas frame, see `ScoreTable.to_pandas`.

        Raises SettingError where pandas is not installed.
        """
        nothing: dict[str, Any] = {"variant": [], "prompt_id": []}
        return frame_of(nothing) if self.scores is None else self.scores.to_pandas()


@checked_arguments
def run(
    population: Population | Mapping[str, Any] | str | Path,
    prompts: PromptSet | str | Path,
    scorers: Any = ("clip",),
    *,
    out: str | Path,
    seed: int | None = None,
    images_per_prompt: int | None = None,
    variant_seeds: bool | None = None,
    chunk: int | None = None,
    batch: int = 8,
    device: str = "auto",
    stage: Literal["run", "generate", "score"] = "run",
    keep_images: bool = False,
    image_store: Literal["shards", "folder"] = "shards",
    image_format: Literal["png", "webp", "jpeg"] = "png",
    keep_embeddings: bool = False,
    retry_faults: bool = False,
    limit: int | None = None,
    whole_texts: bool = False,
    executor: str | Mapping[str, Any] | Executor = "in_process",
    progress: Callable[[str, float, int], None] | bool | None = None,
) -> RunResult:
    """Generate the images of a population, score them, and return the score table.

    All state is in the folder: after an interruption at any moment the same call continues, and
    loses at most the unit it was working on. An added variant or metric costs only the new work.

    Args:
        population: A population, its settings, a YAML file, the name of one in ``conf/population``,
            or a mapping of name to a callable ``(prompts, seeds) -> images`` or diffusers pipeline.
        prompts: The prompts, with texts.
        scorers: Names, mappings of settings with a ``name``, or Python objects and functions.
        out: The run folder.
        seed: The run's seed, from which each image's seed is made; by default the folder's, else 0.
        images_per_prompt: Images of each prompt, whose mean is its score; by default the folder's,
            else 1, or as many as there are where all variants' images lie in folders.
        variant_seeds: Whether each variant has image seeds of its own, instead of the same noise
            for all; by default the folder's, else not.
        chunk: Prompts a unit; by default the folder's, else 32.
        batch: Images made at a time; halved when memory runs out.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        stage: ``generate`` makes and keeps images, ``score`` scores kept ones, ``run`` does both.
        keep_images: Whether images stay after they were scored.
        image_store: ``shards`` (WebDataset tars) or ``folder`` (one file an image).
        image_format: ``png``, ``webp`` (both lossless) or ``jpeg``.
        keep_embeddings: Whether scorers that embed images keep the embeddings.
        retry_faults: Whether units with faulty images are done again.
        limit: Use only this many prompts, the first ones.
        whole_texts: Leave out the prompts that a scorer or a text encoder of a model would cut.
        executor: Where units run: a name, a mapping of settings with a ``name``, or an executor.
        progress: As for `flasheval.search`.

    Raises:
        FlashevalError: A setting, a file or a folder that cannot be used. A failure of one unit or
            variant does not raise: it is in the result.

    >>> import tempfile
    >>> from PIL import Image
    >>> def grey(prompts, seeds):
    ...     return [Image.new("RGB", (8, 8), (seed % 255 + 1,) * 3) for seed in seeds]
    >>> def light(images, prompts):
    ...     return [image.getpixel((0, 0))[0] for image in images]
    >>> pets = PromptSet("pets", ("1", "2"), ("A cat.", "A dog."))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = run({"grey": grey}, pets, [light], out=folder, device="cpu", progress=False)
    >>> result.scores["light"].values.shape, result.failures
    ((1, 2), ())

    """
    chosen = make_executor(executor)
    plan, tables = plan_run(
        population,
        prompts,
        scorers,
        out=out,
        seed=seed,
        images_per_prompt=images_per_prompt,
        variant_seeds=variant_seeds,
        chunk=chunk,
        limit=limit,
        whole_texts=whole_texts,
        work=WorkSettings(
            stage=stage,
            batch=batch,
            device=worker_device(chosen, device),
            keep_images=keep_images,
            image_store=image_store,
            image_format=image_format,
            keep_embeddings=keep_embeddings,
            retry_faults=retry_faults,
        ),
    )
    return run_plan(plan, RunStore(Path(out)), chosen, tables=tables, progress=progress)


def plan_run(
    population: Population | Mapping[str, Any] | str | Path,
    prompts: PromptSet | str | Path,
    scorers: Any,
    *,
    out: str | Path,
    work: WorkSettings,
    seed: int | None = None,
    images_per_prompt: int | None = None,
    variant_seeds: bool | None = None,
    chunk: int | None = None,
    limit: int | None = None,
    whole_texts: bool = False,
) -> tuple[RunPlan, tuple[str, ...]]:
    """Return the plan of a run, and the score tables to take variants from; see `run`."""
    who = read_population(population)
    every = as_prompts(prompts)
    texts = first_prompts(every, limit)
    judges = () if work.stage == "generate" else make_scorers(scorers)
    if whole_texts:
        texts = only_whole(texts, who.recipes, judges)
    settings = run_settings(Path(out), seed, chunk, device_kind(work.device), variant_seeds)
    given = [scorers] if isinstance(scorers, str | Mapping) else list(scorers if judges else ())
    plain = all(isinstance(scorer, str | Mapping) for scorer in given)
    plan = make_run_plan(
        who.recipes,
        texts,
        judges,
        seed=settings.seed,
        chunk=settings.chunk,
        work=work,
        kind=settings.device,
        entries=who.entries if len(who.entries) == len(who.recipes) else None,
        scorer_entries=given if plain else None,
        images_per_prompt=images_of_run(Path(out), images_per_prompt),
        variant_seeds=settings.variant_seeds,
        all_ids=every.ids,
    )
    return plan, who.tables


def first_prompts(prompts: PromptSet | str | Path, limit: int | None) -> PromptSet:
    """Return the prompts, or the first ``limit`` of them. Raises FlashevalError for none.

    >>> pets = PromptSet("pets", ("1", "2", "3"))
    >>> first_prompts(pets, 2).ids, len(first_prompts(pets, None))
    (('1', '2'), 3)
    """
    texts = as_prompts(prompts)
    if limit is None:
        return texts
    if limit < 1:
        raise SettingError(f"limit={limit}: expected at least 1 prompt")
    return texts.take(range(min(limit, len(texts))))


def only_whole(
    prompts: PromptSet, recipes: Iterable[Recipe], scorers: Iterable[ScorerSettings]
) -> PromptSet:
    """Return the prompts that no text encoder of the models or scorers cuts.

    Raises DataError where none is left.

    >>> pets = PromptSet("pets", ("1", "2"), ("A cat.", "A dog."))
    >>> len(only_whole(pets, [], []))
    2
    """
    readers = readers_of((recipe.generator for recipe in recipes), scorers)
    if not readers:
        warnings.warn(
            "whole_texts: nothing is known of what reads the texts here, so no prompt is left out",
            UserWarning,
            stacklevel=3,
        )
    kept = whole_prompts(prompts, readers)
    if left := len(prompts) - len(kept):
        warnings.warn(
            f"whole_texts: {left:,} of {len(prompts):,} prompts are left out, which something "
            "would cut",
            UserWarning,
            stacklevel=3,
        )
    if not len(kept):
        raise DataError(
            f"whole_texts: all {len(prompts):,} texts are longer than what reads them; leave "
            "whole_texts out"
        )
    return kept


def images_of_run(folder: Path, images_per_prompt: int | None) -> int | None:
    """Return the number given, else that of the folder's last command; None where neither is.

    >>> images_of_run(Path("no/such/folder"), 4), images_of_run(Path("no/such/folder"), None)
    (4, None)
    """
    if images_per_prompt is not None:
        return checked_images_per_prompt(images_per_prompt)
    before = RunStore(folder).asked()
    return None if before is None else before.images_per_prompt


def run_settings(
    folder: Path,
    seed: int | None,
    chunk: int | None,
    kind: str,
    variant_seeds: bool | None = None,
) -> RunSettings:
    """Return the settings given, else those of the run in the folder, else the defaults.

    The kind of device is the one the run was begun on, or ``kind`` for a new run.

    >>> run_settings(Path("no/such/folder"), None, None, "cpu")
    RunSettings(seed=0, chunk=32, device='cpu', format=1, variant_seeds=False)
    """
    if chunk is not None and chunk < 1:
        raise SettingError(f"chunk={chunk}: expected at least 1 prompt a unit")
    before = RunStore(folder).settings() or RunSettings(0, _CHUNK, kind)
    return RunSettings(
        before.seed if seed is None else seed,
        before.chunk if chunk is None else chunk,
        before.device,
        variant_seeds=before.variant_seeds if variant_seeds is None else variant_seeds,
    )


def run_plan(
    plan: RunPlan,
    store: RunStore,
    executor: Executor,
    *,
    tables: Sequence[str] = (),
    progress: Callable[[str, float, int], None] | bool | None = None,
) -> RunResult:
    """Do a plan and collect its results, also after an interruption."""
    store.begin(RunSettings(plan.seed, plan.chunk, plan.kind, variant_seeds=plan.variant_seeds))
    store.register(plan)
    remove_leftovers(store.folder)
    repaired = store.repairs.end()
    for variant in plan.variants:
        store.failures.forget(variant.slug)
    for name, reason in plan.unusable.items():
        store.failures.write(folder_name(name), Failure(name, "plan", reason))
    interrupted, detached = False, None
    with reporting(progress) as report:
        try:
            detached = executor.run(plan, store, report or (lambda label, done, total: None))
        except KeyboardInterrupt:
            interrupted = True
    found = _collected(plan, store, tables)
    names = {variant.name for variant in plan.variants} | set(plan.unusable)
    failures = tuple(one for one in store.failures.all() if one.variant in names)
    repairs = tuple(store.repairs.since(repaired))
    return RunResult(
        store.folder,
        found.table,
        failures,
        found.faults,
        interrupted,
        repairs,
        detached,
        tuple(_warnings(plan, found)),
        plan,
    )


def _answer(plan: RunPlan, result: RunResult) -> str:
    what = "images of" if plan.work.stage == "generate" else "scores of"
    count = len(plan.variants)
    several = plan.images_per_prompt
    if result.scores is not None and plan.work.stage != "generate":  # an earlier command's too
        several = max(several, *(one.images_per_prompt for one in result.scores.matrices.values()))
    each = f", {several} images each" if several > 1 else ""
    said = f"{what} {count} variant{'' if count == 1 else 's'} on {len(plan.prompts):,} prompts"
    said += each
    if result.interrupted:
        return f"Interrupted; finished work is kept, and the same command continues: {said}"
    if result.detached is not None:
        return f"Not waited for: {said}"
    if result.failures:
        return f"Not complete: {said}"
    names = {variant.name for variant in plan.variants}
    missing = sum(variant in names for variant, _ in result.faults)
    images = count * len(plan.prompts) * plan.images_per_prompt
    return f"{unscored(missing, images) or 'Complete'}: {said}"


def _problems(result: RunResult) -> list[str]:
    told: list[str] = []
    reasons = Counter((one.variant, one.stage, one.reason) for one in result.failures)
    for (variant, stage, reason), count in list(reasons.items())[:_FEW]:
        units = "" if count == 1 else f" ({count} units)"
        told.append(f"failed: {variant}, {stage}{units}: {reason}")
    if len(reasons) > _FEW:
        told.append(f"failed: {len(reasons) - _FEW} more reasons; flasheval status lists them")
    if result.failures:
        told.append("run the same command again to retry what failed")
    if result.repairs:
        count = len(result.repairs)
        which = [f"{one.path} ({one.reason})" for one in result.repairs[:_FEW]]
        which += ["..."] if count > _FEW else []
        files = "1 damaged file was" if count == 1 else f"{count} damaged files were"
        told.append(f"{files} made again: {', '.join(which)}")
    faults = Counter(result.faults.values())
    for reason, count in faults.most_common(_FEW):
        told.append(f"no score: {count} image{'' if count == 1 else 's'}: {reason}")
    if len(faults) > _FEW:
        rest = sum(faults.values()) - sum(count for _, count in faults.most_common(_FEW))
        told.append(f"no score: {rest:,} more images")
    return told


def _next(result: RunResult, *, images_only: bool) -> list[str]:
    folder = shown_path(result.folder)
    if result.detached is not None:
        return [
            result.detached,
            f"progress: flasheval status {folder}",
            "run the same command again to collect the scores",
        ]
    if images_only:
        return [f"images: {folder}/images/", "score them: flasheval score with the same words"]
    return [f"scores:   {folder}/", f"use them: flasheval search scores={folder}"]


def _warnings(plan: RunPlan, found: Collected) -> list[str]:
    """Return lines on settings without effect, on variants of equal rows, on images not used."""
    names = [variant.name for variant in plan.variants]
    told = [set(group) for group in same_images(found.seen.images, names)]
    twins = () if found.table is None else found.table.named_twins()
    others = [group for group in twins if not any(set(group) <= one for one in told)]
    return [
        *setting_lines([variant.recipe for variant in plan.variants], found.seen),
        *named_twins(others),
        *_unused_images(plan),
    ]


def _unused_images(plan: RunPlan) -> list[str]:
    """Return a line on folders that hold more images a prompt than are used."""
    there = plan.images_there
    more = [name for name, count in there.items() if count > plan.images_per_prompt]
    if not more:
        return []
    names = first_few(more)
    most = max(there.values())
    return [
        f"{names}: up to {most} images a prompt lie there, {plan.images_per_prompt} "
        f"{'is' if plan.images_per_prompt == 1 else 'are'} used; images_per_prompt={most} uses all"
    ]


def _collected(plan: RunPlan, store: RunStore, tables: Sequence[str]) -> Collected:
    return collect(
        store,
        [variant.name for variant in plan.variants],
        [scorer.metric for scorer in plan.scorers],
        tables,
        _fitting(plan, store),
    )


def _fitting(plan: RunPlan, store: RunStore) -> frozenset[str]:
    """Return the score files of variants whose images lie in folders, as those are now."""
    return frozenset(
        store.score_path(unit, scorer).name
        for variant in plan.variants
        if variant.recipe.generator.kind == IMAGES
        for unit in plan.units(variant)
        for scorer in plan.scorers
    )
