"""The leaderboard of a watch as a table, the answer first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from flasheval.report.table import plain_table

if TYPE_CHECKING:
    from flasheval.checkpoints.watching.leaderboard import Leaderboard

__all__ = ["leaderboard_table"]

_NOTES = 10


def leaderboard_table(board: Leaderboard) -> RenderableType:
    """Return the best checkpoint, all of them by rank, and what failed or is waited for."""
    parts: list[RenderableType] = [Text(_answer(board), style="bold")]
    if board.standings:
        titles, rows = board.cells()
        parts.append(plain_table(titles, [[*map(escape, row)] for row in rows], left=2))
    for title, notes in (("failed", board.failed), ("not yet", board.waiting)):
        lines = [f"{title}: {name}: {why}" for name, why in notes.items()]
        more = len(lines) - _NOTES
        shown = [*lines[:_NOTES], *([f"{title}: {more} more"] if more > 0 else [])]
        parts += [Text(line, style="yellow") for line in shown]
    return Group(*parts)


def _answer(board: Leaderboard) -> str:
    count = len(board.standings)
    if board.best is None:
        return "No checkpoint is evaluated yet"
    said = f"The best of {count} checkpoint{'' if count == 1 else 's'} is {board.best.name}"
    if count == 1:
        return said
    sure = board.standings[1].best_is_better
    return said + ("" if sure is None else f" (better than the next with probability {sure:.2f})")
