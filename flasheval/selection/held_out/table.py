"""A comparison of methods as tables a person understands, the answer first; for 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from flasheval.base.text import plain_table, warning_lines
from flasheval.selection.held_out.answer import answer, ranked, short_number
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
from flasheval.subset.evidence import EquivalentSize, Spread

__all__ = [
    "FOOTNOTE",
    "about",
    "cluster_heading",
    "cluster_row",
    "cluster_titles",
    "enough_text",
    "kind_heading",
    "learning_rows",
    "learning_titles",
    "signed",
    "spread_text",
    "validation_report",
]

_DASH = "\N{EN DASH}"
FOOTNOTE = (
    "Evidence of the procedures: each split chose subsets of its own. Intervals are bootstraps "
    "over splits, which share variants; the best of several methods was picked on these splits."
)


def validation_report(report: Findings) -> RenderableType:
    """Return the answer, a table per kind of splits, the learning curve and the warnings."""
    parts: list[RenderableType] = [Text(note, style="magenta") for note in report.notes]
    parts += [Text(answer(report), style="bold"), Text(about(report))]
    for kind in report.kinds:
        rows = _rows(report, kind)
        if rows:
            table = plain_table(_titles(report), rows, left=2)
            parts += ["", Text(kind_heading(kind)), table]
    parts += _learning(report)
    parts += _clusters(report)
    parts += ["", Text(FOOTNOTE, style="dim")]
    if report.warnings:
        parts += ["", *warning_lines(report.warnings)]
    return Group(*parts)


def about(report: Findings) -> str:
    """Say what was compared on what."""
    methods = [one.label for one in report.methods if one.label != RANDOM.label]
    over = report.metrics[0] if len(report.metrics) == 1 else f"{len(report.metrics)} metrics"
    long = report.reference if "over reference" in _over(report) else None
    return (
        f"{report.prompt_set}: {report.n_prompts:,} prompts, {report.n_variants} variants, {over}; "
        f"{', '.join(methods) or 'random prompts alone'}" + (f"; reference: {long}" if long else "")
    )


def kind_heading(kind: SplitKind) -> str:
    """Say how many variants a kind of splits searches and holds out."""
    count = len(kind.splits)
    searched = _span([split.n_search for split in kind.splits])
    held_out = _span([split.n_held_out for split in kind.splits])
    return (
        f"{kind.name}: {count} split{'' if count == 1 else 's'}, {searched} variants searched, "
        f"{held_out} held out"
    )


def learning_titles(report: Findings) -> tuple[str, ...]:
    """Return the titles above `learning_rows`."""
    methods = dict.fromkeys(curve.method for curve in report.learning)
    return ("variants searched", "random", *methods)


def learning_rows(report: Findings, kind: str, size: int) -> list[tuple[str, ...]]:
    """Return a row per number of search variants: random's tau, and each method's with its gain.

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
    return rows


def enough_text(curves: Sequence[LearningCurve]) -> str:
    """Say from how many search variants on each method is above random."""
    points = [point for curve in curves for point in curve.points]
    if any(point.over_random.low is None for point in points):
        return "Too few splits to say from how many search variants a method is above random."
    said = [
        f"{curve.method} {'at none' if curve.enough_from is None else f'from {curve.enough_from}'}"
        for curve in curves
    ]
    return f"Above random beyond noise (*: 90%), by variants searched: {', '.join(said)}."


def cluster_titles(report: Findings) -> tuple[str, ...]:
    """Return the titles above `cluster_rows`."""
    return ("method", "held-out tau", "over random", *_over(report))


def cluster_row(report: Findings, summary: Summary) -> tuple[str, ...]:
    """Return a method's numbers that were drawn again by groups, each with its interval.

    Where the groups are too few, square brackets hold the range with one group left out.
    """
    keys = ("held_out_tau", "over_random", "over_reference")[: 3 if report.reference else 2]
    return (summary.method, *(_grouped(summary.clustered.get(key)) for key in keys))


