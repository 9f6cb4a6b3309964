"""Base class of the settings of the miniature's own scorers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flasheval.base.canonical import JSON
from flasheval.base.models.weights import Weights, locate
from flasheval.scorers.checkpoint import ModelSettings

__all__ = ["MiniatureJudgeSettings"]


@dataclass(frozen=True)
class MiniatureJudgeSettings(ModelSettings):
    """Settings of a scorer with a small network of the miniature, stored in a folder."""

    batch: int = 64

    @cached_property
    def weights(self) -> Weights:
        """The path and revision of the checkpoint. Raises DataError when it is not found."""
        return locate(self.checkpoint)

    def identity(self) -> dict[str, JSON]:
        """Return the hash of the checkpoint's files.

        >>> from flasheval.scorers.miniature_quality import QualitySettings
        >>> sorted(QualitySettings().identity())
        ['checkpoint', 'kind']
        """
        return {"kind": self.kind, "checkpoint": self.weights.revision}
