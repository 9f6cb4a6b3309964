"""`flasheval audit`: what a subset promised against full scores measured since."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from flasheval.base.drawing.terminal import drawn
from flasheval.base.errors import SettingError
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.score_settings import read_scores
from flasheval.cli.configs import AuditConfig
from flasheval.cli.exit_codes import DONE
from flasheval.evaluation.ageing import audit

__all__ = ["run_audit"]


def run_audit(config: AuditConfig, context: Context) -> Outcome:
    """Print how the subset's predictions fared, write the manifest where `out` names one.

    Returns the outcome.

    Raises FlashevalError for a setting, a subset, scores or reports that cannot be used.
    """
    for key in ("subset", "scores"):
        if not getattr(config, key):
            raise SettingError(f"{key} is missing: flasheval audit SUBSET scores=TABLE")
    if config.out and not config.out.endswith(".json"):
        raise SettingError(f"out={config.out}: expected a name in .json, for the manifest")
    table, how = read_scores(
        config.scores, config.prompts, config.higher_is_better, config.columns, config.drop
    )
    with context.progress() as progress:
        found = audit(
            str(config.subset),
            table,
            reports=config.reports,
            metric=config.metric,
            level=config.level,
            draws=config.draws,
            seed=config.seed,
            progress=progress,
        )
    console = context.console
    if how:
        console.print(Text(how, style="magenta"), soft_wrap=True)
    view, files = found.view(), {}
    console.print(drawn(view))
    if config.out:
        path = files["subset"] = found.updated().save(Path(config.out))
        added = f"{len(found.known)} variants are among its known ones now"
        console.print(f"\nmanifest: {shown_path(path)} ({added})", soft_wrap=True, markup=False)
    notes = (how,) if how else ()
    return Outcome(DONE, answer=Answer(found, view=view, notes=notes, files=files))
