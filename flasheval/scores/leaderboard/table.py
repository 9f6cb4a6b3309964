"""A leaderboard's view: the answer, its tables for 80 columns and its plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from flasheval.base.drawing.view import Figure, Line, Part, Plot, Series, Table, View, lines
from flasheval.base.text import first_few
from flasheval.scores.leaderboard.frontier import (
    IMAGE_SECONDS,
    evaluations_cell,
    frontier_figure,
    frontier_parts,
    seconds_cell,
)
from flasheval.scores.ranking.kendall import kendall_tau_b

if TYPE_CHECKING:
    from flasheval.scores.leaderboard.board import Agreement, Board
    from flasheval.scores.leaderboard.standings import Standings

__all__ = ["board_view", "group_names", "rank_range", "standings_plot"]

_NAME = 36  # letters of a name that leave room for metrics side by side
_ROWS = 100  # variants shown, where nothing is written in detail
_DRAWN = 60  # variants in a plot
_WIDTH, _METRIC = 80, 20  # columns of a page, and those of a metric beside others
_COSTS, _MARK = 18, 2  # columns of seconds and evaluations, and of the frontier's mark
_FRONTIER = "*"  # stands before the mean of a variant on the frontier
_FLIPS = 5  # pairs that flip, where nothing is written in detail
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def board_view(board: Board, *, detail: bool = False) -> View:
    """Return who leads, tables for 80 columns and a plot; in detail every table there is."""
    parts: list[Part] = [Line(" ".join(_answer(one, board) for one in board.standings), "headline")]
    parts += [Line(_about(one, board)) for one in board.standings]
    if len(board.standings) == 1 or detail:
        for one in board.standings:
            parts += [Line(""), _standings_table(one, board.level, detail=detail)]
    else:
        longest = max(len(name) for one in board.standings for name in one.variants)
        costly = any(one.seconds.size for one in board.standings)
        aside = (_WIDTH - min(longest, _NAME) - _COSTS * costly) // (_METRIC + _MARK * costly)
        for start in range(0, len(board.standings), aside):
            parts += [Line(""), _side_by_side(board.standings[start : start + aside])]
    if any(one.on_frontier.any() for one in board.standings):
        parts.append(
            Line(f"{_FRONTIER} on the frontier: no variant is faster and as good", "faint")
        )
    hidden = max(len(one.variants) for one in board.standings) - _ROWS
    if hidden > 0 and not detail:
        parts.append(Line(f"... {hidden:,} more; out=FOLDER writes all", "faint"))
    if board.agreements:
        parts += [Line(""), _agreement_table(board.agreements, board.level)]
        parts += _flips(board.agreements, detail=detail)
    for one in board.standings if board.parts else ():
        parts += [Line(""), _tag_table(one, board)]
    parts += frontier_parts(board.standings, detail=detail)
    costs = frontier_figure(board.standings)
    parts += [_figure(board), *(() if costs is None else (costs,))]
    return View((*parts, *lines(board.notes, "warning")))


def _answer(one: Standings, board: Board) -> str:
    limit = "" if board.max_seconds is None else f" at most {board.max_seconds:g} s an image"
    metric = f"{one.metric}{limit and f',{limit}'}"
    first, others = one.variants[0], [name for name in one.leaders if name != one.variants[0]]
    if len(one.variants) == 1:
        return f"{metric}: {first} is the only variant."
    if not others:
        return f"{metric}: {first} leads, told apart from all others."
    return f"{metric}: {first} is first, but not told apart from {first_few(others, 2)}."


def _about(one: Standings, board: Board) -> str:
    better = "higher" if one.higher_is_better else "lower"
    clusters = "" if board.clusters is None else f" in {one.units:,} clusters ({board.clusters})"
    said = (
        f"{one.metric} ({better} is better): {len(one.variants)} variants, {one.prompts:,} prompts "
        f"of {board.prompt_set}{clusters}"
    )
    if not one.pairs:
        return said
    beyond = f", beyond {one.critical:.2f} errors" if math.isfinite(one.critical) else ""
    return (
        f"{said}; {one.tied_pairs:,} of {one.pairs:,} pairs are not told apart, all tested at once "
        f"({board.level:.0%}{beyond}); near ties, each pair alone within 2 errors: "
        f"{one.near_ties:,} ({one.near_ties / one.pairs:.0%})"
    )


def _standings_table(one: Standings, level: float, *, detail: bool) -> Table:
    places = one.places
    ranks = one.ranks
    costs = _cost_columns(one)
    marks = _marks(one)
    rows = []
    for place, name in enumerate(one.variants[: None if detail else _ROWS]):
        interval = f"{one.low[place]:.4g} to {one.high[place]:.4g}"
        if costs and not detail:
            interval = f"+-{(one.high[place] - one.low[place]) / 2:.2g}"
        rows.append(
            (
                str(ranks[place]),
                name,
                *(cells[place] for cells in costs.values()),
                f"{marks[place]}{one.means[place]:.4g}",
                interval if math.isfinite(one.low[place]) else "-",
                rank_range(int(one.best[place]), int(one.worst[place])),
                group_names(place, places),
            )
        )
    titles = ("rank", "variant", *costs, "mean", f"{level:.0%}", "ranks", "ties")
    strong = 4 + len(costs)
    return Table(titles, rows, left=2, strong=strong, caption=f"{one.metric}" if detail else "")


def _cost_columns(one: Standings) -> dict[str, list[str]]:
    """Return columns of what an image of each variant costs, as far as that is known."""
    if not one.seconds.size:
        return {}
    columns = {IMAGE_SECONDS: [seconds_cell(seconds) for seconds in one.seconds.tolist()]}
    if any(count is not None for count in one.evaluations):
        columns["evals"] = [evaluations_cell(count) for count in one.evaluations]
    return columns


def _marks(one: Standings) -> list[str]:
    return [f"{_FRONTIER} " if on else "" for on in one.on_frontier.tolist()]


def _side_by_side(standings: tuple[Standings, ...]) -> Table:
    names = dict.fromkeys(name for one in standings for name in one.variants)
    shown = list(names)[:_ROWS]
    places = [{name: place for place, name in enumerate(one.variants)} for one in standings]
    columns = [_cost_columns(one) for one in standings]
    kinds = dict.fromkeys(title for costs in columns for title in costs)
    all_marks = [_marks(one) for one in standings]
    rows = []
    for name in shown:
        row = [name]
        for title in kinds:
            known = (
                costs[title][at[name]]
                for costs, at in zip(columns, places, strict=True)
                if title in costs and name in at
            )
            row.append(next(known, "-"))
        for one, at, marks in zip(standings, places, all_marks, strict=True):
            place = at.get(name)
            if place is None:
                row += ["-", "-"]
            else:
                ranks = rank_range(int(one.best[place]), int(one.worst[place]))
                row += [f"{marks[place]}{one.means[place]:.4g}", ranks]
        rows.append(tuple(row))
    titles = ["\nvariant", *(f"\n{title}" for title in kinds)]
    for one in standings:
        titles += [f"{one.metric}\nmean", "\nranks"]
    return Table(titles, rows)


def _agreement_table(agreements: tuple[Agreement, ...], level: float) -> Table:
    rows = [
        (
            f"{one.first} and {one.second}",
            "-" if math.isnan(one.tau) else f"{one.tau:.3f}",
            "-" if math.isnan(one.low) else f"{one.low:.3f} to {one.high:.3f}",
            str(one.variants),
            f"{len(one.flips):,}",
        )
        for one in agreements
    ]
    titles = ("two metrics' orders", "tau", f"{level:.0%}", "variants", "pairs that flip")
    return Table(titles, rows)


def _flips(agreements: tuple[Agreement, ...], *, detail: bool) -> list[Part]:
    said: list[Part] = []
    for one in agreements:
        shown = one.flips if detail else one.flips[:_FLIPS]
        said += [
            Line(f"{one.first} has {better} before {worse}, {one.second} the reverse", "item")
            for better, worse in shown
        ]
        if len(shown) < len(one.flips):
            said.append(Line(f"... {len(one.flips) - len(shown):,} more pairs flip", "faint"))
    return said


def _tag_table(whole: Standings, board: Board) -> Table:
    rows = []
    for value, standings in board.parts.items():
        (one,) = (found for found in standings if found.metric == whole.metric)
        more = len(one.leaders) - 1
        apart = f"{1 - one.tied_pairs / one.pairs:.0%}" if one.pairs else "-"
        place = {name: number for number, name in enumerate(one.variants)}
        means = one.means[[place[name] for name in whole.variants]]
        tau = kendall_tau_b(whole.means, means)
        rows.append(
            (
                value,
                f"{one.prompts:,}",
                one.variants[0] + (f" (+{more} tied)" if more else ""),
                apart,
                "-" if math.isnan(tau) else f"{tau:.2f}",
            )
        )
    titles = (
        f"\n{board.by}",
        "\nprompts",
        f"\nfirst in {whole.metric}",
        "pairs\napart",
        "tau with\nall",
    )
    return Table(titles, rows, left=1)


def _figure(board: Board) -> Figure:
    plots: list[Plot | None] = [standings_plot(one) for one in board.standings]
    panels = [plots[start : start + 2] for start in range(0, len(plots), 2)]
    if len(panels) > 1 and len(panels[-1]) == 1:
        panels[-1].append(None)
    caption = f"means with their {board.level:.0%} intervals, each alone, in the order of the means"
    return Figure(panels, f"Leaderboard of {board.prompt_set}", caption)


def standings_plot(one: Standings, label: str = "mean") -> Plot:
    """Return the first variants' means with their intervals, those tied with the first apart."""
    count = min(len(one.variants), _DRAWN)
    tied = ~one.separated[0]
    series = []
    for name, chosen in (("not told apart from the first", tied), ("behind the first", ~tied)):
        rows = [row for row in range(count) if chosen[row]]
        low, high = (
            [float(end[row]) if math.isfinite(end[row]) else float(one.means[row]) for row in rows]
            for end in (one.low, one.high)
        )
        if rows:
            means = [float(one.means[row]) for row in rows]
            series.append(Series(name, means, [float(row) for row in rows], low, high))
    more = f", the first {count} of {len(one.variants):,}" if count < len(one.variants) else ""
    ends = (min(min(s.low) for s in series), max(max(s.high) for s in series))
    better = "higher" if one.higher_is_better else "lower"
    return Plot(
        f"{one.metric}{more}",
        f"{label} ({better} is better)",
        "",
        series,
        ends,
        rows=one.variants[:count],
    )


def rank_range(best: int, worst: int) -> str:
    """Return a variant's possible ranks in words: 2, or 2-5."""
    return str(best) if best == worst else f"{best}-{worst}"


def group_names(place: int, places: tuple[tuple[int, int], ...]) -> str:
    """Name the groups that a place is in: letters, or numbers where there are many."""
    mine = [number for number, (first, last) in enumerate(places) if first <= place <= last]
    if len(places) <= len(_LETTERS):
        return "".join(_LETTERS[number] for number in mine)
    return rank_range(mine[0] + 1, mine[-1] + 1)
