"""`flasheval run`, `generate` and `score`: from settings to a run folder and its score table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from flasheval.base.drawing.terminal import as_text, warning_lines
from flasheval.base.errors import SettingError
from flasheval.base.json_data import from_plain
from flasheval.base.progress import duration
from flasheval.base.run_folders import append_log, shown_path
from flasheval.cli.commands.after_run import after_run, asked_reference, check_sheet
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.show import metrics_table
from flasheval.cli.configs import GenerateConfig, RunConfig, ScoreConfig
from flasheval.cli.exit_codes import DONE, FAILED, INTERRUPTED
from flasheval.generators.populations.population import make_population
from flasheval.prompts import PromptSet
from flasheval.prompts.readers import CLIP_READERS, cut_lines
from flasheval.runs.executors import make_executor, worker_device
from flasheval.runs.run import plan_run, run_plan
from flasheval.runs.run_plan import WorkSettings
from flasheval.runs.store import RunStore
from flasheval.runs.text_readers import readers_of_plan
from flasheval.runs.unit_work import run_versions

if TYPE_CHECKING:
    from flasheval.generators.populations.population import Population
    from flasheval.runs.run import RunResult
    from flasheval.runs.run_plan import RunPlan

__all__ = ["asked_population", "asked_prompts", "run_population", "unscored"]

_FEW = 5

Config = RunConfig | GenerateConfig | ScoreConfig


def run_population(config: Config, context: Context) -> Outcome:
    """Do the units of a population, print the result and return the outcome.

    Args:
        config: The settings.
        context: Its verb is the stage of the run, its folder the run folder.

    Raises:
        FlashevalError: A setting, a file or a folder that cannot be used; or scores that do not
            agree with those of `compare`.

    """
    begun, verb, folder = time.monotonic(), context.verb, context.folder
    check_sheet(config)
    population, prompts = asked_population(config, verb), asked_prompts(config, verb)
    chosen = make_executor(config.executor)
    plan, tables = plan_run(
        population,
        prompts,
        getattr(config, "scorers", ()),
        out=folder,
        work=_work(verb, config, worker_device(chosen, config.device)),
        seed=config.seed,
        images_per_prompt=config.images_per_prompt,
        variant_seeds=config.variant_seeds,
        chunk=config.chunk,
        limit=config.limit,
        whole_texts=config.whole_texts,
    )
    reference = asked_reference(config, plan)
    with context.progress() as progress:
        result = run_plan(plan, RunStore(folder), chosen, tables=tables, progress=progress)
    after = after_run(config, plan, result, reference)
    report = _report(plan, result, after.parts, time.monotonic() - begun)
    append_log(folder, context.command, run_versions(), as_text(report), name=f"{verb}.log")
    context.console.print(report)
    if after.error is not None and not result.interrupted:
        raise after.error
    code = INTERRUPTED if result.interrupted else FAILED if result.failures else DONE
    return Outcome(code, answer=_for_programs(plan, result))


def _for_programs(plan: RunPlan, result: RunResult) -> Answer:
    files = {"folder": result.folder}
    if (result.folder / "images").is_dir():
        files["images"] = result.folder / "images"
    return Answer(result, _answer(plan, result), warnings=tuple(result.warnings), files=files)


def asked_population(config: Any, verb: str) -> Population:
    """Return the population that settings name. Raises SettingError when they name none.

    Example:
        >>> from types import SimpleNamespace
        >>> asked_population(SimpleNamespace(population=None), "run")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: population is missing: flasheval run ...

    """
    if not config.population:
        raise SettingError(
            f"population is missing: flasheval {verb} population=FILE.yaml (or a name that "
            f"flasheval {verb} --help lists) prompts=FILE"
        )
    return make_population(config.population)


def asked_prompts(config: Any, verb: str) -> PromptSet | str:
    """Return the prompt file that settings name. Raises SettingError when they name none.

    Example:
        >>> from types import SimpleNamespace
        >>> asked_prompts(SimpleNamespace(prompts="coco.jsonl"), "run")
        'coco.jsonl'
        >>> asked_prompts(SimpleNamespace(prompts=None), "run")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: prompts is missing: ...

    """
    if not config.prompts:
        raise SettingError(f"prompts is missing: flasheval {verb} population=... prompts=FILE")
    found: PromptSet | str = config.prompts
    return found


def _work(verb: str, config: Config, device: str) -> Any:
    settings = {
        key: getattr(config, key)
        for key in WorkSettings.__dataclass_fields__
        if hasattr(config, key)
    }
    settings |= {"stage": verb, "device": device}
    return from_plain(WorkSettings, settings, source=f"flasheval {verb}")


def _report(
    plan: RunPlan, result: RunResult, after: Sequence[RenderableType], seconds: float
) -> RenderableType:
    images_only = plan.work.stage == "generate"
    parts: list[RenderableType] = [Text(_answer(plan, result), style="bold"), ""]
    if result.scores is not None and not images_only:
        parts += [metrics_table(result.scores), ""]
        readers = readers_of_plan(plan) or CLIP_READERS
        if cut := cut_lines(plan.prompts.texts or (), readers):
            parts += [*warning_lines(cut), ""]
    if result.warnings:
        parts += [*warning_lines(result.warnings), ""]
    parts += [*_problems(result), *after]
    folder = shown_path(result.folder)
    if result.detached is not None:
        lines = [
            result.detached,
            f"progress: flasheval status {folder}",
            "run the same command again to collect the scores",
        ]
    elif images_only:
        lines = [f"images: {folder}/images/", "score them: flasheval score with the same words"]
    else:
        lines = [f"scores:   {folder}/", f"use them: flasheval search scores={folder}"]
    return Group(
        *parts,
        *(Text(line, overflow="ignore", no_wrap=True) for line in lines),
        Text(f"{duration(seconds)} in all"),
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


def unscored(count: int, images: int) -> str:
    """Return how many images have no score, as the head of an answer; nothing where all have.

    Example:
        >>> unscored(44, 100), unscored(0, 100)
        ('Not complete, 44 of 100 images have no score', '')

    """
    return f"Not complete, {count:,} of {images:,} images have no score" if count else ""


def _problems(result: RunResult) -> list[RenderableType]:
    lines: list[str] = []
    reasons = Counter((one.variant, one.stage, one.reason) for one in result.failures)
    for (variant, stage, reason), count in list(reasons.items())[:_FEW]:
        units = "" if count == 1 else f" ({count} units)"
        lines.append(f"failed: {variant}, {stage}{units}: {reason}")
    if len(reasons) > _FEW:
        lines.append(f"failed: {len(reasons) - _FEW} more reasons; flasheval status lists them")
    if result.failures:
        lines.append("run the same command again to retry what failed")
    if result.repairs:
        count = len(result.repairs)
        which = [f"{one.path} ({one.reason})" for one in result.repairs[:_FEW]]
        which += ["..."] if count > _FEW else []
        files = "1 damaged file was" if count == 1 else f"{count} damaged files were"
        lines.append(f"{files} made again: {', '.join(which)}")
    faults = Counter(result.faults.values())
    for reason, count in faults.most_common(_FEW):
        lines.append(f"no score: {count} image{'' if count == 1 else 's'}: {reason}")
    if len(faults) > _FEW:
        rest = sum(faults.values()) - sum(count for _, count in faults.most_common(_FEW))
        lines.append(f"no score: {rest:,} more images")
    told: list[RenderableType] = [Text(line, style="yellow") for line in lines]
    return [*told, ""] if told else []
