"""What one evaluation says, as a table: the scores, the full scores they predict, the place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from flasheval.report.table import plain_table, warning_lines

if TYPE_CHECKING:
    from flasheval.checkpoints.report import Report

__all__ = ["report_table"]


def report_table(report: Report, *, level: float = 0.9) -> RenderableType:
    """Return what was evaluated, one row a metric, and the warnings.

    Args:
        report: The report.
        level: Probability that a full score, or a place, lies in its interval.

    """
    predictions, places = report.predict(level=level), report.place(level=level)
    rows = []
    for metric, part in report.metrics.items():
        full, place = predictions.get(metric), places.get(metric)
        interval = "-" if full is None else f"{full.value:.4g} ({full.low:.4g} to {full.high:.4g})"
        rank = "-"
        if place is not None:
            rank = f"{place.rank} of {len(place.neighbours) + 1} ({place.best} to {place.worst})"
        better = "higher" if part.higher_is_better else "lower"
        mean = report.means[metric]
        rows.append([metric, better, "-" if math.isnan(mean) else f"{mean:.4g}", interval, rank])
    titles = ["metric", "better", "subset mean", f"full set ({level:.0%})", f"rank ({level:.0%})"]
    name = f"{report.name}: " if report.name else ""
    about = (
        f"{name}{report.subset.size} prompts of {report.subset.name}, seed {report.seed}, "
        f"{report.seconds:.3g} s"
    )
    parts: list[RenderableType] = [Text(about, style="bold"), plain_table(titles, rows)]
    if report.warnings:
        parts += warning_lines(report.warnings)
    return Group(*parts)
