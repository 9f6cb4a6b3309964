"""What `flasheval.rank` finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flasheval.base.arguments import checked_class
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import View
from flasheval.scores.leaderboard.board import Board
from flasheval.scores.leaderboard.files import board_csv, save_board
from flasheval.scores.leaderboard.table import board_view

__all__ = ["Leaderboard"]


@checked_class
@dataclass(frozen=True, eq=False)
class Leaderboard(Shown, Board):
    """Variants in the order of their means, with intervals, ties and how metrics agree.

    Its attributes are those of `flasheval.scores.leaderboard.board.Board`: `standings` and
    `agreements`, by tag `parts`; `leaderboard[METRIC]` is a metric's standings.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> import flasheval
        >>> board = flasheval.rank(synthetic_scores(6, 400), metric="quality", draws=1000)
        >>> isinstance(board, Leaderboard), board.to_csv().splitlines()[0]
        (True, 'metric,rank,variant,mean,low,high,best_rank,worst_rank,groups,prompts')

    """

    def view(self, *, detail: bool = False) -> View:
        """Return who leads, tables for 80 columns and a plot; in detail every table there is."""
        return board_view(self, detail=detail)

    def to_csv(self) -> str:
        """Return one row for each variant, metric and value of the tag, as CSV."""
        return board_csv(self)

    def save(self, folder: str | Path) -> Path:
        """Write `rank.md`, `rank.json`, `rank.csv` and `rank.png`; return the folder.

        Raises DataError when a file cannot be written.
        """
        return save_board(self, Path(folder))
