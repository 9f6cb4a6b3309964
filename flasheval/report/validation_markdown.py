"""A comparison of methods as one Markdown file: every table, for people and for pasting."""

from __future__ import annotations

from collections.abc import Iterator

from flasheval.base.text import markdown_table
from flasheval.selection.held_out.answer import answer
from flasheval.selection.held_out.records import SplitKind, Summary
from flasheval.selection.held_out.report import ValidationReport
from flasheval.selection.held_out.table import (
    FOOTNOTE,
    about,
    cluster_heading,
    cluster_row,
    cluster_titles,
    enough_text,
    kind_heading,
    learning_rows,
    learning_titles,
    signed,
    spread_text,
)

__all__ = ["markdown_report"]

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


def markdown_report(report: ValidationReport, command: str = "", *, image: str = "") -> str:
    """Return the whole report.

    Args:
        report: The report.
        command: What was typed, to be shown at its end.
        image: File name of the plot, to be shown after the answer.

    """
    lines = ["# Validation of search methods", "", f"**{answer(report)}**", "", about(report), ""]
    lines += [line for note in report.notes for line in (f"*{note}*", "")]
    if image:
        lines += [f"![Held-out agreement and equivalent random size]({image})", ""]
    for kind in report.kinds:
        lines += _kind(report, kind)
    lines += _learning(report)
    lines += _clusters(report)
    lines += ["## Notes", "", _EXPLAINED, "", FOOTNOTE, ""]
    if report.warnings:
        lines += ["## Warnings", "", *(f"- {warning}" for warning in report.warnings), ""]
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    lines += ["## Made by", ""]
    if command:
        lines += ["```bash", command, "```", ""]
    lines += [f"seed {report.seed}, {report.draws} random subsets a size; {versions}"]
    lines += [f"({report.created})" if report.created else ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _kind(report: ValidationReport, kind: SplitKind) -> list[str]:
    over = [f"over {report.reference}"] if report.reference else []
    titles = ("N", "method", "held-out tau-b", "over random", *over, "as good as random")
    lines = [f"## {kind_heading(kind)}", ""]
    if kind.spec != kind.name:
        lines += [f"Made from `{kind.spec}`.", ""]
    metrics = (None, *report.metrics) if len(report.metrics) > 1 else report.metrics
    for metric in metrics:
        found = [one for one in report.summaries if (one.kind, one.metric) == (kind.name, metric)]
        if not found:
            continue
        rows = [_row(report, one) for one in found]
        name = f"mean over {len(report.metrics)} metrics" if metric is None else metric
        lines += [f"### {kind.name}: {name}", "", *markdown_table(titles, rows), ""]
        more = ("N", "method", *_MEASURES.values(), "seconds")
        lines += [*markdown_table(more, [_measures(one) for one in found]), ""]
    lines += _by_split(report, kind)
    return lines


def _row(report: ValidationReport, one: Summary) -> tuple[str, ...]:
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


def _by_split(report: ValidationReport, kind: SplitKind) -> list[str]:
    """Return every split's held-out tau, where there are too few for intervals."""
    found = [one for one in report.summaries if one.kind == kind.name and one.metric is None]
    spreads = [one.held_out_tau for one in found if one.held_out_tau is not None]
    if not spreads or all(spread.kind == "5-95%" for spread in spreads):
        return []
    titles = ("N", "method", *(split.name for split in kind.splits))
    rows = [(str(one.size), one.method, *map(_tau, one.held_out_tau_by_split)) for one in found]
    over = "" if len(report.metrics) == 1 else ", mean over metrics"
    heading = f"### {kind.name}: held-out tau-b split by split{over}"
    return [heading, "", *markdown_table(titles, rows), ""]


def _learning(report: ValidationReport) -> Iterator[str]:
    places = dict.fromkeys((curve.kind, curve.size) for curve in report.learning)
    for kind, size in places:
        curves = [one for one in report.learning if (one.kind, one.size) == (kind, size)]
        yield from (f"## {kind}, {size} prompts: held-out tau-b by variants searched", "")
        rows = learning_rows(report, kind, size)
        yield from (*markdown_table(learning_titles(report), rows), "", enough_text(curves), "")


def _clusters(report: ValidationReport) -> Iterator[str]:
    if report.cluster is None:
        return
    yield from (f"## Whole groups of {report.cluster}", "")
    for kind in report.kinds:
        found = [one for one in report.summaries if one.kind == kind.name and one.metric is None]
        rows = [(str(one.size), *cluster_row(report, one), _left_out(one)) for one in found]
        titles = ("N", *cluster_titles(report), "held-out tau without each group")
        yield from (f"{cluster_heading(report, kind)}.", "", *markdown_table(titles, rows), "")


def _left_out(one: Summary) -> str:
    grouped = one.clustered.get("held_out_tau")
    if grouped is None or not grouped.without:
        return ""
    return ", ".join(f"{name} {value:.3f}" for name, value in grouped.without.items())


def _tau(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
