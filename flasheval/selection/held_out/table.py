"""The views of a comparison of methods: the answer and tables for 80 columns, or every table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from flasheval.base.drawing.view import Figure, Line, Table, View, lines
from flasheval.base.text import DASH
from flasheval.selection.held_out.answer import answer, kind_heading, ranked, short_number
from flasheval.selection.held_out.contenders import RANDOM
from flasheval.selection.held_out.findings import Findings
from flasheval.selection.held_out.records import (
    Gain,
    Grouped,
    LearningCurve,
    LearningPoint,
    SplitKind,
    Summary,
)
from flasheval.selection.validation_figure import validation_figure
from flasheval.subset.evidence import EquivalentSize, Spread

__all__ = ["FOOTNOTE", "about", "full_view", "short_view", "signed", "spread_text"]

FOOTNOTE = (
    "Measured on sets chosen in the same way: each split chose its own. Intervals are bootstraps "
    "over splits, which share variants; the best of several methods was picked on these splits."
)


_MEASURES = {
    "held_out_tau": "held-out tau-b",
    "search_tau": "search tau-b",
    "held_out_tau_significant": "on significant pairs",
    "held_out_accuracy": "pairs in order",
    "held_out_weighted_tau": "weighted tau",
    "full_score_error": "full-score error",
}
_EXPLAINED = (
    "Held-out tau-b: Kendall's tau-b between the ranking by the subset and by all prompts, on "
    "variants the search never saw; in brackets 5-95% of the splits (square brackets: the least "
    "and the greatest). Gains are paired by split, with the 90% bootstrap interval over splits "
    "(square brackets: the least and the greatest split). Significant pairs: those whose full "
    "scores differ by more than two paired standard errors. Weighted tau: the best variants count "
    "most. Full-score error: held-out full scores predicted from subset scores by the line fitted "
    "on the search variants, mean absolute error in their standard deviations. Seconds: median "
    "wall time of a search."
)


def short_view(report: Findings) -> View:
    """Return the answer, a table per kind of splits, the learning curve and the warnings."""
    parts: list[Line | Table | Figure] = [*lines(report.notes, "note")]
    parts += [Line(answer(report), "headline"), Line(about(report))]
    for kind in report.kinds:
        rows = _short_rows(report, kind)
        if rows:
            titles = _short_titles(report)
            parts += [Line(""), Table(titles, rows, 2, caption=kind_heading(kind))]
    size = report.main_size
    for kind_name in dict.fromkeys(curve.kind for curve in report.learning):
        curves, table = _learning(report, kind_name, size)
        if table.rows:
            said = f"{kind_name}, {size} prompts: held-out tau by the number of variants searched"
            parts += [Line(""), replace(table, caption=said), Line(_enough(curves))]
    for kind in report.kinds if report.cluster is not None else ():
        rows = [_cluster_row(report, one) for one in ranked(report, kind)]
        said = f"{_cluster_heading(report, kind)}; {size} prompts"
        parts += [Line(""), Table(_cluster_titles(report), rows, caption=said)]
    parts += [Line(""), Line(FOOTNOTE, "faint")]
    if report.warnings:
        parts += [Line(""), *lines(report.warnings, "warning")]
    return View((*parts, validation_figure(report)))


def full_view(report: Findings) -> View:
    """Return every table, for reading at leisure."""
    parts: list[Line | Table | Figure] = [Line(answer(report), "headline"), Line(about(report))]
    parts += [*lines(report.notes, "note"), validation_figure(report)]
    for kind in report.kinds:
        parts += _kind(report, kind)
    for name, size in dict.fromkeys((curve.kind, curve.size) for curve in report.learning):
        curves, table = _learning(report, name, size)
        said = f"{name}, {size} prompts: held-out tau-b by variants searched"
        parts += [Line(said, "chapter"), table, Line(_enough(curves))]
    if report.cluster is not None:
        parts.append(Line(f"Whole groups of {report.cluster}", "chapter"))
        titles = ("N", *_cluster_titles(report), "held-out tau without each group")
        for kind in report.kinds:
            found = _of(report, kind)
            rows = [(str(one.size), *_cluster_row(report, one), _left_out(one)) for one in found]
            parts += [Line(f"{_cluster_heading(report, kind)}."), Table(titles, rows, 2)]
    parts += [Line("Notes", "chapter"), Line(_EXPLAINED), Line(FOOTNOTE, "faint")]
    if report.warnings:
        parts += [Line("Warnings", "chapter"), *lines(report.warnings, "warning")]
    return View(tuple(parts))


def about(report: Findings) -> str:
    """Say what was compared on what.

    Example:
        >>> from flasheval.selection.held_out.report import ValidationReport
        >>> found = ("coco", 5000, 48, ("clip",), (), (RANDOM,), (50,), 50)
        >>> about(ValidationReport(*found))
        'coco: 5,000 prompts, 48 variants, clip; random prompts alone'

    """
    methods = [one.label for one in report.methods if one.label != RANDOM.label]
    over = report.metrics[0] if len(report.metrics) == 1 else f"{len(report.metrics)} metrics"
    long = report.reference if "over reference" in _over(report) else None
    return (
        f"{report.prompt_set}: {report.n_prompts:,} prompts, {report.n_variants} variants, {over}; "
        f"{', '.join(methods) or 'random prompts alone'}" + (f"; reference: {long}" if long else "")
    )


def signed(gain: Gain | None) -> str:
    """Return a gain with its interval, or its range over splits where there is none.

    >>> signed(Gain(0.025, 0.014, 0.037)).replace(DASH, " to ")
    '+.025 (.01 to .04)'
    >>> signed(Gain(-0.5, by_split=(-0.6, -0.4))).replace(DASH, " to ")
    '-.500 [-.60 to -.40]'
    """
    if gain is None:
        return ""
    mean = short_number(gain.mean, 3, sign=True)
    if gain.low is not None and gain.high is not None:
        return f"{mean} ({short_number(gain.low, 2)}{DASH}{short_number(gain.high, 2)})"
    if len(gain.by_split) < 2:
        return mean
    low, high = gain.range
    return f"{mean} [{short_number(low, 2)}{DASH}{short_number(high, 2)}]"


def spread_text(spread: Spread | None) -> str:
    """Return a mean with its range, in square brackets where it is the least and the greatest.

    Example:
        >>> spread_text(Spread(0.83, 0.77, 0.89)).replace(DASH, " to ")
        '0.830 (.77 to .89)'
        >>> spread_text(Spread(0.83, 0.77, 0.89, "min-max")).replace(DASH, " to ")
        '0.830 [.77 to .89]'
        >>> spread_text(None)
        '-'

    """
    if spread is None:
        return "-"
    left, right = "()" if spread.kind == "5-95%" else "[]"
    low, high = short_number(spread.low, 2), short_number(spread.high, 2)
    return f"{spread.mean:.3f} {left}{low}{DASH}{high}{right}"


def _short_titles(report: Findings) -> tuple[str, ...]:
    over = (f"\n{title}" for title in _over(report))
    return ("\nsize", "\nmethod", "\nheld-out tau", "over\nrandom", *over, "as good as\nrandom")


def _short_rows(report: Findings, kind: SplitKind) -> list[tuple[str, ...]]:
    rows = []
    last = None
    for one in _of(report, kind):
        cells = (
            "" if one.size == last else str(one.size),
            one.method,
            spread_text(one.held_out_tau),
            "" if one.over_random is None else short_number(one.over_random.mean, 3, sign=True),
            *([_beside(one)] if report.reference else []),
            _equivalent(one.equivalent_random_size),
        )
        last = one.size
        rows.append(cells)
    return rows


def _beside(one: Summary) -> str:
    """Return the gain over the reference; none for random: its loss is the reference's gain."""
    return "" if one.method == RANDOM.label else signed(one.over_reference)


