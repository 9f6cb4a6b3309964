"""`flasheval doctor`: the cost of a run, and whether all it needs is there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from flasheval.base.drawing.terminal import plain_table, warning_lines
from flasheval.base.errors import SettingError
from flasheval.base.json_data import from_plain
from flasheval.base.progress import duration
from flasheval.base.run_folders import population_folder, shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.run import asked_population, asked_prompts
from flasheval.cli.configs import DoctorConfig
from flasheval.cli.exit_codes import DONE, FAILED
from flasheval.runs.doctor.checks import size_text
from flasheval.runs.doctor.diagnosis import diagnose
from flasheval.runs.doctor.image_budget import budget_line, budget_plans, pilot_components
from flasheval.runs.run_plan import WorkSettings
from flasheval.scores import ScoreTable, load_scores

if TYPE_CHECKING:
    from flasheval.runs.doctor.diagnosis import Diagnosis
    from flasheval.runs.doctor.estimate import ModelEstimate

__all__ = ["run_doctor"]

_ROWS = 20


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
    console.print(Text(_answer(found), style="bold"))
    console.print()
    for check in found.checks:
        mark, style = ("ok     ", "") if check.ok else ("problem", "yellow")
        console.print(Text(f"{mark}  {check.what}: {check.said}", style=style), soft_wrap=True)
    for line in warning_lines(found.warnings):
        console.print(line, soft_wrap=True)
    if found.plan is not None:
        console.print()
        _print_counts(found, console)
    if found.models:
        console.print()
        _print_estimate(found, console)
    if budget is not None:
        console.print()
        lines = _print_budget(budget, found, console)
    console.print()
    console.print(_next(found, folder), soft_wrap=True, markup=False)
    code = DONE if found.ok else FAILED
    answer = Answer(found, _answer(found), warnings=tuple(found.warnings), notes=tuple(lines))
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


def _answer(found: Diagnosis) -> str:
    problems = sum(not check.ok for check in found.checks)
    said = "All is there" if not problems else f"{problems} problem{'s' if problems > 1 else ''}"
    if found.models:
        seconds = sum(model.seconds for model in found.models)
        said += f"; about {duration(seconds)} on one {_device(found)}"
        if found.untimed:
            said += f", without {_count(len(found.untimed))} not timed"
    return said


def _count(variants: int) -> str:
    return "1 variant" if variants == 1 else f"{variants} variants"


def _device(found: Diagnosis) -> str:
    return "processor" if found.device == "cpu" else "GPU"


def _print_counts(found: Diagnosis, console: Console) -> None:
    plan, left = found.plan, found.left or {}
    assert plan is not None  # noqa: S101 - the caller has seen to it
    units = f"{plan.n_units:,} units of {plan.chunk} prompts"
    each = "" if plan.images_per_prompt == 1 else f" x {plan.images_per_prompt} images"
    console.print(
        f"{_count(len(plan.variants))} x {len(plan.prompts):,} prompts{each}: {units}",
        markup=False,
    )
    images = sum(one.make for one in left.values())
    scores = sum(sum(one.score.values()) for one in left.values())
    count = found.score_files + found.image_files
    files = "1 file" if count == 1 else f"{count:,} files"
    console.print(f"left: {images:,} images to make, {scores:,} scores, {files}")


def _print_estimate(found: Diagnosis, console: Console) -> None:
    labels = Counter(model.timing.label for model in found.models)
    rows = [_row(model, labels[model.timing.label] == 1) for model in found.models]
    titles = ("model", "variants", "images", "s/image", "evaluations", "time")
    console.print(plain_table(titles, rows[:_ROWS], left=1))
    if len(rows) > _ROWS:
        console.print(f"and {len(rows) - _ROWS} more models")
    console.print()
    for line in _totals(found):
        console.print(line, soft_wrap=True, markup=False)


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
    lines = [
        f"an estimate, from {batches} timed batches of up to {found.batch} images",
        f"in all:  {seconds / 3600:.3g} {_device(found)} hours{share}",
        f"workers, with a device each: {shown}",
        f"disk:    {_size(found.score_files * found.file_bytes)} for scores{_image_disk(found)}",
    ]
    peaks = [model.timing.peak for model in found.models if model.timing.peak]
    if peaks:
        lines.append(f"memory:  {_size(max(peaks))} at most in the sample")
    return lines


def _image_disk(found: Diagnosis) -> str:
    kept = sum(model.image_bytes for model in found.models)
    if kept:
        return f", {_size(kept)} for images"
    images = sum(model.images for model in found.models)
    would = sum(model.images * model.timing.image_bytes for model in found.models)
    return f" (keep_images=true: {_size(would)} more)" if images else ""


def _size(count: float) -> str:
    return size_text(count)


def _next(found: Diagnosis, folder: Path) -> str:
    if not found.ok:
        return "solve the problems and run doctor again; flasheval run does what it can without"
    return f"next: flasheval run with the same words, out={shown_path(folder)}"
