"""The picture of a comparison: agreement and equivalent random size against subset size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flasheval.base.files import atomic_write
from flasheval.selection.held_out.contenders import RANDOM
from flasheval.selection.held_out.table import kind_heading

if TYPE_CHECKING:
    from flasheval.selection.held_out.records import LearningCurve, SplitKind, Summary
    from flasheval.selection.held_out.report import ValidationReport

__all__ = ["plot_validation", "validation_figure"]

# Okabe and Ito's colours, in an order that keeps neighbours apart for every kind of colour vision;
# markers tell them apart in grey.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
_RANDOM = "#8A8A8A"
_ROOM = 0.013  # methods at one size stand this share of an axis apart


def plot_validation(report: ValidationReport, path: str | Path) -> Path:
    """Draw `validation_figure` into a PNG and return its path.

    Raises DataError when the file cannot be written.
    """
    figure = validation_figure(report)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)
    return Path(path)


def validation_figure(report: ValidationReport) -> Any:
    """Return a matplotlib figure: one row of panels a kind of splits.

    Left: held-out tau-b, averaged over the metrics, against subset size; a line and bars a
    method, random prompts in grey. Middle: how many random prompts agree as well. Right, where
    the number of search variants was varied: held-out tau-b against it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 3 if any(curve.points for curve in report.learning) else 2
    rows = len(report.kinds)
    figure = Figure(figsize=(4.9 * columns, 3.75 * rows + 0.9), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, squeeze=False)
    for row, kind in zip(grid, report.kinds, strict=True):
        _draw_agreement(row[0], report, kind)
        _draw_equivalent(row[1], report, kind)
        if columns == 3:
            _draw_learning(row[2], report, kind)
    figure.suptitle(_title(report), x=0.01, ha="left", fontsize=11.5, fontweight="bold")
    handles: dict[str, Any] = {}
    for axes in grid.flat:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=min(len(handles), 2 * columns),
        frameon=False,
        fontsize=9,
    )
    return figure


def _title(report: ValidationReport) -> str:
    name = report.prompt_set
    notes = [note.removeprefix(f"{name} population: ") for note in report.notes]
    name = f"{name} ({'; '.join(notes)})" if notes else name
    count = len(report.metrics)
    return f"{name}, {report.metrics[0] if count == 1 else f'mean over {count} metrics'}"


def _draw_agreement(axes: Any, report: ValidationReport, kind: SplitKind) -> None:
    curves = [one for one in report.curves if (one.kind, one.metric) == (kind.name, None)]
    for curve in curves:
        axes.plot(curve.sizes, curve.mean, color=_RANDOM, lw=1.8, label="random prompts: mean")
        label = "random prompts: 5\N{EN DASH}95%"
        axes.fill_between(
            curve.sizes, curve.low, curve.high, color=_RANDOM, alpha=0.2, lw=0, label=label
        )
    sizes = [*report.sizes, *(size for curve in curves for size in curve.sizes)]
    apart = (max(sizes) / min(sizes)) ** _ROOM
    for number, (label, summaries) in enumerate(_by_method(report, kind)):
        points = [
            (one.size, tau.mean, tau.mean - tau.low, tau.high - tau.mean)
            for one in summaries
            if (tau := one.held_out_tau) is not None
        ]
        _draw_points(axes, points, label, number, len(report.methods) - 1, factor=apart)
    _size_axis(axes, min(sizes), max(sizes))
    axes.set_ylabel("Kendall tau-b with the full set")
    bars = _bars(report, kind)
    axes.set_title(
        f"Held-out agreement{bars}\n{kind_heading(kind)}", fontsize=9.5, loc="left", pad=14
    )
    axes.set_ylim(top=1.02)


def _draw_equivalent(axes: Any, report: ValidationReport, kind: SplitKind) -> None:
    values = []
    least, most = _reach(report.sizes)
    apart = (most / least) ** _ROOM
    for number, (label, summaries) in enumerate(_by_method(report, kind)):
        points = []
        for one in summaries:
            size = one.equivalent_random_size
            if size is None:
                continue
            estimate = size.estimate.value
            low = estimate if size.low is None else size.low.value
            high = estimate if size.high is None else size.high.value
            points.append((one.size, estimate, max(estimate - low, 0), max(high - estimate, 0)))
            values += [low, high]
        _draw_points(axes, points, label, number, len(report.methods) - 1, factor=apart)
    ends = [least, most]
    top = max([*values, most]) * 1.3
    bottom = min([*values, least]) / 1.15
    for factor in (1, 2, 5, 10, 20, 50, 100):
        if least * factor < top:
            _draw_factor(axes, factor, ends, top)
    axes.set_yscale("log")
    _size_axis(axes, least, most)
    _ticks(axes.yaxis, bottom, top)
    axes.set_ylim(bottom, top)
    axes.set_ylabel("random prompts that agree as well")
    of_kind = [one for one in report.summaries if one.kind == kind.name]
    bars = "bars: 90% over splits" if any(map(_has_interval, of_kind)) else "no interval"
    axes.set_title(f"Equivalent random size\n{bars}", fontsize=9.5, loc="left", pad=14)


