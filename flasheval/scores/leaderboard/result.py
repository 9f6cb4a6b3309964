"""What `flasheval.rank` finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.arguments import checked_class
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import View
from flasheval.base.text import first_few
from flasheval.scores.leaderboard.board import Board
from flasheval.scores.leaderboard.files import board_csv, board_data, board_rows, write_board
from flasheval.scores.leaderboard.table import board_view

__all__ = ["Leaderboard"]


@checked_class
@dataclass(frozen=True, eq=False, repr=False)
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

    kind = "leaderboard"

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
        return write_board(Path(folder), self.view(detail=True), self.to_csv(), self.to_dict())

    def _brief(self) -> str:
        variants = max(len(one.variants) for one in self.standings)
        metrics = first_few([one.metric for one in self.standings])
        return f"{variants:,} variants on {self.prompt_set} by {metrics}"

    def _data(self) -> dict[str, Any]:
        return board_data(self)

    def _rows(self) -> list[dict[str, object]]:
        titles, *rows = board_rows(self)
        return [dict(zip(map(str, titles), row, strict=True)) for row in rows]
