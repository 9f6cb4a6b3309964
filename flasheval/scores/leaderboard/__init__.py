"""Leaderboards of score tables: who is ahead, and is it real."""

from flasheval.scores.leaderboard.board import Agreement
from flasheval.scores.leaderboard.rank import rank
from flasheval.scores.leaderboard.result import Leaderboard
from flasheval.scores.leaderboard.standings import Standings

__all__ = ["Agreement", "Leaderboard", "Standings", "rank"]
