"""The files of a board of votes: Markdown for people, JSON and CSV for programs, a plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flasheval.base.drawing.markdown import markdown
from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.files import atomic_write
from flasheval.base.json_data import write_json
from flasheval.scores.leaderboard.files import finite
from flasheval.scores.votes.board_parts import BoardParts
from flasheval.scores.votes.board_view import votes_view
from flasheval.scores.votes.rates import KINDS, Rates

__all__ = [
    "CSV",
    "DATA",
    "PLOT",
    "TEXT",
    "save_votes_board",
    "votes_csv",
    "votes_data",
    "votes_rows",
]

TEXT, DATA, CSV, PLOT = "votes.md", "votes.json", "votes.csv", "votes.png"
_COLUMNS = (
    *("rank", "variant", "votes", "won", "tied", "lost", "share", "share_low", "share_high"),
    *("expected", "expected_low", "expected_high", "strength", "strength_low", "strength_high"),
    *("best_rank", "worst_rank", "groups"),
)


def save_votes_board(board: BoardParts, folder: Path, data: dict[str, Any]) -> Path:
    """Write the files into a folder and return it; DataError where one cannot be written.

    `data` is what stands in the JSON.
    """
    from flasheval.base.drawing.figures import save_png

    view = votes_view(board, detail=True)
    image = PLOT if view.figures else ""
    texts = {TEXT: f"# Votes\n\n{markdown(view, image=image)}", CSV: votes_csv(board)}
    for name, text in texts.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_text(text, "utf-8")
    write_json(folder / DATA, data)
    if view.figures:
        save_png(view.figures[0], folder / PLOT)
    return folder


def votes_csv(board: BoardParts) -> str:
    """Return one row for each variant, the strongest first, as CSV."""
    rows = votes_rows(board)
    return csv_for_people([_COLUMNS, *(list(row.values()) for row in rows)])


def votes_rows(board: BoardParts) -> list[dict[str, Any]]:
    """Return one row for each variant, the strongest first; groups are numbers in a text."""
    rows = [
        [" ".join(map(str, v)) if isinstance(v, list) else v for v in row] for row in _rows(board)
    ]
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def votes_data(board: BoardParts) -> dict[str, Any]:
    """Return a board as JSON data; a number that is not finite is None."""
    fit, one, agreed = board.fit, board.standings, board.agreement
    names = board.labels
    return {
        "prompt_set": board.prompt_set,
        "votes": board.votes,
        "prompts": board.prompts,
        "raters": board.raters,
        "level": board.level,
        "clusters": list(board.clusters),
        "ties": board.ties,
        "tie_parameter": None if fit is None else fit.tie_parameter,
        "tied_pairs": None if one is None else one.tied_pairs,
        "variants": [dict(zip(_COLUMNS, row, strict=True)) for row in _rows(board)],
        "groups": None if one is None else [list(group) for group in one.groups],
        "pairs": [
            {"first": names[first], "second": names[second], **_rates(board.pair_rates, row)}
            for row, (first, second) in enumerate(board.pairs.tolist())
        ],
        "agreement": {
            "items": agreed.items,
            "votes": agreed.votes,
            "raw": finite(agreed.raw),
            "alpha": finite(agreed.alpha),
        },
        "circles": {"triples": board.circles.triples, "circular": board.circles.circular},
        "left": None
        if board.left is None
        else dict(zip(("votes", "won", "low", "high"), map(_plain, board.left), strict=True)),
        "median_seconds": finite(board.seconds),
        "warnings": list(votes_view(board).warnings),
    }


def _plain(value: float) -> float | None:
    return value if isinstance(value, int) else finite(value)


def _rates(rates: Rates, at: int) -> dict[str, Any]:
    found: dict[str, Any] = {"votes": int(rates.votes[at])}
    for row, kind in enumerate(KINDS):
        found[kind] = finite(float(rates.values[row, at]))
        found[f"{kind}_low"] = finite(float(rates.low[row, at]))
        found[f"{kind}_high"] = finite(float(rates.high[row, at]))
    return found


def _rows(board: BoardParts) -> list[list[Any]]:
    one, expected = board.standings, board.expected
    rows = []
    for place, at in enumerate(board.order):
        rates = _rates(board.rates, at)
        row = [rates[key] for key in ("votes", *KINDS, "share_low", "share_high")]
        if one is None or expected is None:
            rows.append([place + 1, board.labels[at], *row, *[None] * 8, []])
            continue
        shares = [float(x[at]) for x in (expected.shares, expected.low, expected.high)]
        strength = [float(x[place]) for x in (one.means, one.low, one.high)]
        groups = [n for n, (first, last) in enumerate(one.places, 1) if first <= place <= last]
        numbers = map(finite, (*shares, *strength))
        ranks = [int(one.best[place]), int(one.worst[place])]
        rows.append([int(one.ranks[place]), board.labels[at], *row, *numbers, *ranks, groups])
    return rows
