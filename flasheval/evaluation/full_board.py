"""A leaderboard of models that were evaluated on subsets only: predicted full scores in order.

The variants that a manifest knows stand beside them with their true full scores, so that a new
model finds its place without one more image of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.checks import checked_names
from flasheval.base.drawing.brief import Brief
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.drawing.view import Figure, Line, Part, Plot, Series, Table, View, lines
from flasheval.base.errors import DataError
from flasheval.base.text import first_few
from flasheval.evaluation.comparison import compare
from flasheval.evaluation.report import Report
from flasheval.scores.leaderboard.files import finite, write_board
from flasheval.scores.leaderboard.table import rank_range
from flasheval.scores.matrix import sign_of
from flasheval.scores.ranking.simultaneous import (
    check_level,
    rank_intervals,
    shared_ranks,
    tie_groups,
)

__all__ = ["FullBoard", "FullStandings", "rank_reports"]

_FIRST, _BESIDE = 3, 2  # known variants shown: the best, and those on each side of a model
_DRAWN = 60  # models in a plot


@dataclass(frozen=True, eq=False, repr=False)
class FullStandings(Brief):
    """One metric's order of models evaluated on subsets and of the known variants.

    Attributes:
        metric: The metric.
        higher_is_better: Its direction.
        models: Names, the best first.
        values: Full scores, float64 [models]: predicted, or measured where a variant is known.
        low: Lower ends of their intervals, each alone; the value itself where it is known.
        high: Upper ends.
        best: Best possible ranks, int64 [models].
        worst: Worst possible ranks.
        separated: Pairs told apart, bool [models, models].
        prompts: How many prompts each was evaluated on; None for the whole set.

    """

    metric: str
    higher_is_better: bool
    models: tuple[str, ...]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    best: NDArray[np.int64]
    worst: NDArray[np.int64]
    separated: NDArray[np.bool_]
    prompts: tuple[int | None, ...]

    @property
    def evaluated(self) -> tuple[int, ...]:
        """Places, from 0, of the models evaluated on a subset."""
        return tuple(place for place, count in enumerate(self.prompts) if count is not None)

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Names of each group that cannot be told apart: neighbours, in as few groups as hold."""
        places = tie_groups(self.separated)
        return tuple(self.models[first : last + 1] for first, last in places)


@dataclass(frozen=True, eq=False, repr=False)
class FullBoard(Shown):
    """Models in the order of their full scores, predicted or known; prints as tables.

    Attributes:
        prompt_set: Name of the prompt set.
        level: Probability that an interval holds, each alone; and that all rank intervals of one
            metric hold together.
        standings: One a metric.
        notes: What a reader must know, one line each.

    """

    kind = "full_board"

    prompt_set: str
    level: float
    standings: tuple[FullStandings, ...]
    notes: tuple[str, ...] = ()

    def view(self, *, detail: bool = False) -> View:
        """Return who leads, a table a metric and a plot; in detail every row there is."""
        parts: list[Part] = [Line(" ".join(map(_answer, self.standings)), "headline")]
        parts.append(
            Line(
                f"full scores on {self.prompt_set}: predicted for models evaluated on a subset, "
                "measured for the known ones; all ranks of one metric hold together "
                f"({self.level:.0%})"
            )
        )
        for one in self.standings:
            parts += [Line(""), _table(one, self.level, detail=detail)]
            if not detail and (hidden := len(one.models) - len(_shown(one))):
                parts.append(
                    Line(f"... {hidden:,} more known ones; out=FOLDER writes all", "faint")
                )
        plots: list[Plot | None] = [_plot(one) for one in self.standings]
        caption = f"full scores, the predicted ones with their {self.level:.0%} intervals"
        figure = Figure([[plot] for plot in plots], f"Leaderboard of {self.prompt_set}", caption)
        return View((*parts, figure, *lines(self.notes, "warning")))

    def to_csv(self) -> str:
        """Return one row for each model and metric, as CSV; known variants have no prompts."""
        return csv_for_people(
            [["metric", *_COLUMNS], *(list(row.values()) for row in self._rows())]
        )

    def _brief(self) -> str:
        models = max(len(one.evaluated) for one in self.standings)
        metrics = first_few([one.metric for one in self.standings])
        return f"{models} evaluated among the known models of {self.prompt_set} by {metrics}"

    def _rows(self) -> list[dict[str, object]]:
        return [
            {"metric": one.metric, **dict(zip(_COLUMNS, row, strict=True))}
            for one in self.standings
            for row in _rows(one)
        ]

    def _data(self) -> dict[str, Any]:
        return {
            "prompt_set": self.prompt_set,
            "level": self.level,
            "standings": [
                {
                    "metric": one.metric,
                    "higher_is_better": one.higher_is_better,
                    "models": [dict(zip(_COLUMNS, row, strict=True)) for row in _rows(one)],
                    "groups": [list(names) for names in one.groups],
                }
                for one in self.standings
            ],
            "warnings": list(self.notes),
        }

    def save(self, folder: str | Path) -> Path:
        """Write `rank.md`, `rank.json`, `rank.csv` and `rank.png`; return the folder.

        Raises DataError when a file cannot be written.
        """
        return write_board(Path(folder), self.view(detail=True), self.to_csv(), self.to_dict())


