"""`flasheval validate`: from settings to a comparison of methods and its run folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text

from flasheval.base.drawing.terminal import as_text, drawn
from flasheval.base.progress import ProgressBar, duration
from flasheval.base.run_folders import append_log, shown_path
from flasheval.base.version import __version__
from flasheval.base.versions import library_versions
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.score_settings import (
    note_on,
    read_scores,
)
from flasheval.cli.configs import ValidateConfig
from flasheval.cli.exit_codes import DONE, INTERRUPTED
from flasheval.report.validation_folder import LOG, PLOT, TEXT, write_validation
from flasheval.scores.table import Incomplete
from flasheval.selection.held_out.validate import validate

if TYPE_CHECKING:
    from flasheval.selection.held_out.report import ValidationReport

__all__ = ["run_validate"]


def run_validate(config: ValidateConfig, context: Context) -> Outcome:
    """Compare methods with the settings of the command line, write the run folder, print it.

    Args:
        config: The settings.
        context: Its folder is the run folder; `units/` in it lets the same call continue.

    Returns:
        The outcome.

    Raises:
        FlashevalError: A setting, a file or a score that cannot be used.

    """
    begun, folder, console = time.monotonic(), context.folder, context.console
    table, how = read_scores(
        config.scores, config.prompts, config.higher_is_better, config.columns, config.drop
    )
    with context.progress() as progress:
        report = _validate(config, table, folder, progress)
    note = note_on(config.scores)
    if note:
        report = replace(report, notes=(*report.notes, note))
    write_validation(report, folder, context.command)
    view = report.view()
    shown = drawn(view)
    where = [
        f"report: {shown_path(folder / TEXT)}",
        f"plot:   {shown_path(folder / PLOT)}",
        f"files:  {shown_path(folder)}/",
    ]
    timing = f"{duration(time.monotonic() - begun)} in all"
    versions = {"flasheval": __version__, **library_versions()}
    told = [Text(how, style="magenta")] if how else []
    text = as_text(*told, shown, "", *where, timing)
    append_log(folder, context.command, versions, text, name=LOG)
    for part in (*told, shown):
        console.print(part)
    console.print()
    for line in where:
        console.print(line, soft_wrap=True, markup=False)
    files = {"folder": folder, "report": folder / TEXT, "plot": folder / PLOT}
    answer = Answer(report, view=view, notes=(how,) if how else (), files=files)
    return Outcome(INTERRUPTED if report.interrupted else DONE, answer=answer)


def _validate(
    config: ValidateConfig, table: Any, folder: Path, progress: ProgressBar
) -> ValidationReport:
    splits = config.splits
    if isinstance(splits, Mapping):
        splits = {str(name): spec for name, spec in splits.items()}
    return validate(
        table,
        size=config.size,
        methods=config.methods,
        splits=splits,
        metric=config.metric,
        reference=config.reference,
        seed=config.seed,
        draws=config.draws,
        images_per_prompt=config.images_per_prompt,
        images_as=config.images_as,
        balance=config.balance,
        quota=config.quota,
        search_variants=config.search_variants,
        cluster=config.cluster,
        group=config.group,
        workers=config.workers,
        folder=folder,
        incomplete=cast("Incomplete", config.incomplete),
        progress=progress,
    )
