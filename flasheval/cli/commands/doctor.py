"""`flasheval doctor`: the cost of a run, and whether all it needs is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flasheval.base.drawing.terminal import drawn
from flasheval.base.errors import SettingError
from flasheval.base.json_data import from_plain
from flasheval.base.run_folders import population_folder, shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.run import asked_population, asked_prompts
from flasheval.cli.configs import DoctorConfig
from flasheval.cli.exit_codes import DONE, FAILED
from flasheval.runs.doctor.diagnosis import diagnose
from flasheval.runs.doctor.image_budget import budget_line, budget_plans, pilot_components
from flasheval.runs.run_plan import WorkSettings
from flasheval.scores import ScoreTable, load_scores

if TYPE_CHECKING:
    from flasheval.runs.doctor.diagnosis import Diagnosis

__all__ = ["run_doctor"]


def run_doctor(config: DoctorConfig, context: Context) -> Outcome:
    """Print what was found and return the outcome, its code 1 when something is missing.

    With a pilot and a budget it prints how to divide the budget too, and that alone where there is
    no population.

    Raises FlashevalError for an invalid setting or population.
    """
    console, budget = context.console, _budget(config)
    lines: list[str] = []
    if budget is not None and not config.population:
        lines = _print_budget(budget, None, console)
        result = {"kind": "budget", "schema": 1, "plans": lines}
        return Outcome(DONE, answer=Answer(result, lines[0]))
    population, prompts = asked_population(config, "doctor"), asked_prompts(config, "doctor")
    keys = ("batch", "device", "keep_images", "image_store", "image_format")
    work = from_plain(
        WorkSettings, {key: getattr(config, key) for key in keys}, source="flasheval doctor"
    )
    named = prompts if isinstance(prompts, str) else prompts.name
    folder = Path(config.out or population_folder(config.population, named))
    with context.progress() as report:
        found = diagnose(
            population,
            prompts,
            config.scorers,
            out=folder,
            work=work,
            seed=config.seed,
            images_per_prompt=config.images_per_prompt,
            variant_seeds=config.variant_seeds,
            chunk=config.chunk,
            limit=config.limit,
            whole_texts=config.whole_texts,
            sample=config.sample,
            report=report,
        )
    view = found.view()
    console.print(drawn(view))
    if budget is not None:
        console.print()
        lines = _print_budget(budget, found, console)
    console.print()
    console.print(_next(found, folder), soft_wrap=True, markup=False)
    code = DONE if found.ok else FAILED
    answer = Answer(found, view=view, notes=tuple(lines))
    return Outcome(code, answer=answer)


@dataclass(frozen=True)
class _Budget:
    """What there is to spend on one model, and the scores that tell how."""

    amount: float
    in_seconds: bool
    table: ScoreTable


def _budget(config: DoctorConfig) -> _Budget | None:
    """Return the budget that settings name; None where they name none."""
    if (config.pilot is None) != (config.budget is None):
        raise SettingError(
            "pilot and budget go together: scores with several images of each prompt, and the "
            "images (budget=200) or seconds (budget=600s) of one model"
        )
    if config.pilot is None:
        return None
    text = str(config.budget)
    try:
        amount = float(text.removesuffix("s"))
    except ValueError:
        amount = -1.0
    if not 0 < amount < float("inf"):
        raise SettingError(f"budget={text}: expected images, as 200, or seconds, as 600s")
    return _Budget(amount, text.endswith("s"), load_scores(config.pilot))


def _print_budget(budget: _Budget, found: Diagnosis | None, console: Console) -> list[str]:
    """Print how a budget is best divided over prompts and images; return it, a line a metric."""
    cost, prompts = 1.0, len(budget.table.prompts)
    if budget.in_seconds:
        models = () if found is None else found.models
        images = sum(model.images for model in models)
        if not images:
            raise SettingError(
                f"budget={budget.amount:g}s: how long an image takes is not known; give images, "
                "or a population to time (sample=true)"
            )
        cost = sum(model.seconds for model in models) / images
    if found is not None and found.plan is not None:
        prompts = len(found.plan.prompts)
    named = f"{budget.amount:g} {'seconds' if budget.in_seconds else 'images'}"
    lines = []
    for metric in budget.table.metrics:
        components = pilot_components(budget.table, metric)
        plans = budget_plans(components, budget.amount, image_cost=cost, prompts_in_all=prompts)
        lines.append(budget_line(named, plans, metric))
        console.print(lines[-1], soft_wrap=True, markup=False)
    return lines


def _next(found: Diagnosis, folder: Path) -> str:
    if not found.ok:
        return "solve the problems and run doctor again; flasheval run does what it can without"
    return f"next: flasheval run with the same words, out={shown_path(folder)}"