_COLUMNS = ("rank", "model", "full", "low", "high", "best_rank", "worst_rank", "prompts")


def rank_reports(
    reports: Sequence[Report],
    *,
    metric: str | Sequence[str] | None = None,
    level: float = 0.95,
) -> FullBoard:
    """Rank models that were evaluated on subsets of one prompt set, beside its known variants.

    Two models evaluated on one subset with the same seed and scorers are compared prompt by
    prompt, others by their intervals; a known variant by its full score and the other's interval.
    For ranks that hold together each of these is asked at a stricter level (Bonferroni's, over
    the models evaluated and their pairs).

    Args:
        reports: Of `flasheval.evaluate`, a model each.
        metric: One metric or several; all that some report predicts when not given.
        level: Probability that a full score lies in its interval, each alone; and that all rank
            intervals of one metric hold together.

    Raises:
        SettingError: A level outside (0, 1).
        DataError: Reports of several prompt sets or of none, and no full score predicted.

    Example:
        >>> from flasheval.evaluation import MetricScores
        >>> import flasheval
        >>> subset = flasheval.load_subset("coco-clip-50")
        >>> scores = {"CLIP": MetricScores("1", True, (0.99,) * subset.size)}
        >>> board = rank_reports([Report(subset, 0, scores, "mine")])
        >>> board.standings[0].models[0], board.standings[0].prompts[:2]
        ('mine', (50, None))

    """
    check_level(level)
    if not reports:
        raise DataError("there is no report; expected at least one, of flasheval evaluate")
    _check_one_prompt_set(reports)
    names = _unique_names(reports)
    metrics = checked_names("metric", metric) or tuple(
        dict.fromkeys(name for one in reports for name in one.metrics)
    )
    standings, notes = [], []
    for name in metrics:
        usable = [i for i, one in enumerate(reports) if name in one.predict()]
        lacking = [names[i] for i in range(len(reports)) if i not in usable]
        if lacking:
            notes.append(
                f"{name}: left out {', '.join(lacking)}, for which no full score is predicted "
                "(not scored, a score is missing, or the subset is not calibrated for it)"
            )
        if usable:
            chosen, called = [reports[i] for i in usable], [names[i] for i in usable]
            standings.append(_standings(chosen, called, name, level))
    if not standings:
        raise DataError(f"no model has a full score to rank by: {'; '.join(notes)}")
    for name, one in zip(names, reports, strict=True):
        notes += [f"{name}: {line}" for line in one.warnings]
    return FullBoard(reports[0].subset.prompt_set_name, level, tuple(standings), tuple(notes))


def _check_one_prompt_set(reports: Sequence[Report]) -> None:
    # A manifest that names no hash says nothing against any.
    subsets = [one.subset for one in reports if one.subset.prompt_set_hash is not None]
    sets = {subset.prompt_set_hash: subset for subset in subsets}
    if len(sets) > 1:
        first, second, *_ = sets.values()
        raise DataError(
            f"subsets {first.name!r} and {second.name!r} are of different prompt sets "
            f"({first.prompt_set_name}, {second.prompt_set_name}); rank each on its own"
        )


