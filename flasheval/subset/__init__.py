"""Subsets: chosen prompts with a manifest that says what they are and how well they do."""

from flasheval.subset.parts import Method, MetricInfo, SubsetPrompt
from flasheval.subset.subset import Subset

__all__ = ["Method", "MetricInfo", "Subset", "SubsetPrompt"]
