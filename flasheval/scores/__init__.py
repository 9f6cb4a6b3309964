"""Scores: labelled matrices of one metric, and tables of several metrics."""

from flasheval.scores.difference import score_difference
from flasheval.scores.importers.by_shape import load_scores
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["ScoreMatrix", "ScoreTable", "load_scores", "score_difference"]