def _unique_names(reports: Sequence[Report]) -> list[str]:
    names: list[str] = []
    for number, one in enumerate(reports, 1):
        name = one.name or f"model {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def _standings(
    reports: Sequence[Report], names: Sequence[str], metric: str, level: float
) -> FullStandings:
    known = _known(reports, metric, names)
    count = len(reports)
    # Each model's place among the known ones is one question, each pair of models another.
    strict = 1 - (1 - level) / (count * (count + 1) // 2)
    alone = [one.predict(level=level)[metric] for one in reports]
    together = [one.predict(level=strict)[metric] for one in reports]
    values = np.array([*(one.value for one in alone), *known.values()])
    low = np.array([*(one.low for one in alone), *known.values()])
    high = np.array([*(one.high for one in alone), *known.values()])
    least = np.array([*(one.low for one in together), *known.values()])
    most = np.array([*(one.high for one in together), *known.values()])
    separated = (most[:, None] < least) | (least[:, None] > most)
    for i in range(count):
        for j in range(i):
            paired = _told_apart(reports[i], reports[j], metric, strict)
            if paired is not None:
                separated[i, j] = separated[j, i] = paired
    higher = reports[0].metrics[metric].higher_is_better
    better = sign_of(higher) * values
    best, worst = rank_intervals(better, separated)
    order = np.argsort(-better, kind="stable")
    models = [*names, *known]
    prompts = [*(one.subset.size for one in reports), *[None] * len(known)]
    return FullStandings(
        metric,
        higher,
        tuple(models[i] for i in order),
        values[order],
        low[order],
        high[order],
        best[order],
        worst[order],
        separated[np.ix_(order, order)],
        tuple(prompts[i] for i in order),
    )


def _known(reports: Sequence[Report], metric: str, names: Sequence[str]) -> dict[str, float]:
    """Return the known variants' full scores, by a name that no evaluated model has."""
    found: dict[str, float] = {}
    for report in reports:
        for one in report.subset.record.known_variants:
            if metric in one.full_means:
                name = f"{one.name} (known)" if one.name in names else one.name
                found.setdefault(name, float(one.full_means[metric]))
    return found


def _told_apart(first: Report, second: Report, metric: str, level: float) -> bool | None:
    """Tell whether a paired comparison decides two models; None where there can be none."""
    try:
        found = compare(first, second, level=level, related=False).full.get(metric)
    except DataError:  # of other subsets, seeds or scorers: their intervals decide
        return None
    return None if found is None else not found.low <= 0 <= found.high


def _answer(one: FullStandings) -> str:
    first, *others = one.evaluated
    count = len(one.models)
    place = f"rank {rank_range(one.best[first], one.worst[first])} of {count}"
    if not others:
        return f"{one.metric}: {one.models[first]} takes {place}."
    said = f"{one.metric}: {one.models[first]} is the first of {len(others) + 1} models evaluated"
    tied = [one.models[i] for i in others if not one.separated[first, i]]
    apart = f"not told apart from {first_few(tied, 2)}" if tied else "told apart from all"
    return f"{said}, {apart}; {place}."


def _table(one: FullStandings, level: float, *, detail: bool) -> Table:
    places = range(len(one.models)) if detail else _shown(one)
    every = _rows(one)
    rows, before = [], -1
    for place in places:
        if place > before + 1:
            rows.append(("...", *[""] * 5))
        before = place
        rank, name, full, low, high, best, worst, prompts = every[place]
        known = prompts is None
        rows.append(
            (
                str(rank),
                name,
                f"{full:.4g}",
                "-" if known else f"{low:.4g} to {high:.4g}",
                rank_range(best, worst),
                "all" if known else f"{prompts:,}",
            )
        )
    better = "higher" if one.higher_is_better else "lower"
    titles = ("rank", "model", "full score", f"{level:.0%}", "ranks", "prompts")
    return Table(titles, rows, left=2, strong=4, caption=f"{one.metric} ({better} is better)")


def _shown(one: FullStandings) -> list[int]:
    """Return the places of the models evaluated, of the best and of those beside them."""
    beside = {place + by for place in one.evaluated for by in range(-_BESIDE, _BESIDE + 1)}
    return sorted((beside | set(range(_FIRST))) & set(range(len(one.models))))


def _plot(one: FullStandings) -> Plot:
    count = min(len(one.models), _DRAWN)
    series = []
    for name, known in (("evaluated on a subset, predicted", False), ("known", True)):
        rows = [row for row in range(count) if (one.prompts[row] is None) == known]
        if rows:
            x, low, high = (part[rows].tolist() for part in (one.values, one.low, one.high))
            series.append(Series(name, x, list(map(float, rows)), low, high))
    ends = (min(min(s.low) for s in series), max(max(s.high) for s in series))
    better = "higher" if one.higher_is_better else "lower"
    more = f", the first {count} of {len(one.models):,}" if count < len(one.models) else ""
    title = f"{one.metric}{more}"
    return Plot(
        title, f"full score ({better} is better)", "", series, ends, rows=one.models[:count]
    )


def _rows(one: FullStandings) -> list[list[Any]]:
    columns = (one.values, one.low, one.high, one.best, one.worst)
    rows = zip(
        shared_ranks(one.values).tolist(),
        one.models,
        *(column.tolist() for column in columns),
        one.prompts,
        strict=True,
    )
    return [
        [rank, name, *(finite(value) for value in (full, low, high)), best, worst, prompts]
        for rank, name, full, low, high, best, worst, prompts in rows
    ]
