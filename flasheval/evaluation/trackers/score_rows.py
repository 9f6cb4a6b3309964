"""The scores of a report as table rows, one for each prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flasheval.base.drawing.markdown import inline
from flasheval.base.drawing.markdown import markdown_table as table_lines

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["markdown_table", "score_columns", "score_rows"]

Cell = int | str | float | None


def score_columns(report: Report) -> list[str]:
    """Return the names of the columns: step, prompt, text, and one for each metric."""
    return ["step", "prompt", "text", *report.metrics]


def score_rows(report: Report, step: int) -> list[list[Cell]]:
    """Return one row a prompt, in the subset's order; None for a missing text or score.

    >>> from flasheval.evaluation.report import MetricScores, Report
    >>> from flasheval.subset import Method, Subset, SubsetPrompt
    >>> prompts = (SubsetPrompt("7", text="a cat"),)
    >>> subset = Subset("one", "pets", None, prompts, (), Method("random"))
    >>> report = Report(subset, 0, {"clip": MetricScores("1", True, (0.5,))})
    >>> score_columns(report), score_rows(report, 100)
    (['step', 'prompt', 'text', 'clip'], [[100, '7', 'a cat', 0.5]])
    """
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
    return f"{value:.6g}" if isinstance(value, float) else inline(str(value))
