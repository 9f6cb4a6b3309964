"""What `flasheval run` does after its units: it compares the scores and draws the images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from flasheval.base.drawing.terminal import plain_table
from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.run_folders import shown_path
from flasheval.prompts.loading import as_prompts
from flasheval.report.contact_sheet import save_contact_sheet
from flasheval.scores import ScoreMatrix, ScoreTable, load_scores, score_difference
from flasheval.scores.difference import check_comparable, tolerances

if TYPE_CHECKING:
    from flasheval.runs.run import RunResult
    from flasheval.runs.run_plan import RunPlan
    from flasheval.scores import ScoreTable
    from flasheval.scores.difference import MetricDifference, TableDifference

__all__ = ["AfterRun", "Reference", "after_run", "asked_reference", "check_sheet"]


@dataclass(frozen=True, eq=False)
class Reference:
    """The score table that new scores shall agree with.

    Attributes:
        name: The folder or file it was read from.
        table: Its scores.
        tolerance: How far off one score may be, by metric.

    """

    name: str
    table: ScoreTable
    tolerance: Mapping[str, float]


@dataclass(frozen=True)
class AfterRun:
    """What comparing and drawing gave.

    Attributes:
        parts: What to print.
        error: What went wrong, to be raised once that is printed; None where nothing did.

    Example:
        >>> AfterRun(()).error is None
        True

    """

    parts: tuple[RenderableType, ...]
    error: FlashevalError | None = None


def check_sheet(config: Any) -> None:
    """Raise SettingError for a contact sheet without kept images.

    Example:
        >>> from types import SimpleNamespace
        >>> check_sheet(SimpleNamespace(contact_sheet=True, keep_images=True))
        >>> config = SimpleNamespace(contact_sheet=True, keep_images=False)
        >>> check_sheet(config)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: contact_sheet=true draws images that are kept: add ...

    """
    if getattr(config, "contact_sheet", False) and not config.keep_images:
        raise SettingError("contact_sheet=true draws images that are kept: add keep_images=true")


def asked_reference(config: Any, plan: RunPlan) -> Reference | None:
    """Return what the keys `compare` and `tolerance` name; None where they name nothing.

    Raises FlashevalError, before anything is generated, where the plan's scores could not be
    compared with it.

    Example:
        >>> from types import SimpleNamespace
        >>> asked_reference(SimpleNamespace(compare=None), plan=None) is None
        True

    """
    name = getattr(config, "compare", None)
    if name is None:
        return None
    table = load_scores(name)
    if table.prompts.text_hashes is None:
        table = table.with_prompts(as_prompts(config.prompts))
    check_comparable(_planned(plan), table)
    shared = [scorer.metric for scorer in plan.scorers if scorer.metric in table.metrics]
    return Reference(name, table, tolerances(config.tolerance, shared))


def after_run(
    config: Any, plan: RunPlan, result: RunResult, reference: Reference | None
) -> AfterRun:
    """Draw the contact sheet and compare the scores, as far as settings ask for it."""
    parts: list[RenderableType] = []
    sheet = bool(getattr(config, "contact_sheet", False))
    if result.interrupted or result.detached is not None or result.scores is None:
        later = [*(["drawn"] if sheet else []), *(["compared"] if reference else [])]
        said = f"not {' nor '.join(later)} yet: the same command does it once the scores are there"
        return AfterRun((Text(said, style="yellow"), "") if later else ())
    try:
        if sheet:
            path = shown_path(save_contact_sheet(result.folder))
            parts += [Text(f"sheet:    {path}", overflow="ignore", no_wrap=True), ""]
        if reference is not None:
            new = result.scores.with_variants([variant.name for variant in plan.variants])
            new = new.with_metrics([scorer.metric for scorer in plan.scorers])
            found = score_difference(new, reference.table)
            parts += _comparison(found, reference)
            found.check(reference.tolerance, shown_path(reference.name))
            parts[-1:] = [Text(f"They agree, within {_tolerance(reference)}.", style="bold"), ""]
    except FlashevalError as error:
        return AfterRun(tuple(parts), error)
    return AfterRun(tuple(parts))


def _planned(plan: RunPlan) -> ScoreTable:
    """Return the table that the plan's scores will stand in, with nothing in it."""
    import numpy as np

    variants = tuple(variant.recipe.variant for variant in plan.variants)
    names = tuple(variant.name for variant in variants)
    nothing = np.full((len(variants), len(plan.prompts)), np.nan, dtype=np.float32)
    matrices = {
        scorer.metric: ScoreMatrix(
            scorer.metric,
            nothing,
            names,
            plan.prompts.ids,
            higher_is_better=scorer.settings.higher_is_better,
            prompt_set_hash=plan.prompts.hash,
        )
        for scorer in plan.scorers
    }
    return ScoreTable(plan.prompts, variants, matrices)


def _comparison(found: TableDifference, reference: Reference) -> list[RenderableType]:
    both, here, there = (
        f"variants: {variants:,}, prompts: {prompts:,}"
        for variants, prompts in zip(found.variants, found.prompts, strict=True)
    )
    lines = [f"compared with {shown_path(reference.name)}", f"in both     {both}"]
    if any(found.variants[1:] + found.prompts[1:]):
        lines += [f"here alone  {here}", f"there alone {there}"]
    titles = ("metric", "scores", "largest difference", "mean", "tau of variants' means")
    table = plain_table(titles, [_row(one) for one in found.metrics])
    unpaired = [
        Text(
            f"{one.metric}: {one.n_unpaired:,} scores are in only one table",
            style="yellow",
        )
        for one in found.metrics
        if one.n_unpaired
    ]
    return [*(Text(line) for line in lines), table, *unpaired, ""]


def _row(one: MetricDifference) -> tuple[str, ...]:
    if not one.n_cells:
        return one.metric, "0", "-", "-", "-"
    tau = "-" if one.tau != one.tau else f"{one.tau:.3f}"
    return one.metric, f"{one.n_cells:,}", f"{one.largest:.2g}", f"{one.mean:.2g}", tau


def _tolerance(reference: Reference) -> str:
    if len(set(reference.tolerance.values())) == 1:
        return f"{next(iter(reference.tolerance.values())):g}"
    return ", ".join(f"{limit:g} ({metric})" for metric, limit in reference.tolerance.items())