def signed(gain: Gain | None) -> str:
    """Return a gain with its interval, or its range over splits where there is none.

    >>> signed(Gain(0.025, 0.014, 0.037)).replace(_DASH, " to ")
    '+.025 (.01 to .04)'
    >>> signed(Gain(-0.5, by_split=(-0.6, -0.4))).replace(_DASH, " to ")
    '-.500 [-.60 to -.40]'
    """
    if gain is None:
        return ""
    mean = short_number(gain.mean, 3, sign=True)
    if gain.low is not None and gain.high is not None:
        return f"{mean} ({short_number(gain.low, 2)}{_DASH}{short_number(gain.high, 2)})"
    if len(gain.by_split) < 2:
        return mean
    low, high = gain.range
    return f"{mean} [{short_number(low, 2)}{_DASH}{short_number(high, 2)}]"


def spread_text(spread: Spread | None) -> str:
    """Return a mean with its range, in square brackets where it is the least and the greatest."""
    if spread is None:
        return "-"
    left, right = "()" if spread.kind == "5-95%" else "[]"
    low, high = short_number(spread.low, 2), short_number(spread.high, 2)
    return f"{spread.mean:.3f} {left}{low}{_DASH}{high}{right}"


def _titles(report: Findings) -> tuple[str, ...]:
    over = (f"\n{title}" for title in _over(report))
    return ("\nsize", "\nmethod", "\nheld-out tau", "over\nrandom", *over, "as good as\nrandom")


def _rows(report: Findings, kind: SplitKind) -> list[tuple[str, ...]]:
    rows = []
    last = None
    for one in report.summaries:
        if one.kind != kind.name or one.metric is not None:
            continue
        cells = (
            "" if one.size == last else str(one.size),
            escape(one.method),
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


def _learning(report: Findings) -> list[RenderableType]:
    parts: list[RenderableType] = []
    size = report.main_size
    for kind in dict.fromkeys(curve.kind for curve in report.learning):
        curves = [one for one in report.learning if (one.kind, one.size) == (kind, size)]
        rows = learning_rows(report, kind, size)
        if rows:
            heading = f"{kind}, {size} prompts: held-out tau by the number of variants searched"
            table = plain_table(tuple(map(escape, learning_titles(report))), rows, left=1)
            parts += ["", Text(heading), table, Text(enough_text(curves))]
    return parts


def _learning_cell(point: LearningPoint) -> str:
    star = "*" if point.over_random.clear else " "
    gain = short_number(point.over_random.mean, 3, sign=True)
    return f"{point.held_out_tau.mean:.3f} ({gain}){star}"


def cluster_heading(report: Findings, kind: SplitKind) -> str:
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


def _clusters(report: Findings) -> list[RenderableType]:
    if report.cluster is None:
        return []
    parts: list[RenderableType] = []
    titles = tuple(map(escape, cluster_titles(report)))
    for kind in report.kinds:
        rows = [tuple(map(escape, cluster_row(report, one))) for one in ranked(report, kind)]
        heading = f"{cluster_heading(report, kind)}; {report.main_size} prompts"
        parts += ["", Text(heading), plain_table(titles, rows, left=1)]
    return parts


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
    return f"{grouped.mean:.3f} {left}{short_number(low, 2)}{_DASH}{short_number(high, 2)}{right}"


def _over(report: Findings) -> tuple[str, ...]:
    """Return the title of the column of gains over the reference; none without one."""
    label = report.reference
    if label is None:
        return ()
    return (f"over {label}" if len(label) <= 14 else "over reference",)


def _equivalent(size: EquivalentSize | None) -> str:
    if size is None:
        return ""
    interval = "" if size.low is None else f" ({size.low}{_DASH}{size.high})"
    return f"{size.estimate}{interval}"


def _span(counts: Sequence[int]) -> str:
    least, most = min(counts), max(counts)
    return str(least) if least == most else f"{least}{_DASH}{most}"
