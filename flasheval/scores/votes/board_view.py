"""A board of votes as plain data: the answer, tables for 80 columns and a plot."""

from __future__ import annotations

import math

from flasheval.base.drawing.view import Figure, Line, Part, Table, View, lines
from flasheval.base.text import first_few
from flasheval.scores.leaderboard.table import group_names, rank_range, standings_plot
from flasheval.scores.votes.board_parts import BoardParts

__all__ = ["votes_view"]

_ROWS = 100  # variants shown, where nothing is written in detail
_PAIRS = 10  # pairs shown, where nothing is written in detail
_MODELS = {"davidson": "Davidson's nu", "rao_kupper": "Rao and Kupper's kappa"}


def votes_view(board: BoardParts, *, detail: bool = False) -> View:
    """Return who wins, tables for 80 columns and a plot; in detail every table there is."""
    parts: list[Part] = [Line(_answer(board), "headline"), *map(Line, _about(board)), Line("")]
    if board.standings is not None:
        parts += [_strengths(board, detail=detail), Line("")]
    parts.append(_rates(board, detail=detail))
    if len(board.variants) > _ROWS and not detail:
        more = len(board.variants) - _ROWS
        parts.append(Line(f"... {more:,} more; out=FOLDER writes all", "faint"))
    if detail or len(board.pairs) <= _PAIRS:
        parts += [Line(""), _pairs(board)]
    if board.standings is not None:
        caption = f"strengths with their {board.level:.0%} intervals, each alone"
        plot = standings_plot(board.standings, "strength in log-odds")
        parts.append(Figure([[plot]], f"Votes on {board.prompt_set}", caption))
    return View((*parts, *lines(_warnings(board), "warning")))


def _answer(board: BoardParts) -> str:
    first = board.variants[0]
    if board.standings is None or board.expected is None:
        share, low, high = board.rates.of("share")
        at = board.order[0]
        return (
            f"{first} won most: {_share(share[at], low[at], high[at], board.level)} of its votes."
        )
    expected, at = board.expected, board.order[0]
    much = _share(expected.shares[at], expected.low[at], expected.high[at], board.level)
    others = [name for name in board.standings.leaders if name != first]
    if not others:
        return f"{first} wins, told apart from all others: {much} of votes against the others."
    return (
        f"{first} is first, but not told apart from {first_few(others, 2)}: {much} of votes "
        "against the others."
    )


def _about(board: BoardParts) -> list[str]:
    raters = f" by {board.raters:,} rater{'' if board.raters == 1 else 's'}" if board.raters else ""
    together = {
        ("prompt",): "votes on one prompt",
        ("rater",): "votes of one rater",
        ("prompt", "rater"): "votes on one prompt and votes of one rater",
    }[board.clusters]
    said = [
        f"{board.votes:,} votes on {board.prompts:,} prompts of {board.prompt_set}{raters}; "
        f"in intervals {together} err together"
    ]
    one = board.standings
    if one is not None and board.fit is not None:
        nu = board.fit.tie_parameter
        tie = "" if nu is None else f"; {_MODELS[board.ties]} {nu:.2f}"
        said.append(
            f"{one.tied_pairs:,} of {one.pairs:,} pairs are not told apart, all tested at once "
            f"({board.level:.0%}){tie}"
        )
    agreed = board.agreement
    if agreed.items:
        alpha = "" if math.isnan(agreed.alpha) else f"; Krippendorff's alpha {agreed.alpha:.2f}"
        said.append(
            f"raters agree in {agreed.raw:.0%} of the pairs of votes on what several judged "
            f"({agreed.items:,} items{alpha})"
        )
    circles = board.circles
    if circles.triples:
        said.append(
            f"majorities run in a circle in {circles.circular:,} of {circles.triples:,} triples of "
            f"variants (coins: {circles.chance:,.0f})"
        )
    if board.left is not None:
        n, share, low, high = board.left
        much = _share(share, low, high, board.level)
        said.append(f"the one shown left won {much} of {n:,} votes with a winner")
    if not math.isnan(board.seconds):
        said.append(f"half of the votes took less than {board.seconds:.1f} seconds")
    return said


def _warnings(board: BoardParts) -> list[str]:
    said = list(board.notes)
    if board.left is not None:
        _, share, low, high = board.left
        if not low <= 0.5 <= high and not math.isnan(low):
            side = "left" if share > 0.5 else "right"
            said.append(
                f"the side counts: raters lean to the {side}; show each pair in both orders, or in "
                "a random one"
            )
    return said


def _strengths(board: BoardParts, *, detail: bool) -> Table:
    one, expected = board.standings, board.expected
    assert one is not None  # noqa: S101 - asked for where there are strengths
    assert expected is not None  # noqa: S101
    rows = []
    for place, at in enumerate(board.order[: None if detail else _ROWS]):
        ranks = rank_range(int(one.best[place]), int(one.worst[place]))
        rows.append(
            (
                str(one.ranks[place]),
                board.labels[at],
                _percent(expected.shares[at]),
                _interval(expected.low[at], expected.high[at]),
                f"{one.means[place]:+.2f}",
                ranks,
                group_names(place, one.places),
            )
        )
    titles = ("rank", "variant", "expected", f"{board.level:.0%}", "strength", "ranks", "ties")
    caption = "share of wins expected against all others, and strength in log-odds"
    return Table(titles, rows, left=2, strong=2, caption=caption)


def _rates(board: BoardParts, *, detail: bool) -> Table:
    rates = board.rates
    share, low, high = rates.of("share")
    rows = []
    for at in board.order[: None if detail else _ROWS]:
        cells = [_percent(one) for one in rates.values[:, at]]
        rows.append(
            (
                board.labels[at],
                f"{rates.votes[at]:,}",
                *cells[:3],
                _percent(share[at]),
                _interval(low[at], high[at]),
            )
        )
    titles = ("variant", "votes", "won", "tied", "lost", "share", f"{board.level:.0%}")
    return Table(titles, rows, caption="rates over its own votes; a tie is half of a share")


def _pairs(board: BoardParts) -> Table:
    rates = board.pair_rates
    share, low, high = rates.of("share")
    rows = []
    for row, (first, second) in enumerate(board.pairs.tolist()):
        cells = [_percent(one) for one in rates.values[:3, row]]
        names = f"{board.labels[first]} and {board.labels[second]}"
        interval = _interval(low[row], high[row])
        rows.append((names, f"{rates.votes[row]:,}", *cells, _percent(share[row]), interval))
    titles = ("pair", "votes", "won", "tied", "lost", "share", f"{board.level:.0%}")
    return Table(titles, rows, caption="rates of the first of each pair")


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.0%}"


def _interval(low: float, high: float) -> str:
    return "-" if math.isnan(low) else f"{low:.0%} to {high:.0%}"


def _share(share: float, low: float, high: float, level: float) -> str:
    if math.isnan(low):
        return _percent(share)
    return f"{_percent(share)} ({level:.0%}: {_interval(low, high)})"
