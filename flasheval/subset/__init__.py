"""A chosen subset with its manifest: what it is, and what was measured of it."""

from flasheval.subset.parts import Method, MetricInfo, SubsetPrompt
from flasheval.subset.subset import Subset

__all__ = ["Method", "MetricInfo", "Subset", "SubsetPrompt"]