def _of(report: Findings, kind: SplitKind, metric: str | None = None) -> list[Summary]:
    return [one for one in report.summaries if (one.kind, one.metric) == (kind.name, metric)]


def _kind(report: Findings, kind: SplitKind) -> Iterator[Line | Table]:
    over = [f"over {report.reference}"] if report.reference else []
    titles = ("N", "method", "held-out tau-b", "over random", *over, "as good as random")
    yield Line(kind_heading(kind), "chapter")
    if kind.spec != kind.name:
        yield Line(f"Made from `{kind.spec}`.")
    for metric in (None, *report.metrics) if len(report.metrics) > 1 else report.metrics:
        found = _of(report, kind, metric)
        if not found:
            continue
        name = f"mean over {len(report.metrics)} metrics" if metric is None else metric
        rows = [_row(report, one) for one in found]
        yield Table(titles, rows, 2, caption=f"{kind.name}: {name}")
        more = ("N", "method", *_MEASURES.values(), "seconds")
        yield Table(more, [_measures(one) for one in found], 2)
    yield from _by_split(report, kind)


def _row(report: Findings, one: Summary) -> tuple[str, ...]:
    size = one.equivalent_random_size
    return (
        str(one.size),
        one.method,
        spread_text(one.held_out_tau),
        signed(one.over_random),
        *([signed(one.over_reference)] if report.reference else []),
        "" if size is None else str(size),
    )


