"""`flasheval run`, `generate` and `score`: from settings to a run folder and its score table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from flasheval.base.drawing.terminal import as_text, drawn
from flasheval.base.errors import SettingError
from flasheval.base.json_data import from_plain
from flasheval.base.progress import duration
from flasheval.base.run_folders import append_log
from flasheval.cli.commands.after_run import after_run, asked_reference, check_sheet
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.configs import GenerateConfig, RunConfig, ScoreConfig
from flasheval.cli.exit_codes import DONE, FAILED, INTERRUPTED
from flasheval.generators.populations.population import make_population
from flasheval.prompts import PromptSet
from flasheval.runs.executors import make_executor, worker_device
from flasheval.runs.run import plan_run, run_plan
from flasheval.runs.run_plan import WorkSettings
from flasheval.runs.store import RunStore
from flasheval.runs.unit_work import run_versions

if TYPE_CHECKING:
    from flasheval.generators.populations.population import Population
    from flasheval.runs.run import RunResult

__all__ = ["asked_population", "asked_prompts", "run_population"]

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
    report = _report(result, after.parts, time.monotonic() - begun)
    append_log(folder, context.command, run_versions(), as_text(*report), name=f"{verb}.log")
    context.console.print(Group(*report))
    if after.error is not None and not result.interrupted:
        raise after.error
    code = INTERRUPTED if result.interrupted else FAILED if result.failures else DONE
    return Outcome(code, answer=_for_programs(result))


def _for_programs(result: RunResult) -> Answer:
    files = {"folder": result.folder}
    if (result.folder / "images").is_dir():
        files["images"] = result.folder / "images"
    return Answer(result, view=result.view(), files=files)


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
    result: RunResult, after: Sequence[RenderableType], seconds: float
) -> list[RenderableType]:
    """Return what is printed: the result, what was compared and drawn, and the time it took."""
    more: list[RenderableType] = ["", *after] if after else []
    while more and more[-1] == "":
        more.pop()
    return [drawn(result.view()), *more, Text(f"{duration(seconds)} in all")]
