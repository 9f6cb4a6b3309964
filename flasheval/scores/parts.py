"""The parts of a score table, as a protocol for the code that saves and merges tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from flasheval.generators.variants import Variant
from flasheval.prompts import PromptSet
from flasheval.scores.matrix import ScoreMatrix

__all__ = ["TableParts"]


class TableParts(Protocol):
    """Prompts, variants and one matrix a metric, all aligned: what a `ScoreTable` holds."""

    @property
    def prompts(self) -> PromptSet:
        """The prompts, in order."""

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The variants, in order."""

    @property
    def matrices(self) -> Mapping[str, ScoreMatrix]:
        """The scores by metric."""
