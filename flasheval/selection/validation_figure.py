"""The figure of a comparison: agreement and equivalent random size against subset size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flasheval.base.drawing.view import Figure, Plot, Series
from flasheval.base.text import DASH
from flasheval.selection.held_out.answer import kind_heading
from flasheval.selection.held_out.contenders import RANDOM
from flasheval.selection.held_out.findings import Findings
from flasheval.selection.held_out.records import LearningCurve, SplitKind, Summary
from flasheval.subset.evidence import Spread

__all__ = ["validation_figure"]

Point = tuple[float, float, float, float]
"""x, y, and the ends of its bar."""


def validation_figure(report: Findings) -> Figure:
    """Return one row of plots a kind of splits.

    Left: held-out tau-b, averaged over the metrics, against subset size. Middle: how many random
    prompts agree as well. Right, where the number of search variants was varied: held-out tau-b
    against it.
    """
    learnt = any(curve.points for curve in report.learning)
    name = report.prompt_set
    notes = [note.removeprefix(f"{name} population: ") for note in report.notes]
    name = f"{name} ({'; '.join(notes)})" if notes else name
    count = len(report.metrics)
    return Figure(
        [
            [
                _agreement(report, kind),
                _equivalent(report, kind),
                *([_learning(report, kind)] if learnt else []),
            ]
            for kind in report.kinds
        ],
        f"{name}, {report.metrics[0] if count == 1 else f'mean over {count} metrics'}",
        "Held-out agreement and equivalent random size",
    )


def _agreement(report: Findings, kind: SplitKind) -> Plot:
    curves = [one for one in report.curves if (one.kind, one.metric) == (kind.name, None)]
    band = f"random prompts: 5{DASH}95%"
    random = [
        Series("random prompts: mean", one.sizes, one.mean, one.low, one.high, "random", band)
        for one in curves
    ]
    methods = [
        _series(label, [_point(one.size, tau) for one in found if (tau := one.held_out_tau)])
        for label, found in _by_method(report, kind)
    ]
    sizes = [*report.sizes, *(size for curve in curves for size in curve.sizes)]
    return Plot(
        f"Held-out agreement{_bars(report, kind)}\n{kind_heading(kind)}",
        "prompts in the subset",
        "Kendall tau-b with the full set",
        (*random, *methods),
        (min(sizes), max(sizes)),
        (None, 1.02),
        x_log=True,
    )


def _equivalent(report: Findings, kind: SplitKind) -> Plot:
    least, most = min(report.sizes) / 1.35, max(report.sizes) * 1.35
    if most / least < 4:  # so near that there might be no tick
        least, most = least / 1.6, most * 1.6
    methods, interval = [], False
    for label, found in _by_method(report, kind):
        points = []
        for one in found:
            size = one.equivalent_random_size
            if size is not None:
                y = size.estimate.value
                low = y if size.low is None else size.low.value
                high = y if size.high is None else size.high.value
                points.append((one.size, y, min(low, y), max(high, y)))
                interval |= size.low is not None
        methods.append(_series(label, points))
    ends = [value for one in methods for value in (*one.low, *one.high)]
    top, bottom = max([*ends, most]) * 1.3, min([*ends, least]) / 1.15
    guides = [
        Series(f"{factor}x", (least, most), (least * factor, most * factor), look="guide")
        for factor in (1, 2, 5, 10, 20, 50, 100)
        if least * factor < top
    ]
    return Plot(
        f"Equivalent random size\n{'bars: 90% over splits' if interval else 'no interval'}",
        "prompts in the subset",
        "random prompts that agree as well",
        (*guides, *methods),
        (least, most),
        (bottom, top),
        x_log=True,
        y_log=True,
    )


def _learning(report: Findings, kind: SplitKind) -> Plot | None:
    size = report.main_size
    curves = {
        one.method: one
        for one in report.learning
        if (one.kind, one.size) == (kind.name, size) and one.points
    }
    if not curves:
        return None
    methods = [
        _series(
            label,
            [_point(one.n_search, one.held_out_tau) for one in curves[label].points]
            if label in curves
            else [],
        )
        for label, _ in _by_method(report, kind)
    ]
    random = report.summary(kind.name, RANDOM.label, size).held_out_tau
    level = [] if random is None else [Series("", (), (random.mean,), look="level")]
    counts = sorted({x for one in methods for x in one.x})
    return Plot(
        f"Held-out agreement by variants searched\n{size:,} prompts{_enough(curves.values())}",
        "variants searched",
        "Kendall tau-b with the full set",
        (*methods, *level),
        (counts[0], counts[-1]),
        x_ticks=counts,
    )


def _point(x: float, spread: Spread) -> Point:
    return x, spread.mean, spread.low, spread.high


def _series(label: str, points: Sequence[Point]) -> Series:
    x, y, low, high = zip(*points, strict=True) if points else ((), (), (), ())
    return Series(label, x, y, low, high)


def _bars(report: Findings, kind: SplitKind) -> str:
    """Say what the bars of held-out agreement are."""
    spreads = [
        tau
        for one in report.summaries
        if one.kind == kind.name and one.metric is None and (tau := one.held_out_tau) is not None
    ]
    if not spreads or len(kind.splits) == 1:
        return ""
    usual = spreads[0].kind == "5-95%"
    return "; bars: " + (f"5{DASH}95% of splits" if usual else "least to greatest split")


def _enough(curves: Iterable[LearningCurve]) -> str:
    found = [(curve.enough_from, curve.method) for curve in curves if curve.enough_from is not None]
    if not found:
        return ""
    count, method = min(found)
    return f"; {method} is clearly above random from {count} on"


def _by_method(report: Findings, kind: SplitKind) -> list[tuple[str, list[Summary]]]:
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
