"""`flasheval.run`: a population generated and scored, in a folder that can be continued."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flasheval.base.errors import SettingError
from flasheval.base.progress import reporting
from flasheval.generators.populations.population import Population
from flasheval.generators.populations.sources import read_population
from flasheval.prompts import PromptSet, load_prompts
from flasheval.runs.collecting import Collected, collect
from flasheval.runs.devices import device_kind
from flasheval.runs.executors import Executor, make_executor, worker_device
from flasheval.runs.failures import Failure
from flasheval.runs.leftovers import remove_leftovers
from flasheval.runs.repairs import Repair
from flasheval.runs.run_plan import RunPlan, WorkSettings, make_run_plan, slug
from flasheval.runs.store import RunSettings, RunStore
from flasheval.scorers.registry import make_scorers

if TYPE_CHECKING:
    from flasheval.scores import ScoreTable

__all__ = ["RunResult", "first_prompts", "plan_run", "run", "run_plan", "run_settings"]

_CHUNK = 32


@dataclass(frozen=True)
class RunResult:
    """What a run came to.

    Attributes:
        folder: The run folder, which `flasheval.load_scores` reads.
        scores: The score table of all that is measured; None while nothing is.
        failures: What could not be done, and why.
        faults: Why an image has no score, by variant and prompt id.
        interrupted: Whether it was stopped; the same call goes on.
        repairs: Which damaged files were made again.
        detached: What is known of workers that were left running; None where all have ended.

    """

    folder: Path
    scores: ScoreTable | None
    failures: tuple[Failure, ...]
    faults: Mapping[tuple[str, str], str]
    interrupted: bool = False
    repairs: tuple[Repair, ...] = ()
    detached: str | None = None


def run(
    population: Population | Mapping[str, Any] | str | Path,
    prompts: PromptSet | str | Path,
    scorers: Any = ("clip",),
    *,
    out: str | Path,
    seed: int | None = None,
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
    executor: str | Mapping[str, Any] | Executor = "in_process",
    progress: Callable[[str, float, int], None] | bool | None = None,
) -> RunResult:
    """Generate the images of a population, score them, and return the score table.

    The folder is the memory: interrupted at any moment, the same call goes on where it stopped and
    loses at most the unit in hand. A variant or a metric added does only the new work.

    Args:
        population: A population, its settings, a YAML file, the name of one in ``conf/population``,
            or a mapping of name to a callable ``(prompts, seeds) -> images`` or diffusers pipeline.
        prompts: The prompts, with texts.
        scorers: Names, mappings of settings with a ``name``, or Python objects and functions.
        out: The run folder.
        seed: The seed; an image's own is made from it and the prompt's id. The folder's, else 0.
        chunk: Prompts a unit. The folder's, else 32.
        batch: Images made at a time; halved when memory runs out.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        stage: ``generate`` makes and keeps images, ``score`` scores kept ones, ``run`` does both.
        keep_images: Whether images stay after they were scored.
        image_store: ``shards`` (WebDataset tars) or ``folder`` (one file an image).
        image_format: ``png``, ``webp`` (both lossless) or ``jpeg``.
        keep_embeddings: Whether scorers that embed images keep the embeddings.
        retry_faults: Whether units with faulty images are done again.
        limit: Take the first so many prompts only.
        executor: Where units run: a name, a mapping of settings with a ``name``, or an executor.
        progress: A function, True or False, or None to show it on a terminal.

    Raises:
        FlashevalError: A setting, a file or a folder that cannot be used. What fails for one unit
            or variant does not raise: it is in the result.

    """
    chosen = make_executor(executor)
    plan, tables = plan_run(
        population,
        prompts,
        scorers,
        out=out,
        seed=seed,
        chunk=chunk,
        limit=limit,
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
    chunk: int | None = None,
    limit: int | None = None,
) -> tuple[RunPlan, tuple[str, ...]]:
    """Return what a run is to do, and the score tables to take variants from; see `run`."""
    who = read_population(population)
    texts = first_prompts(prompts, limit)
    judges = () if work.stage == "generate" else make_scorers(scorers)
    settings = run_settings(Path(out), seed, chunk, device_kind(work.device))
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
    )
    return plan, who.tables


def first_prompts(prompts: PromptSet | str | Path, limit: int | None) -> PromptSet:
    """Return the prompts, or the first so many. Raises FlashevalError where there are none."""
    texts = prompts if isinstance(prompts, PromptSet) else load_prompts(prompts)
    if limit is None:
        return texts
    if limit < 1:
        raise SettingError(f"limit={limit}: expected at least 1 prompt")
    return texts.take(range(min(limit, len(texts))))


def run_settings(folder: Path, seed: int | None, chunk: int | None, kind: str) -> RunSettings:
    """Return seed and chunk as given, else those the folder was begun with, else the usual ones.

    The kind of device is the one it was begun on, ``kind`` where it begins now.
    """
    before = RunStore(folder).settings() or RunSettings(0, _CHUNK, kind)
    return RunSettings(
        before.seed if seed is None else seed,
        before.chunk if chunk is None else chunk,
        before.device,
    )


def run_plan(
    plan: RunPlan,
    store: RunStore,
    executor: Executor,
    *,
    tables: Sequence[str] = (),
    progress: Callable[[str, float, int], None] | bool | None = None,
) -> RunResult:
    """Do a plan and collect what came of it, also when it is interrupted."""
    store.begin(RunSettings(plan.seed, plan.chunk, plan.kind))
    store.register(plan)
    remove_leftovers(store.folder)
    repaired = store.repairs.end()
    for variant in plan.variants:
        store.failures.forget(variant.slug)
    for name, reason in plan.unusable.items():
        store.failures.write(slug(name), Failure(name, "plan", reason))
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
        store.folder, found.table, failures, found.faults, interrupted, repairs, detached
    )


def _collected(plan: RunPlan, store: RunStore, tables: Sequence[str]) -> Collected:
    return collect(
        store,
        [variant.name for variant in plan.variants],
        [scorer.metric for scorer in plan.scorers],
        tables,
    )
