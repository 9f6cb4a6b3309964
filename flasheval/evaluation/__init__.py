"""Checkpoints judged by a subset: evaluated, compared, watched while they are made.

Whatever predicts here does so from what the subset's manifest carries: nothing is searched.
"""

from flasheval.evaluation.report import MetricScores, Report

__all__ = ["MetricScores", "Report"]
