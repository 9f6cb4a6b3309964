"""`flasheval report`: one page about a subset, and its plots."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.resources import MINIATURE
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.prompt_keys import prompts_of
from flasheval.cli.commands.score_settings import SYNTHETIC, read_scores
from flasheval.cli.configs import ReportConfig
from flasheval.cli.exit_codes import DONE
from flasheval.cli.folders import PAGE, file_of_report
from flasheval.scores.given_seconds import with_seconds

if TYPE_CHECKING:
    from flasheval.report.page import Origin
    from flasheval.scores import ScoreTable

__all__ = ["run_report"]


def run_report(config: ReportConfig, context: Context) -> Outcome:
    """Write the page and its plots, print the answer and where they are; return the outcome.

    Raises FlashevalError for what is no subset, and for scores or images that do not fit it.
    """
    from flasheval.report.page import find_origin, write_report
    from flasheval.report.page.origin import run_with_images

    console = context.console
    if not config.path:
        raise SettingError("path is missing: flasheval report NAME, of a search's run or a subset")
    with context.progress() as progress:
        progress("reading the scores, drawing the page", 0, 0)
        origin = find_origin(config.path)
        scores, reason = _scores(config, origin)
        scores, notes = _timed(config, scores)
        written = write_report(
            origin,
            _page(config.out, origin),
            scores=scores,
            images=config.images or run_with_images(config.scores),
            metric=config.metric,
            by=config.by,
            reason=reason,
        )
    console.print(written.contents.answer, style="bold", markup=False)
    for warning in origin.subset.record.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    for note in notes:
        console.print(note, style="magenta", markup=False)
    for what, why in written.contents.missing:
        console.print(f"not shown: {what}: {why}", markup=False)
    console.print()
    size = written.page.stat().st_size / 1000
    lines = [f"page:  {shown_path(written.page)} ({size:,.0f} kB, needs no network)"]
    if written.contents.plots:
        lines.append(f"plots: {shown_path(written.plots)}/")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
    result = {
        "kind": "page",
        "schema": 1,
        "subset": origin.subset.name,
        "missing": [{"part": what, "reason": why} for what, why in written.contents.missing],
    }
    files = {"page": written.page} | ({"plots": written.plots} if written.contents.plots else {})
    warnings = tuple(origin.subset.record.warnings)
    said = written.contents.answer
    answer = Answer(result, said, warnings=warnings, notes=tuple(notes), files=files)
    return Outcome(DONE, answer=answer)


def _timed(config: ReportConfig, scores: ScoreTable | None) -> tuple[ScoreTable | None, list[str]]:
    """Return the scores with the seconds an image that the settings name, and what to say."""
    if config.seconds is None:
        return scores, []
    if scores is None:
        raise SettingError("seconds= goes with the search's scores: add scores=PATH")
    return with_seconds(scores, config.seconds)


def _page(out: str | None, origin: Origin) -> Path:
    """Return the file to write: in the run folder, or in the working folder where there is none."""
    named = file_of_report({"out": out})
    if named:
        return Path(named)
    return Path(f"{origin.subset.name}-{PAGE}") if origin.folder is None else origin.folder / PAGE


def _scores(config: ReportConfig, origin: Origin) -> tuple[ScoreTable | None, str]:
    """Read the scores, or say why there are none; scores named by the user must be readable."""
    settings = origin.settings
    if config.scores is not None:
        return _asked(config, origin), ""
    if settings.get("scores") is None:
        return None, ""
    located = origin.located(settings.get("prompts"))
    try:
        table, _ = read_scores(
            origin.located(settings["scores"]),
            config.prompts or prompts_of({**settings, "prompts": located}),
            settings.get("higher_is_better"),
            settings.get("columns"),
            settings.get("drop"),
        )
        from flasheval.report.page.score_sources import scores_of

        scores_of(origin.subset, table)
    except FlashevalError as error:
        return None, f"its search's scores cannot be used ({error}); add scores=PATH"
    return table, ""


def _asked(config: ReportConfig, origin: Origin) -> ScoreTable:
    if config.scores in (MINIATURE, SYNTHETIC):
        return read_scores(config.scores, config.prompts, None)[0]
    lower = {one.name: False for one in origin.subset.metrics if not one.higher_is_better}
    if isinstance(config.scores, Mapping):
        lower = {name: False for name in lower if name in config.scores}
    return read_scores(config.scores, config.prompts, lower or None)[0]
