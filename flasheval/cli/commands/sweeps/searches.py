"""The end of `flasheval search -m`: which search is best, all of them in a table and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flasheval.base.drawing.figures import save_png
from flasheval.base.drawing.markdown import markdown
from flasheval.base.drawing.terminal import drawn
from flasheval.base.drawing.view import Figure, Line, Part, Plot, Series, Table, View
from flasheval.base.files import write_text
from flasheval.cli.commands.context import Outcome, SearchSummary

__all__ = ["show_searches"]

TEXT, PLOT = "sweep.md", "sweep.png"
_SHOWN = ("method", "size")  # overrides that have a column of their own
_DRAWN = 60  # rows of a plot


def show_searches(outcomes: Sequence[Outcome], folder: Path) -> list[Any]:
    """Return what a terminal shows of a sweep's searches; write it and its plot into the folder.

    Args:
        outcomes: Of the jobs.
        folder: The folder of the sweep.

    """
    view = _view(outcomes)
    figures = view.figures
    if figures:
        save_png(figures[0], folder / PLOT)
    shown = markdown(view, image=PLOT if figures else "")
    write_text(folder / TEXT, f"# Searches\n\n{shown}")
    return [drawn(view)]


def _view(outcomes: Sequence[Outcome]) -> View:
    measured = [
        (_name(outcome, outcomes), outcome.summary)
        for outcome in outcomes
        if isinstance(outcome.summary, SearchSummary) and outcome.summary.held_out_tau is not None
    ]
    parts: list[Part] = []
    if measured:
        ordered = sorted(measured, key=lambda one: -(one[1].held_out_tau or 0.0))
        name, best = ordered[0]
        worth = f", as good as {best.equivalent} random prompts" if best.equivalent else ""
        said = f"{name} ranks unseen variants best: held-out tau {best.held_out_tau:.3f}{worth}."
        parts += [Line(said, "headline"), Line("")]
    parts.append(_table(outcomes))
    if measured:
        caption = "held-out tau with its 5-95% range; and as many random prompts"
        parts.append(Figure([[_plot(ordered)]], "held-out agreement", caption))
    return View(tuple(parts))


def _plot(ordered: Sequence[tuple[str, SearchSummary]]) -> Plot:
    shown = ordered[:_DRAWN]
    rows = [float(row) for row in range(len(shown))]
    tau = [float(one.held_out_tau or 0.0) for _, one in shown]
    low = [
        float(tau[i] if one.held_out_low is None else one.held_out_low)
        for i, (_, one) in enumerate(shown)
    ]
    high = [
        float(tau[i] if one.held_out_high is None else one.held_out_high)
        for i, (_, one) in enumerate(shown)
    ]
    series = [Series("chosen prompts", tau, rows, low, high)]
    drawn_at = [(one.random_tau, row) for (_, one), row in zip(shown, rows, strict=True)]
    random = [(float(x), row) for x, row in drawn_at if x is not None]
    if random:
        x, y = ([one[i] for one in random] for i in (0, 1))
        series.append(Series("random prompts", x, y, x, x))
    ends = (min([*low, *(x for x, _ in random)]), max([*high, *(x for x, _ in random)]))
    names = [name for name, _ in shown]
    return Plot("", "held-out tau", "", series, ends, rows=names)


def _table(outcomes: Sequence[Outcome]) -> Table:
    varying = _varying(outcomes)
    titles = ("method", "size", "search", "held-out tau", "random", "as good as", "fewer")
    rows = []
    for outcome in outcomes:
        row = outcome.summary
        cells = _cells(row) if isinstance(row, SearchSummary) else _failed_cells(outcome)
        rows.append((*cells, *([_settings(outcome, varying)] if varying else [])))
    return Table((*titles, *(["settings"] if varying else [])), rows, left=1)


def _cells(row: SearchSummary) -> tuple[str, ...]:
    held_out = "-"
    if row.held_out_tau is not None and row.held_out_low is not None:
        held_out = f"{row.held_out_tau:.3f} ({row.held_out_low:.2f}-{row.held_out_high:.2f})"
    return (
        row.method,
        str(row.size),
        "-" if row.search_tau is None else f"{row.search_tau:.3f}",
        held_out,
        "-" if row.random_tau is None else f"{row.random_tau:.3f}",
        row.equivalent or "-",
        row.fewer or "-",
    )


def _failed_cells(outcome: Outcome) -> tuple[str, ...]:
    said = dict(word.split("=", 1) for word in outcome.words)
    return (said.get("method", ""), said.get("size", ""), "failed", "", "", "", "")


def _name(outcome: Outcome, outcomes: Sequence[Outcome]) -> str:
    row = outcome.summary
    if not isinstance(row, SearchSummary):
        raise TypeError("a job without a measurement has no name in a plot")
    more = _settings(outcome, _varying(outcomes))
    return f"{row.method}, {row.size} prompts{f', {more}' if more else ''}"


def _settings(outcome: Outcome, varying: Sequence[str]) -> str:
    return " ".join(word for word in outcome.words if word.partition("=")[0] in varying)


def _varying(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the keys, beside method and size, in which the jobs differ."""
    values: dict[str, set[str]] = {}
    for outcome in outcomes:
        for word in outcome.words:
            values.setdefault(word.partition("=")[0], set()).add(word)
    return [key for key, seen in values.items() if len(seen) > 1 and key not in _SHOWN]