def _measures(one: Summary) -> tuple[str, ...]:
    means = [one.measures.get(name) for name in _MEASURES]
    seconds = f"{one.seconds:.2f}" if one.seconds else ""
    shown = ["-" if spread is None else f"{spread.mean:.3f}" for spread in means]
    return (str(one.size), one.method, *shown, seconds)


def _by_split(report: Findings, kind: SplitKind) -> Iterator[Table]:
    """Give every split's held-out tau, where there are too few for intervals."""
    found = _of(report, kind)
    spreads = [one.held_out_tau for one in found if one.held_out_tau is not None]
    if not spreads or all(spread.kind == "5-95%" for spread in spreads):
        return
    titles = ("N", "method", *(split.name for split in kind.splits))
    rows = [(str(one.size), one.method, *map(_tau, one.held_out_tau_by_split)) for one in found]
    over = "" if len(report.metrics) == 1 else ", mean over metrics"
    said = f"{kind.name}: held-out tau-b split by split{over}"
    yield Table(titles, rows, 2, caption=said)


def _learning(report: Findings, kind: str, size: int) -> tuple[list[LearningCurve], Table]:
    """Return curves, and a row per number of search variants: random's tau, each method's, gains.

    A gain whose interval lies above 0 has a star.
    """
    curves = [one for one in report.learning if (one.kind, one.size) == (kind, size)]
    counts = sorted({point.n_search for curve in curves for point in curve.points})
    random = report.summary(kind, RANDOM.label, size).held_out_tau
    rows = []
    for count in counts:
        points = [{one.n_search: one for one in curve.points}.get(count) for curve in curves]
        cells = ["-" if point is None else _learning_cell(point) for point in points]
        rows.append((str(count), "-" if random is None else f"{random.mean:.3f}", *cells))
    methods = dict.fromkeys(curve.method for curve in report.learning)
    return curves, Table(("variants searched", "random", *methods), rows)


def _learning_cell(point: LearningPoint) -> str:
    star = "*" if point.over_random.clear else " "
    gain = short_number(point.over_random.mean, 3, sign=True)
    return f"{point.held_out_tau.mean:.3f} ({gain}){star}"


def _enough(curves: Sequence[LearningCurve]) -> str:
    """Say from how many search variants on each method is above random."""
    points = [point for curve in curves for point in curve.points]
    if any(point.over_random.low is None for point in points):
        return "Too few splits to say from how many search variants a method is above random."
    said = [
        f"{curve.method} {'at none' if curve.enough_from is None else f'from {curve.enough_from}'}"
        for curve in curves
    ]
    return f"Clearly above random (*: 90%), by number of variants searched: {', '.join(said)}."


def _cluster_titles(report: Findings) -> tuple[str, ...]:
    """Return the titles above `_cluster_rows`."""
    return ("method", "held-out tau", "over random", *_over(report))


def _cluster_row(report: Findings, summary: Summary) -> tuple[str, ...]:
    """Return a method's numbers that were drawn again by groups, each with its interval.

    Where the groups are too few, square brackets hold the range with one group left out.
    """
    keys = ("held_out_tau", "over_random", "over_reference")[: 3 if report.reference else 2]
    return (summary.method, *(_grouped(summary.clustered.get(key)) for key in keys))


def _cluster_heading(report: Findings, kind: SplitKind) -> str:
    """Say what the numbers drawn again by groups are."""
    few = any(
        grouped.without
        for one in report.summaries
        if one.kind == kind.name
        for grouped in one.clustered.values()
    )
    if few:
        return f"{kind.name}: range with one group of {report.cluster} left out"
    return f"{kind.name}: 90% with held-out variants drawn in whole groups of {report.cluster}"


def _grouped(grouped: Grouped | None) -> str:
    if grouped is None:
        return ""
    if grouped.low is not None and grouped.high is not None:
        low, high, (left, right) = grouped.low, grouped.high, "()"
    elif grouped.without:
        low, high = min(grouped.without.values()), max(grouped.without.values())
        left, right = "[]"
    else:
        return f"{grouped.mean:.3f}"
    return f"{grouped.mean:.3f} {left}{short_number(low, 2)}{DASH}{short_number(high, 2)}{right}"


def _over(report: Findings) -> tuple[str, ...]:
    """Return the title of the column of gains over the reference; none without one."""
    label = report.reference
    if label is None:
        return ()
    return (f"over {label}" if len(label) <= 14 else "over reference",)


def _equivalent(size: EquivalentSize | None) -> str:
    if size is None:
        return ""
    interval = "" if size.low is None else f" ({size.low}{DASH}{size.high})"
    return f"{size.estimate}{interval}"


def _left_out(one: Summary) -> str:
    grouped = one.clustered.get("held_out_tau")
    if grouped is None or not grouped.without:
        return ""
    return ", ".join(f"{name} {value:.3f}" for name, value in grouped.without.items())


def _tau(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
