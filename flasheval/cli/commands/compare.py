"""`flasheval compare`: which of the evaluated models the full benchmark would rank higher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from flasheval.base.drawing.terminal import drawn
from flasheval.base.drawing.view import Line, View
from flasheval.base.errors import SettingError
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.configs import CompareConfig
from flasheval.cli.exit_codes import DONE
from flasheval.evaluation.comparison import check_comparable, compare
from flasheval.evaluation.report import Report
from flasheval.evaluation.sequential import compare_in_looks, spent_errors

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["named_reports", "run_compare"]


def run_compare(config: CompareConfig, context: Context) -> Outcome:
    """Print the first report's comparison with each of the others and return the outcome.

    Raises FlashevalError for reports that cannot be read, or compared with each other.
    """
    if len(config.reports) < 2:
        raise SettingError(
            "two reports are needed: flasheval compare FIRST.json SECOND.json, as flasheval "
            "evaluate writes them"
        )
    if config.out and not config.out.endswith(".json"):
        raise SettingError(f"out={config.out}: expected a name in .json")
    found: list[tuple[object, View]]
    if not 0 < config.level < 1:
        raise SettingError(f"level={config.level:g}: expected a number between 0 and 1, as 0.9")
    if config.looks is not None:
        spent_errors(config.looks, 1 - config.level)  # refuses invalid looks
    metrics = [config.metric] if isinstance(config.metric, str) else config.metric
    first, *others = named_reports(config.reports)
    shared = [(second, check_comparable(first, second, metrics)) for second in others]
    if config.looks is not None and config.by is not None:
        raise SettingError("by= and looks= do not go together: leave one out")
    if config.looks is None:
        compared = [
            compare(first, second, metrics=m, level=config.level, by=config.by)
            for second, m in shared
        ]
        found = [(one, one.view()) for one in compared]
    else:
        found = [
            _in_looks(first, second, metric, config.looks, config.level)
            for second, names in shared
            for metric in names
        ]
    # All at the end: where one cannot be compared none is printed.
    for number, (_, view) in enumerate(found):
        if number:
            context.console.print()
        context.console.print(drawn(view))
    parts = [part for _, view in found for part in (*view.parts, Line(""))][:-1]
    result = {
        "kind": "comparisons",
        "schema": 1,
        "looks": config.looks is not None,
        "comparisons": [one for one, _ in found],
    }
    headline = " ".join(view.headline for _, view in found)
    return Outcome(DONE, answer=Answer(result, headline, View(tuple(parts))))


def _in_looks(
    first: Report, second: Report, metric: str, looks: Sequence[int | str], level: float
) -> tuple[object, View]:
    found = compare_in_looks(first.prefix, second.prefix, looks, metric=metric, error=1 - level)
    return found, found.view(first.name, second.name)


def named_reports(paths: Sequence[str]) -> list[Report]:
    """Read reports; one without a name, or with the same name as another, gets its file's.

    Example:
        >>> named_reports([])
        []

    """
    reports = [Report.load(path) for path in paths]
    counts = Counter(report.name for report in reports)
    return [
        report
        if report.name and counts[report.name] == 1
        else replace(report, name=shown_path(path))
        for path, report in zip(paths, reports, strict=True)
    ]
