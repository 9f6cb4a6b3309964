"""`flasheval evaluate -m`: a model for each combination of settings, and their leaderboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flasheval.base.canonical import sha256_of
from flasheval.base.drawing.terminal import drawn
from flasheval.base.drawing.view import Line, Table, View
from flasheval.base.errors import DataError
from flasheval.base.files import slug
from flasheval.base.run_folders import shown_path
from flasheval.base.text import first_few
from flasheval.cli.commands.compare import named_reports
from flasheval.cli.commands.context import EvaluationSummary, Outcome, Sweep
from flasheval.cli.configs import EvaluateConfig
from flasheval.evaluation.full_board import rank_reports
from flasheval.evaluation.report import Report

__all__ = ["REPORTS", "as_job", "name_in_sweep", "show_evaluations", "summary_of"]

REPORTS = "reports"
"""The folder of a sweep's reports, in its own."""

_IN_NAME = ("checkpoint", "lora", "function", "folder", "name")  # a model's name has them already


def name_in_sweep(name: str, settings: Any, sweep: Sweep) -> str:
    """Return the name of a model with what tells it from the others of its sweep.

    Args:
        name: The model's own name.
        settings: All settings, as attributes.
        sweep: The sweep.

    Example:
        >>> from types import SimpleNamespace
        >>> sweep = Sweep(Path("sweep"), {"scheduler": ("DDIM", "DPM"), "steps": ("5", "10")})
        >>> name_in_sweep("sd15", SimpleNamespace(scheduler="DPM", steps=5), sweep)
        'sd15/DPM/steps5'

    """
    parts = [name]
    for key, values in sweep.swept.items():
        value = getattr(settings, key.partition(".")[0], "")
        if key in _IN_NAME:
            short = {Path(one).name for one in values}
            if len(short) < len(values) and key != "name":  # a/final and b/final
                parts[0] = str(value)
        elif key == "scheduler":
            parts.append(str(value))
        elif isinstance(value, str | int | float):
            parts.append(f"{key}{value}")
        else:
            parts.append(f"{key}-{sha256_of(str(value))[:4]}")
    return "/".join(parts)


def as_job(
    config: EvaluateConfig, name: str, told: Mapping[str, Any], sweep: Sweep
) -> EvaluateConfig:
    """Return settings with what would be one for all jobs as the job's own.

    Images get a folder of the model's; a wandb run the sweep as its group, the model's name, and
    an id by its settings, so that the same job is the same run; TensorBoard a folder below its own.
    """
    images = None if config.images is None else str(Path(config.images) / slug(name))
    tracker = config.tracker
    if isinstance(tracker, Mapping):
        own: dict[str, Any] = {}
        if tracker.get("name") == "wandb":
            own = {
                "group": sweep.folder.name,
                "run_name": name,
                "run_id": sha256_of(told, digits=17)[:16],
            }
        elif tracker.get("name") == "tensorboard" and tracker.get("folder"):
            tracker = {**tracker, "folder": str(Path(tracker["folder"]) / slug(name))}
        tracker = {**tracker, **{key: one for key, one in own.items() if tracker.get(key) is None}}
    return replace(config, images=images, tracker=tracker)


def summary_of(report: Report, path: Path) -> EvaluationSummary:
    """Return a report as a row of a sweep's table."""
    full = report.predict()
    return EvaluationSummary(
        model=report.name,
        subset=report.subset.name,
        prompts=report.subset.size,
        means={name: float(value) for name, value in report.means.items()},
        predicted={name: float(one.value) for name, one in full.items()},
        low={name: float(one.low) for name, one in full.items()},
        high={name: float(one.high) for name, one in full.items()},
        seconds=round(report.seconds, 2),
        report=shown_path(path),
    )


def show_evaluations(outcomes: Sequence[Outcome], folder: Path) -> list[Any]:
    """Return what a terminal shows of a sweep's models: their leaderboard, written into the folder.

    Where no full score is predicted, their means stand side by side.

    Args:
        outcomes: Of the jobs.
        folder: The folder of the sweep.

    """
    rows = [one.summary for one in outcomes if isinstance(one.summary, EvaluationSummary)]
    if not rows:
        return []
    try:
        board = rank_reports(named_reports([row.report for row in rows]))
    except DataError as error:
        return [drawn(_means(rows, str(error)))]
    board.save(folder)
    shown = [drawn(board.view())]
    return [*shown, "", f"board: {shown_path(folder)}/rank.md, rank.png, rank.csv, rank.json"]


def _means(rows: Sequence[EvaluationSummary], why: str) -> View:
    metrics = list(dict.fromkeys(name for row in rows for name in row.means))
    table = Table(
        ("model", *(f"{name} mean" for name in metrics)),
        [
            (
                row.model,
                *(f"{row.means[name]:.4g}" if name in row.means else "-" for name in metrics),
            )
            for row in rows
        ],
    )
    note = f"means on {first_few(sorted({row.subset for row in rows}), 2)}, no full scores: {why}"
    return View((table, Line(note, "note")))