def _draw_factor(axes: Any, factor: int, ends: list[float], top: float) -> None:
    """Draw where `factor` times as many random prompts would be, its name where it leaves."""
    style = {"color": "#BBBBBB", "lw": 0.9, "ls": "-" if factor == 1 else ":", "zorder": 0}
    axes.plot(ends, [end * factor for end in ends], **style)
    aside = ends[1] * factor < top
    axes.annotate(
        f"{factor}x",
        (ends[1], ends[1] * factor) if aside else (top / factor, top),
        (3, 0) if aside else (0, 2),
        textcoords="offset points",
        fontsize=8,
        color="#777777",
        ha="left" if aside else "center",
        va="center" if aside else "bottom",
    )


def _bars(report: ValidationReport, kind: SplitKind) -> str:
    """Say what the bars of held-out agreement are."""
    spreads = [
        tau
        for one in report.summaries
        if one.kind == kind.name and one.metric is None and (tau := one.held_out_tau) is not None
    ]
    if not spreads or len(kind.splits) == 1:
        return ""
    usual = spreads[0].kind == "5-95%"
    return "; bars: " + ("5\N{EN DASH}95% of splits" if usual else "least to greatest split")


def _draw_learning(axes: Any, report: ValidationReport, kind: SplitKind) -> None:
    size = report.main_size
    curves = [
        curve
        for curve in report.learning
        if (curve.kind, curve.size) == (kind.name, size) and curve.points
    ]
    if not curves:
        axes.set_axis_off()
        return
    labels = [label for label, _ in _by_method(report, kind)]
    counts = sorted({point.n_search for curve in curves for point in curve.points})
    apart = _ROOM * (counts[-1] - counts[0])
    for curve in curves:
        points = [
            (
                point.n_search,
                point.held_out_tau.mean,
                point.held_out_tau.mean - point.held_out_tau.low,
                point.held_out_tau.high - point.held_out_tau.mean,
            )
            for point in curve.points
        ]
        number = labels.index(curve.method)
        _draw_points(axes, points, curve.method, number, len(labels), step=apart)
    random = report.summary(kind.name, RANDOM.label, size).held_out_tau
    if random is not None:
        axes.axhline(random.mean, color=_RANDOM, lw=1.8)
    axes.set_xticks(counts)
    axes.set_xlabel("variants searched")
    axes.set_ylabel("Kendall tau-b with the full set")
    axes.set_title(
        f"Held-out agreement by variants searched\n{size:,} prompts{_enough(curves)}",
        fontsize=9.5,
        loc="left",
        pad=14,
    )
    _tidy(axes)


def _enough(curves: Sequence[LearningCurve]) -> str:
    found = [(curve.enough_from, curve.method) for curve in curves if curve.enough_from is not None]
    if not found:
        return ""
    count, method = min(found)
    return f"; {method} is clearly above random from {count} on"


def _draw_points(
    axes: Any,
    points: Sequence[tuple[float, float, float, float]],
    label: str,
    number: int,
    of: int,
    *,
    factor: float = 1.0,
    step: float = 0.0,
) -> None:
    """Draw x, y and the lengths below and above; neighbours stand a factor or a step apart."""
    if not points:
        return
    array = np.array(points, dtype=np.float64)
    place = number - (of - 1) / 2
    x = array[:, 0] * factor**place + step * place
    axes.errorbar(
        x,
        array[:, 1],
        yerr=array[:, 2:].T,
        color=_COLOURS[number % len(_COLOURS)],
        marker=_MARKERS[number % len(_MARKERS)],
        ms=5,
        lw=1.5,
        elinewidth=1.0,
        capsize=2.5,
        ls="-" if len(points) > 1 else "",
        label=label,
    )


def _by_method(report: ValidationReport, kind: SplitKind) -> list[tuple[str, list[Summary]]]:
    """Return the summaries of each method but random, of the mean over metrics, by size."""
    return [
        (
            method.label,
            [
                one
                for one in report.summaries
                if (one.kind, one.method, one.metric) == (kind.name, method.label, None)
            ],
        )
        for method in report.methods
        if method.label != RANDOM.label
    ]


def _has_interval(one: Summary) -> bool:
    return one.equivalent_random_size is not None and one.equivalent_random_size.low is not None


def _reach(sizes: Sequence[int]) -> tuple[float, float]:
    """Return the ends of an axis over sizes, never so near that it has no tick."""
    least, most = min(sizes) / 1.35, max(sizes) * 1.35
    return (least / 1.6, most * 1.6) if most / least < 4 else (least, most)


def _size_axis(axes: Any, least: float, most: float) -> None:
    axes.set_xscale("log")
    _ticks(axes.xaxis, least, most)
    axes.set_xlim(least / 1.05, most * 1.05)
    axes.set_xlabel("prompts in the subset")
    _tidy(axes)


def _ticks(axis: Any, least: float, most: float) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    steps = (1, 2, 5) if most / least < 300 else (1, 5)
    ticks = [step * 10**power for power in range(9) for step in steps]
    axis.set_major_locator(FixedLocator([tick for tick in ticks if least <= tick <= most]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _tidy(axes: Any) -> None:
    axes.grid(True, axis="y", color="#E4E4E4", lw=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
