"""A report's scores as rows of a table, a prompt each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flasheval.base.drawing.markdown import markdown_table as table_lines

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["markdown_table", "score_columns", "score_rows"]

Cell = int | str | float | None


def score_columns(report: Report) -> list[str]:
    """Return the names of the columns: step, prompt, text, and one a metric."""
    return ["step", "prompt", "text", *report.metrics]


def score_rows(report: Report, step: int) -> list[list[Cell]]:
    """Return a row a prompt, in the subset's order; None where there is no text or no score."""
    scores = [part.scores for part in report.metrics.values()]
    return [
        [step, prompt.id, prompt.text, *(part[i] for part in scores)]
        for i, prompt in enumerate(report.subset.prompts)
    ]


def markdown_table(report: Report, step: int) -> str:
    """Return the same as a Markdown table, scores to six digits."""
    rows = [[_cell(value) for value in row] for row in score_rows(report, step)]
    return "\n".join(table_lines([_cell(title) for title in score_columns(report)], rows))


def _cell(value: Cell) -> str:
    if value is None:
        return ""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return " ".join(text.replace("\\", "\\\\").split())
