"""Quality against seconds an image, with the frontier of what nothing beats in both."""

from __future__ import annotations

import numpy as np

from flasheval.base.drawing.figures import (
    draw_frontier,
    draw_scatter,
    logarithmic,
    new_figure,
    tidy,
)
from flasheval.base.drawing.svg import Drawing, laid_out
from flasheval.scores.leaderboard.frontier import cost_plot, seconds_cell, steps_of
from flasheval.scores.leaderboard.standings import Standings

__all__ = ["costs_plot"]

_SIZE = (7.2, 4.2)


def costs_plot(one: Standings, *, number: int) -> Drawing:
    """Draw a metric's means against seconds an image, a mark for each family.

    Args:
        one: The metric's variants, of which some have seconds.
        number: Which metric of the page it is.

    """

    def draw() -> Drawing:
        plot = cost_plot(one)
        figure, axes = new_figure(*_SIZE)
        names = {}
        for place, series in enumerate(plot.series):
            if series.look == "scatter":
                group = f"family-{place}"
                draw_scatter(axes, series, place, group)
                names[group] = [
                    f"{name}: {mean:.4g}, {seconds_cell(seconds)} s an image"
                    for name, mean, seconds in zip(series.labels, series.y, series.x, strict=True)
                ]
        logarithmic(axes, *plot.x_ends)
        for series in plot.series:
            if series.look == "frontier":
                draw_frontier(axes, series)
        axes.set_xlabel("seconds an image (logarithmic)")
        axes.set_ylabel(f"{one.metric}, {plot.y_label}")
        tidy(axes, "y")
        axes.legend(loc="best", frameon=False)
        return Drawing(f"seconds-{number}", figure, _caption(one), _label(one), names)

    return laid_out(draw)


def _caption(one: Standings) -> str:
    steps = steps_of(one)
    within = [step.variant for step in steps if step.apart is False]
    unknown = int(np.isnan(one.seconds).sum())
    said = f"{len(steps)} of {len(one.variants)} variants are on the frontier."
    if within:
        said += f" Of {len(within)} the lead over the next cheaper one is within noise."
    return said + (f" {unknown} have no seconds and are not shown." if unknown else "")


def _label(one: Standings) -> str:
    names = ", ".join(step.variant for step in steps_of(one))
    return f"{one.metric} against seconds an image; on the frontier, the cheapest first: {names}"
