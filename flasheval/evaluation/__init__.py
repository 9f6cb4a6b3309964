"""Evaluation: scoring, comparing and watching checkpoints on a subset.

All predictions come from the calibration in the subset's manifest; nothing is searched.
"""

from flasheval.evaluation.report import MetricScores, Report

__all__ = ["MetricScores", "Report"]
