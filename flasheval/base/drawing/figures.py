"""Figures drawn with matplotlib: the look of every plot, and the PNG of a view's figure."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from flasheval.base.drawing.fonts import FAMILY, fit, other_weights
from flasheval.base.drawing.view import Figure, Plot, Pointer, Series
from flasheval.base.files import atomic_write
from flasheval.base.text import shortened

__all__ = [
    "BLUE",
    "GREY",
    "GRID",
    "ORANGE",
    "draw_frontier",
    "draw_scatter",
    "drawn",
    "logarithmic",
    "new_figure",
    "save_png",
    "style",
    "tidy",
]

# Okabe and Ito's colours, in an order that keeps neighbours apart for every kind of colour vision;
# markers tell them apart in grey.
BLUE, ORANGE, GREY, GRID = "#0072B2", "#D55E00", "#8A8A8A", "#DDDDDD"
INK = "#000000"
_COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_ROW = 0.2  # inches of a named row
_ROOM = 0.013  # series at one place stand this share of an axis apart
_SHOWN = "\N{ZERO WIDTH SPACE}"
_LINE, _LETTER = 11.0, 4.6  # points that a line of a name takes, and a letter of it
_ASIDE = 0.015  # of an axis, between a point and its name
_LONGEST = 0.7  # of an axis that a name may take
_ROW_NAME = 48  # letters drawn of the name of a row
_ALONE, _BESIDE = 44, 26  # letters drawn of a name on a frontier, in a plot alone or beside others
_NEAR = 1.3  # a level line to less than so many times its start has no room


@contextmanager
def style(more: Mapping[str, object] = MappingProxyType({})) -> Iterator[None]:
    """Draw what is drawn inside with names as they are: a dollar in one is a dollar."""
    from matplotlib import rc_context

    settings: Any = {"font.family": FAMILY, "text.parse_math": False, **more}
    with rc_context(settings), other_weights(), warnings.catch_warnings():
        # Told in one line of ours by `fonts.fit`; in SVG the browser has its own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Any, Any]:
    """Return a figure of this size in inches, and its axes [rows, columns]; or its only axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    figure = Canvas(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, axes if axes.size > 1 else axes[0, 0]


def tidy(axes: Any, axis: str = "both") -> None:
    """Take away what is not read, and lay a faint grid behind the rest."""
    axes.grid(True, axis=axis, color=GRID, lw=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def save_png(figure: Figure, path: str | Path) -> Path:
    """Draw a figure into a PNG and return its path; one plot gives 1600 x 1040 pixels.

    Raises DataError when the file cannot be written.
    """
    shown = drawn(figure)
    fit(shown, f"the plot {Path(path).name}")
    dpi = 200 if len(shown.axes) == 1 else 150
    with style(), atomic_write(path) as temporary:
        shown.savefig(temporary, format="png", dpi=dpi)
    return Path(path)


def drawn(figure: Figure) -> Any:
    """Return a matplotlib figure of a view's figure."""
    rows, columns = len(figure.panels), max(map(len, figure.panels))
    alone = rows == columns == 1
    size = (8, 5.2) if alone else (4.9 * columns, 3.75 * rows + 0.9)
    plots = [plot for row in figure.panels for plot in row]
    most = max((len(plot.rows) for plot in plots if plot), default=0)
    if most:
        size = (8 if alone else 6.4 * columns, rows * (_ROW * most + 1.2) + 0.6)
    with style():
        shown, _ = new_figure(size[0], size[1], rows, columns)
        for axes, plot in zip(shown.axes, plots, strict=True):
            if plot is None:
                axes.set_axis_off()
            elif plot.rows:
                _draw_rows(axes, plot)
            else:
                _draw(axes, plot, alone=alone)
        if figure.title:
            shown.suptitle(figure.title, x=0.01, ha="left", fontsize=11.5, fontweight="bold")
        named: dict[str, Any] = {}
        for axes in shown.axes:
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                named.setdefault(label, handle)
        legend = shown.legend(
            list(named.values()),
            list(named),
            loc="outside lower center",
            ncols=min(len(named), 2 * columns),
            frameon=False,
            fontsize=9,
        )
        for text in legend.get_texts():
            text.set_text(text.get_text().removeprefix(_SHOWN))
    return shown


def _label(name: str) -> str:
    """Return a name for the legend, which leaves out those that begin with an underscore."""
    return f"{_SHOWN}{name}" if name.startswith("_") else name


def _draw(axes: Any, plot: Plot, *, alone: bool) -> None:
    scale = 1.1 if alone else 1.0
    points = [one for one in plot.series if one.look == "points"]
    for number, one in enumerate(plot.series):
        if one.look == "scatter":
            draw_scatter(axes, one, number)
        elif one.look not in ("points", "frontier"):
            _draw_line(axes, one)
    for number, one in enumerate(points):
        _draw_points(axes, one, number, _places(plot, one, number - (len(points) - 1) / 2), scale)
    if plot.pointer is not None:
        _draw_pointer(axes, plot.pointer, plot.x_ends)
    if plot.x_log:
        logarithmic(axes, *plot.x_ends, alone=alone)
    if plot.x_ticks:
        axes.set_xticks(plot.x_ticks)
    low, high = plot.y_ends
    if plot.y_log and low is not None and high is not None:
        axes.set_yscale("log")
        _ticks(axes.yaxis, low, high, (1, 2, 5) if high / low < 300 else (1, 5))
    axes.set_ylim(low, high)
    for one in plot.series:
        if one.look == "guide":
            _name_guide(axes, one, math.inf if high is None else high)
        elif one.look == "frontier":
            draw_frontier(axes, one)
    axes.set_title(
        plot.title, fontsize=10.5 if alone else 9.5, loc="left", pad=None if alone else 14
    )
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    tidy(axes, "y")


def logarithmic(axes: Any, least: float, most: float, *, alone: bool = True) -> None:
    """Make the axis of x logarithmic, from a bit before the least to a bit after the most."""
    margin = 1.08 if alone else 1.05
    axes.set_xscale("log")
    _ticks(axes.xaxis, least, most, (1, 2, 5) if alone or most / least < 300 else (1, 5))
    axes.set_xlim(least / margin, most * margin)


def draw_scatter(axes: Any, one: Series, number: int, gid: str | None = None) -> None:
    """Draw points alone, in the colour and with the mark of the number-th series."""
    axes.scatter(
        np.array(one.x),
        np.array(one.y),
        s=26,
        color=_COLOURS[number % len(_COLOURS)],
        marker=_MARKERS[number % len(_MARKERS)],
        linewidths=0,
        alpha=0.85,
        gid=gid,
        label=_label(one.name),
    )


def draw_frontier(axes: Any, one: Series) -> None:
    """Join points by steps, and name each on the side where no point can be.

    x: the cost, ascending and on a logarithmic axis; y: the quality. The axes must have their
    limits: they grow for the names, which stand above each other where they would overlap.
    """
    if not one.x:
        return
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    up = one.y[-1] >= one.y[0]  # of qualities where lower is better names stand below
    x, y = [*one.x, right], [*one.y, one.y[-1]]
    axes.plot(x, y, color=INK, lw=1.2, drawstyle="steps-post", label=_label(one.name), zorder=1)
    axes.plot(one.x, one.y, "o", ms=9, mfc="none", mec=INK, mew=1.1)
    within, size = axes.get_position(), axes.figure.get_size_inches() * 72  # points
    step = _LINE / (within.height * size[1]) * (high - low) * (1 if up else -1)
    letter = _LETTER / (within.width * size[0])
    aside = (right / left) ** _ASIDE
    at, room = None, 0.0
    letters = _ALONE if len(axes.figure.axes) == 1 else _BESIDE
    named = [shortened(name, letters) for name in one.labels]
    for px, py, name in zip(one.x, one.y, named, strict=True):
        place = py + step * 0.6
        if at is not None:
            place = max(place, at + step) if up else min(place, at + step)
        at = place
        axes.annotate(
            name,
            (px, py),
            (px / aside, place),
            fontsize=8,
            ha="right",
            va="center",
            arrowprops={
                **{"arrowstyle": "-", "color": GREY, "lw": 0.6},
                **{"shrinkA": 0, "shrinkB": 4, "relpos": (1, 0.5)},
            },
        )
        long = min(letter * len(name) + _ASIDE, _LONGEST)  # a share of the axis
        room = max(room, (long - math.log(px / left) / math.log(right / left)) / (1 - long))
    if at is not None:
        axes.set_ylim(min(low, at + step), max(high, at + step))
    axes.set_xlim(left / (right / left) ** room, right)


def _draw_rows(axes: Any, plot: Plot) -> None:
    """Draw points with ranges along x, a named row each, the first at the top."""
    for number, one in enumerate(plot.series):
        x, low, high = np.array([one.x, one.low, one.high], dtype=np.float64)
        axes.errorbar(
            x,
            np.array(one.y),
            xerr=_bars(low, x, high),
            color=_COLOURS[number % len(_COLOURS)],
            marker=_MARKERS[number % len(_MARKERS)],
            ms=5,
            elinewidth=1.4,
            ls="",
            label=_label(one.name),
        )
    names = [shortened(name, _ROW_NAME) for name in plot.rows]
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(plot.rows) - 0.5, -0.5)
    axes.set_title(plot.title, fontsize=10.5, loc="left")
    axes.set_xlabel(plot.x_label)
    tidy(axes)


def _draw_line(axes: Any, one: Series) -> None:
    if one.look == "random":
        axes.plot(one.x, one.y, color=GREY, lw=1.8, label=_label(one.name))
        look = {"color": GREY, "alpha": 0.21, "lw": 0, "label": one.band}
        axes.fill_between(one.x, one.low, one.high, **look)
    elif one.look == "searched":
        marker = "_" if len(one.x) == 1 else None
        look = {"color": ORANGE, "ls": "--", "lw": 1.4, "marker": marker, "ms": 14}
        axes.plot(one.x, one.y, label=_label(one.name), **look)
    elif one.look == "guide":
        ls = "-" if list(one.x) == list(one.y) else ":"
        axes.plot(one.x, one.y, color="#BBBBBB", lw=0.9, ls=ls, zorder=0)
    else:
        axes.axhline(one.y[0], color=GREY, lw=1.8)


def _places(plot: Plot, one: Series, place: float) -> list[float]:
    """Return where points stand, so that series at one place do not hide each other."""
    least, most = plot.x_ends
    if plot.x_log:
        return [x * (most / least) ** (_ROOM * place) for x in one.x]
    return [x + _ROOM * (most - least) * place for x in one.x]


def _bars(low: Any, middle: Any, high: Any) -> Any:
    """Return how far bars reach below and above; a mean may lie beyond its ends by rounding."""
    return np.maximum([middle - low, high - middle], 0)


def _draw_points(axes: Any, one: Series, number: int, x: Sequence[float], scale: float) -> None:
    if not x:
        return
    y, low, high = np.array([one.y, one.low, one.high], dtype=np.float64)
    axes.errorbar(
        np.array(x),
        y,
        yerr=_bars(low, y, high),
        color=_COLOURS[number % len(_COLOURS)],
        marker=_MARKERS[number % len(_MARKERS)],
        ms=5 * scale,
        lw=1.6 * scale,
        elinewidth=scale,
        capsize=2.6 * scale,
        ls="-" if len(x) > 1 else "",
        label=_label(one.name),
    )


def _draw_pointer(axes: Any, pointer: Pointer, ends: tuple[float, float]) -> None:
    x, y, to = pointer.x, pointer.y, pointer.to
    axes.plot([x], [y], "o", ms=11, mfc="none", mec=BLUE, mew=1.6)
    if to is None or to <= x * _NEAR:
        return
    from matplotlib.patheffects import withStroke

    axes.plot([x, to], [y, y], color=BLUE, ls=":", lw=1.4)
    axes.plot([to], [y], "s", ms=5.5, mfc="white", mec=BLUE, mew=1.4)
    room = 1 - math.log(to / ends[0]) / math.log(ends[1] / ends[0])
    far = room < 0.21  # the label would leave the axes: hang it on their right end
    label = axes.annotate(
        pointer.text,
        (ends[1] if far else to, y),
        xytext=(0, -24) if far else (8, -12),
        textcoords="offset points",
        color=BLUE,
        fontsize=9,
        ha="right" if far else "left",
        va="top",
    )
    label.set_path_effects([withStroke(linewidth=3, foreground="white", alpha=0.8)])


def _name_guide(axes: Any, one: Series, top: float) -> None:
    """Write a guide's name where it leaves the axes; on logarithmic ones it is straight."""
    end, height = one.x[-1], one.y[-1]
    aside = height < top
    axes.annotate(
        one.name,
        (end, height) if aside else (end * top / height, top),
        (3, 0) if aside else (0, 2),
        textcoords="offset points",
        fontsize=8,
        color="#777777",
        ha="left" if aside else "center",
        va="center" if aside else "bottom",
    )


def _ticks(axis: Any, least: float, most: float, steps: Sequence[int]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    lowest = min(0, math.floor(math.log10(least))) if least > 0 else 0
    ticks = [step * 10.0**power for power in range(lowest, 9) for step in steps]
    axis.set_major_locator(FixedLocator([tick for tick in ticks if least <= tick <= most]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:.2g}")
    )
