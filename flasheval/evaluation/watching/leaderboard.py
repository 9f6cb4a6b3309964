"""A leaderboard of checkpoints, the best first, with probabilities."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from flasheval.base.drawing.brief import Brief
from flasheval.base.drawing.markdown import markdown
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.drawing.view import Line, Table, View, lines
from flasheval.evaluation.comparison import PairedDifference, compare
from flasheval.evaluation.report import Report
from flasheval.evaluation.watching.checkpoint_files import natural
from flasheval.scores.matrix import sign_of
from flasheval.subset.predictions import Prediction

__all__ = [
    "Leaderboard",
    "Standing",
    "make_leaderboard",
]


_NOTES = 10  # lines shown of what failed, and of what is waited for


@dataclass(frozen=True, repr=False)
class Standing(Brief):
    """The place of one checkpoint.

    Attributes:
        rank: 1 is the best.
        name: The checkpoint's name.
        step: Its training step, if known.
        means: Mean over the subset, by metric.
        full: The predicted full score in the metric ranked by; None when it is not calibrated.
        behind: The best checkpoint's mean less this one's, paired; None for the best itself.
        best_is_better: Probability that the best is better on the full set too; None when the
            metric is not calibrated, and for the best itself.
        created: The time of its evaluation, ISO 8601 in UTC.

    """

    rank: int
    name: str
    step: int | None
    means: Mapping[str, float] = field(hash=False)
    full: Prediction | None
    behind: PairedDifference | None
    best_is_better: float | None
    created: str


@dataclass(frozen=True, repr=False)
class Leaderboard(Shown):
    """Checkpoints ranked by predicted full scores, or by means when these are not calibrated.

    Prints as a table.

    Attributes:
        metric: The metric it ranks by.
        level: Probability that a full score lies in its interval.
        standings: The checkpoints, the best first.
        failed: Why others could not be evaluated, by name.
        waiting: Why others are not evaluated yet, by name.
        warnings: Warnings about the best one's scores, one line each.

    """

    kind = "checkpoint_board"

    metric: str
    level: float
    standings: tuple[Standing, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict, hash=False)
    waiting: Mapping[str, str] = field(default_factory=dict, hash=False)
    warnings: tuple[str, ...] = ()

    @property
    def best(self) -> Standing | None:
        """The best checkpoint; None when none is evaluated.

        >>> Leaderboard("clip", 0.9).best is None
        True
        """
        return self.standings[0] if self.standings else None

    def view(self) -> View:
        """Return the best checkpoint, all of them by rank, and what failed or is waited for."""
        parts: list[Line | Table] = [Line(_answer(self), "headline")]
        if self.standings:
            parts.append(self._table())
        for title, notes in (("failed", self.failed), ("not yet", self.waiting)):
            said = [f"{title}: {name}: {why}" for name, why in notes.items()]
            more = len(said) - _NOTES
            parts += lines(said[:_NOTES], "alert")
            parts += lines([f"{title}: {more} more"] if more > 0 else [], "alert")
        return View((*parts, *lines(self.warnings, "warning")))

    def to_markdown(self) -> str:
        """Return the leaderboard as Markdown, with the failed and the waiting checkpoints.

        >>> board = Leaderboard("clip", 0.9, failed={"step-3": "it is cut short"})
        >>> board.to_markdown().splitlines()[-3:]
        ['Failed:', '', '- step-3: it is cut short']
        """
        parts: list[Line | Table] = [self._table()]
        for title, notes in (("Failed", self.failed), ("Not yet evaluated", self.waiting)):
            if notes:
                said = [f"{name}: {why}" for name, why in notes.items()]
                parts += [Line(f"{title}:"), *lines(said, "item")]
        return markdown(View((*parts, *lines(self.warnings, "warning"))))

    def to_csv(self) -> str:
        """Return the standings as CSV, with a column for every metric's mean.

        >>> standing = Standing(1, "step-2", 2, {"clip": 0.45}, None, None, None, "2026-01-01")
        >>> Leaderboard("clip", 0.9, (standing,)).to_csv().splitlines()[1]
        '1,step-2,2,0.45,,,,,,,2026-01-01'
        """
        return csv_for_people(self._cells())

    def _brief(self) -> str:
        best = "" if self.best is None else f", best {self.best.name}"
        count = len(self.standings)
        return f"{count} checkpoint{'' if count == 1 else 's'} by {self.metric}{best}"

    def _rows(self) -> list[dict[str, object]]:
        titles, *rows = self._cells()
        return [dict(zip(map(str, titles), row, strict=True)) for row in rows]

    def _cells(self) -> list[list[object]]:
        """Return titles, then a row a checkpoint."""
        metrics = list(self.standings[0].means) if self.standings else [self.metric]
        more = ["full", "full_low", "full_high", "behind", "behind_error", "best_is_better", "when"]
        rows: list[list[object]] = [["rank", "checkpoint", "step", *metrics, *more]]
        for one in self.standings:
            full, behind = one.full, one.behind
            row: list[object] = [one.rank, one.name, one.step, *(one.means[m] for m in metrics)]
            row += [None] * 3 if full is None else [full.value, full.low, full.high]
            row += [None] * 2 if behind is None else [behind.value, behind.error]
            rows.append([*row, one.best_is_better, one.created])
        return rows

    def _table(self) -> Table:
        metric, calibrated = self.metric, any(one.full for one in self.standings)
        titles = ["rank", "checkpoint", "step", metric]
        titles += [f"full set\n({self.level:.0%})", "best is\nbetter"] if calibrated else ["behind"]
        rows = [_cells(one, metric, calibrated) for one in self.standings]
        return Table([*titles, "when"], rows, 2)


def make_leaderboard(
    reports: Iterable[Report],
    *,
    metric: str,
    level: float = 0.9,
    failed: Mapping[str, str] | None = None,
    waiting: Mapping[str, str] | None = None,
) -> Leaderboard:
    """Rank checkpoints by one metric.

    Args:
        reports: One report a checkpoint, all on the same subset and seed, without missing scores.
        metric: The metric.
        level: Probability that a full score lies in its interval.
        failed: Why others could not be evaluated, by name.
        waiting: Why others are not evaluated yet, by name.

    Raises DataError for reports that cannot be compared.

    >>> from flasheval.evaluation.report import MetricScores
    >>> from flasheval.subset import Method, Subset, SubsetPrompt
    >>> subset = Subset("two", "pets", None, tuple(map(SubsetPrompt, "ab")), (), Method("random"))
    >>> reports = [Report(subset, 0, {"clip": MetricScores("1", True, scores)}, name, created="now")
    ...            for name, scores in (("step-1", (0.2, 0.3)), ("step-2", (0.4, 0.5)))]
    >>> board = make_leaderboard(reports, metric="clip")
    >>> board.best.name, round(board.standings[1].behind.value, 3)
    ('step-2', 0.2)

    """
    known = [(one, one.predict(level=level).get(metric)) for one in reports]

    def place(item: tuple[Report, Prediction | None]) -> tuple[object, ...]:
        report, full = item
        value = report.means[metric] if full is None else full.value
        sign = sign_of(report.metrics[metric].higher_is_better)
        return -sign * value, report.step is None, report.step or 0, natural(report.name)

    ordered = sorted(known, key=place)
    standings = []
    for rank, (report, full) in enumerate(ordered, 1):
        behind, better = None, None
        if rank > 1:
            found = compare(ordered[0][0], report, metrics=[metric], level=level)
            behind = found.paired[metric]
            better = found.full[metric].probability if metric in found.full else None
        standings.append(
            Standing(
                rank, report.name, report.step, report.means, full, behind, better, report.created
            )
        )
    return Leaderboard(
        metric,
        level,
        tuple(standings),
        dict(failed or {}),
        dict(waiting or {}),
        ordered[0][0].warnings if ordered else (),
    )


def _cells(one: Standing, metric: str, calibrated: bool) -> list[str]:
    row = [str(one.rank), one.name, "-" if one.step is None else str(one.step)]
    row.append(f"{one.means[metric]:.4g}")
    full, behind = one.full, one.behind
    if calibrated:
        row.append("-" if full is None else f"{full.value:.4g} +- {full.high - full.value:.2g}")
        row.append("-" if one.best_is_better is None else f"{one.best_is_better:.3f}")
    elif behind is None:
        row.append("-")
    else:
        error = "" if math.isnan(behind.error) else f" +- {behind.error:.2g}"
        row.append(f"{abs(behind.value):.3g}{error}")
    return [*row, one.created.replace("T", " ")[:16]]


def _answer(board: Leaderboard) -> str:
    count = len(board.standings)
    if board.best is None:
        return "No checkpoint is evaluated yet"
    said = f"The best of {count} checkpoint{'' if count == 1 else 's'} is {board.best.name}"
    if count == 1:
        return said
    sure = board.standings[1].best_is_better
    return said + ("" if sure is None else f" (better than the next with probability {sure:.2f})")
