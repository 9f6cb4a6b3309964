"""The files of a leaderboard: Markdown for people, JSON and CSV for programs, a plot."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.drawing.markdown import markdown
from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.files import atomic_write
from flasheval.base.json_data import write_json
from flasheval.scores.leaderboard.frontier import steps_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flasheval.base.drawing.view import View
    from flasheval.scores.leaderboard.board import Board
    from flasheval.scores.leaderboard.standings import Standings

__all__ = [
    "CSV",
    "DATA",
    "PLOT",
    "SECONDS_PLOT",
    "TEXT",
    "board_csv",
    "board_data",
    "board_rows",
    "finite",
    "write_board",
]

TEXT, DATA, CSV, PLOT = "rank.md", "rank.json", "rank.csv", "rank.png"
SECONDS_PLOT = "rank-seconds.png"
_COLUMNS = ("rank", "variant", "mean", "low", "high", "best_rank", "worst_rank")
_COSTS = ("seconds", "evaluations", "frontier")


def write_board(folder: Path, view: View, table: str, data: Mapping[str, Any]) -> Path:
    """Write a leaderboard's files into a folder and return it.

    `view` is in detail; its first figure becomes the plot, a second one that of score against
    seconds. `table` is the CSV, `data` the JSON. Raises DataError where one cannot be written.
    """
    from flasheval.base.drawing.figures import save_png

    plots = dict(zip((PLOT, SECONDS_PLOT), view.figures, strict=False))
    texts = {TEXT: f"# Leaderboard\n\n{markdown(view, image=list(plots))}", CSV: table}
    for name, text in texts.items():
        with atomic_write(folder / name) as temporary:
            temporary.write_text(text, "utf-8")
    write_json(folder / DATA, dict(data))
    for name, figure in plots.items():
        save_png(figure, folder / name)
    if SECONDS_PLOT not in plots:  # of an earlier leaderboard in this folder
        (folder / SECONDS_PLOT).unlink(missing_ok=True)
    return folder


def board_csv(board: Board) -> str:
    """Return one row for each variant, metric and value of the tag, as CSV."""
    return csv_for_people(board_rows(board))


def board_rows(board: Board) -> list[list[object]]:
    """Return titles, then a row for each variant, metric and value of the tag.

    Those of the whole set come first.
    """
    by = [] if board.by is None else [board.by]
    costs = _COSTS if any(one.seconds.size for one in board.standings) else ()
    rows: list[list[object]] = [[*by, "metric", *_COLUMNS, "groups", "prompts", *costs]]
    for value, standings in [("", board.standings), *board.parts.items()]:
        for one in standings:
            groups = one.places
            for place, row in enumerate(_rows(one)):
                mine = [n for n, (first, last) in enumerate(groups, 1) if first <= place <= last]
                named = " ".join(map(str, mine))
                known = [*([value] if by else []), one.metric, *row, named, one.prompts]
                rows.append([*known, *_cost_cells(one, place)] if costs else known)
    return rows


def board_data(board: Board) -> dict[str, Any]:
    """Return a leaderboard as JSON data; a number that is not finite is None."""
    return {
        "prompt_set": board.prompt_set,
        "level": board.level,
        "clusters": board.clusters,
        "standings": [_standings(one) for one in board.standings],
        "agreements": [
            {
                "metrics": [one.first, one.second],
                "tau": finite(one.tau),
                "low": finite(one.low),
                "high": finite(one.high),
                "variants": one.variants,
                "flips": [list(flip) for flip in one.flips],
            }
            for one in board.agreements
        ],
        "by": board.by,
        "parts": {value: [_standings(one) for one in part] for value, part in board.parts.items()},
        "warnings": list(board.notes),
        **({} if board.max_seconds is None else {"max_seconds": board.max_seconds}),
    }


def _standings(one: Standings) -> dict[str, Any]:
    return {
        "metric": one.metric,
        "higher_is_better": one.higher_is_better,
        "prompts": one.prompts,
        "units": one.units,
        "critical": finite(one.critical),
        "pairs": one.pairs,
        "tied_pairs": one.tied_pairs,
        "near_ties": one.near_ties,
        "left_out": list(one.left_out),
        "prompts_left_out": one.prompts_left_out,
        "variants": [
            dict(zip(_COLUMNS, row, strict=True)) | _costs(one, place)
            for place, row in enumerate(_rows(one))
        ],
        "groups": [list(names) for names in one.groups],
        **({"frontier": list(map(asdict, steps_of(one)))} if one.seconds.size else {}),
    }


def _costs(one: Standings, place: int) -> dict[str, Any]:
    """Return what an image of a variant costs, and whether it is on the frontier; {} if unknown."""
    if not one.seconds.size:
        return {}
    cells = (finite(float(one.seconds[place])), one.evaluations[place], one.on_frontier[place])
    return dict(zip(_COSTS, (*cells[:2], bool(cells[2])), strict=True))


def _cost_cells(one: Standings, place: int) -> list[object]:
    """Return the same as cells of a CSV."""
    found = _costs(one, place)
    seconds, evaluations, on = (found.get(key) for key in _COSTS)
    return [seconds, evaluations, "yes" if on else ""]


def _rows(one: Standings) -> list[list[Any]]:
    columns = (one.ranks, one.means, one.low, one.high, one.best, one.worst)
    rows = zip(one.variants, *(column.tolist() for column in columns), strict=True)
    return [
        [rank, name, *map(finite, (mean, low, high)), best, worst]
        for name, rank, mean, low, high, best, worst in rows
    ]


def finite(value: float) -> float | None:
    """Return a number as JSON has it: None where it is not finite."""
    return value if math.isfinite(value) else None
