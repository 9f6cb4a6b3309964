"""What the settings of the miniature's own scorers have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flasheval.base.canonical import JSON
from flasheval.base.models.weights import Weights, locate
from flasheval.scorers.checkpoint import ModelSettings

__all__ = ["JudgeSettings"]


@dataclass(frozen=True)
class JudgeSettings(ModelSettings):
    """Settings of a scorer with a small network of the miniature's, in a folder."""

    batch: int = 64

    @cached_property
    def weights(self) -> Weights:
        """The checkpoint, looked for once."""
        return locate(self.checkpoint)

    def identity(self) -> dict[str, JSON]:
        """Return the hash of the checkpoint's files."""
        return {"kind": self.kind, "checkpoint": self.weights.revision}
