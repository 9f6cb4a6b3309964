"""Quality against seconds: the steps of a metric's frontier, their table and their plot."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from flasheval.base.drawing.view import Figure, Line, Part, Plot, Series, Table
from flasheval.scores.leaderboard.standings import Standings

__all__ = [
    "IMAGE_SECONDS",
    "Step",
    "cost_plot",
    "evaluations_cell",
    "frontier_figure",
    "frontier_parts",
    "seconds_cell",
    "steps_of",
]

IMAGE_SECONDS = "s/image"
_LETTERS = 26  # points that a plot of text names
_ROOM = 1.15  # beyond the cheapest and the dearest, in a plot
_WITHIN = "not told apart: the lead over the next cheaper one is within noise (all pairs at once)"


@dataclass(frozen=True)
class Step:
    """A variant on the frontier of quality against seconds.

    Attributes:
        variant: Its name.
        seconds: Seconds an image.
        evaluations: Network evaluations an image, where they are known.
        mean: Its mean.
        lead: By how much it is better than the next cheaper one on the frontier; None for the
            cheapest.
        times: How many times the seconds of that one it takes; None for the cheapest.
        apart: Whether the two are told apart when all pairs are tested at once; where they are
            not, the lead lies within noise. None for the cheapest.

    """

    variant: str
    seconds: float
    evaluations: int | None
    mean: float
    lead: float | None = None
    times: float | None = None
    apart: bool | None = None


def steps_of(one: Standings) -> tuple[Step, ...]:
    """Return the frontier of a metric, the cheapest first; empty where no seconds are known.

    Example:
        >>> from flasheval.generators.image_time import ImageTime
        >>> from flasheval.scores.leaderboard.rank import rank
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(6, 400)
        >>> times = dict(zip(table.variant_names, map(ImageTime, (1.0, 2.0, 4.0, 8.0, 0.5, 3.0))))
        >>> steps = steps_of(rank(table.with_times(times), metric="quality", draws=500)["quality"])
        >>> [(step.variant, step.seconds, step.apart) for step in steps]
        [('echo/DDIM10', 0.5, None), ('alpha/DDIM10', 1.0, True), ('charlie/DDIM10', 4.0, False)]

    """
    on = np.flatnonzero(one.on_frontier)
    order = on[np.argsort(one.seconds[on], kind="stable")] if on.size else on
    steps: list[Step] = []
    before = None
    for row in map(int, order):
        seconds, mean = float(one.seconds[row]), float(one.means[row])
        more: tuple[float, float, bool] | tuple[()] = ()
        if before is not None:
            lead, times = abs(mean - float(one.means[before])), seconds / one.seconds[before]
            more = (lead, float(times), bool(one.separated[row, before]))
        steps.append(Step(one.variants[row], seconds, one.evaluations[row], mean, *more))
        before = row
    return tuple(steps)


def frontier_parts(standings: tuple[Standings, ...], *, detail: bool = False) -> list[Part]:
    """Return a table for each metric with seconds, and what "not told apart" means in it.

    Where it is not in detail letters tell which point of a plot of text a row is.
    """
    parts: list[Part] = []
    within = False
    for one in standings:
        steps = steps_of(one)
        if not steps:
            continue
        parts += [Line(""), _table(one, steps, detail=detail)]
        within = within or any(step.apart is False for step in steps)
    return [*parts, Line(_WITHIN, "faint")] if within else parts


def frontier_figure(standings: tuple[Standings, ...]) -> Figure | None:
    """Return the plots of score against seconds of all metrics; None where none has seconds."""
    timed = [one for one in standings if one.seconds.size]
    plots: list[Plot | None] = list(map(cost_plot, timed))
    if not plots:
        return None
    panels = [plots[start : start + 2] for start in range(0, len(plots), 2)]
    if len(panels) > 1 and len(panels[-1]) == 1:
        panels[-1].append(None)
    caption = "score against seconds an image; on the frontier nothing is both faster and better"
    return Figure(panels, "Quality against seconds", caption)


def cost_plot(one: Standings) -> Plot:
    """Return a metric's means against seconds, a mark for each family, the frontier named."""
    known = np.isfinite(one.seconds)
    on = one.on_frontier
    families = dict.fromkeys(one.families[row] for row in np.flatnonzero(known))
    series = []
    for family in families:
        rows = [row for row in np.flatnonzero(known) if one.families[row] == family]
        name = (family or "no family") if len(families) > 1 else "variants"
        x, y = one.seconds[rows].tolist(), one.means[rows].tolist()
        named = [one.variants[row] for row in rows]
        series.append(Series(name, x, y, look="scatter", labels=named))
    rows = sorted(np.flatnonzero(on), key=lambda row: float(one.seconds[row]))
    x, y = one.seconds[rows].tolist(), one.means[rows].tolist()
    named = [one.variants[row] for row in rows]
    series.append(Series("frontier", x, y, look="frontier", labels=named))
    seconds = one.seconds[known]
    ends = (float(seconds.min()) / _ROOM, float(seconds.max()) * _ROOM)
    better = "higher" if one.higher_is_better else "lower"
    return Plot(
        one.metric, "seconds an image", f"mean ({better} is better)", series, ends, x_log=True
    )


def seconds_cell(seconds: float) -> str:
    """Return seconds an image for a table; a dash where they are not known.

    >>> seconds_cell(0.0123), seconds_cell(12.3456), seconds_cell(math.nan)
    ('0.0123', '12.3', '-')
    """
    return f"{seconds:.3g}" if math.isfinite(seconds) else "-"


def evaluations_cell(evaluations: int | None) -> str:
    """Return network evaluations for a table; a dash where they are not known."""
    return "-" if evaluations is None else str(evaluations)


def _table(one: Standings, steps: tuple[Step, ...], *, detail: bool) -> Table:
    counted = any(step.evaluations is not None for step in steps)
    rows = []
    for number, step in enumerate(steps):
        lead = "-" if step.lead is None else f"{step.lead:.3g}"
        times = "-" if step.times is None else f"{step.times:.3g}x"
        apart = "-" if step.apart is None else "yes" if step.apart else "no"
        rows.append(
            (
                *([] if detail else [chr(ord("A") + number) if number < _LETTERS else "*"]),
                step.variant,
                seconds_cell(step.seconds),
                *([evaluations_cell(step.evaluations)] if counted else []),
                f"{step.mean:.4g}",
                *(lead, times, apart),
            )
        )
    titles = (
        *([] if detail else ["\n"]),
        f"frontier of {one.metric},\ncheapest first",
        f"\n{IMAGE_SECONDS}",
        *(["\nevals"] if counted else []),
        "\nmean",
        *("lead on\ncheaper", "times its\nseconds", "told\napart"),
    )
    return Table(titles, rows, left=1 if detail else 2)
