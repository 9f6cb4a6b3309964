"""What ranking votes finds: rates, strengths, ties, and how far the votes can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.arguments import checked_class
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import View
from flasheval.scores.votes.board_files import save_votes_board, votes_csv, votes_data, votes_rows
from flasheval.scores.votes.board_parts import BoardParts, Expected
from flasheval.scores.votes.board_view import votes_view

__all__ = ["Expected", "VoteBoard"]


@checked_class
@dataclass(frozen=True, eq=False, repr=False)
class VoteBoard(Shown, BoardParts):
    """Variants in the order of their strengths, with rates, intervals, ties and checks.

    Its attributes are those of `flasheval.scores.votes.board_parts.BoardParts`.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.scores.votes import votes_from_scores
        >>> board = votes_from_scores(synthetic_scores(3, 200), "quality").rank()
        >>> board.view().headline  # doctest: +ELLIPSIS
        'charlie/DDIM10 is first, but not told apart from alpha/DDIM10: 58% (95%: 52% to 64%) of ...

    """

    kind = "vote_board"

    def view(self, *, detail: bool = False) -> View:
        """Return who wins, tables for 80 columns and a plot; in detail every table there is."""
        return votes_view(self, detail=detail)

    def to_csv(self) -> str:
        """Return one row for each variant, as CSV."""
        return votes_csv(self)

    def save(self, folder: str | Path) -> Path:
        """Write `votes.md`, `votes.json`, `votes.csv` and `votes.png`; return the folder.

        Raises DataError when a file cannot be written.
        """
        return save_votes_board(self, Path(folder), self.to_dict())

    def _brief(self) -> str:
        return f"{len(self.variants):,} variants by {self.votes:,} votes on {self.prompt_set}"

    def _data(self) -> dict[str, Any]:
        return votes_data(self)

    def _rows(self) -> list[dict[str, Any]]:
        return votes_rows(self)
