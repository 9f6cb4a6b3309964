"""What the settings of the miniature's own scorers have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flasheval.scorers.checks import check_batch
from flasheval.scorers.scorer import ScorerSettings
from flasheval.storage.canonical import JSON
from flasheval.storage.files import safe_name
from flasheval.weights import Weights, locate

__all__ = ["JudgeSettings"]


@dataclass(frozen=True)
class JudgeSettings(ScorerSettings):
    """Settings of a scorer with a small network of the miniature's.

    Attributes:
        checkpoint: A folder with the network; every kind's own is the one that is shipped.
        metric_name: The metric's name in score tables.
        batch: Images at a time; it changes scores by rounding only.

    """

    checkpoint: str = ""
    metric_name: str = ""
    batch: int = 64

    def __post_init__(self) -> None:
        safe_name(self.metric_name, "metric_name")
        check_batch(self.kind, self.batch)

    @property
    def metric(self) -> str:
        """The name of the metric in score tables."""
        return self.metric_name

    @property
    def higher_is_better(self) -> bool:
        """True."""
        return True

    @cached_property
    def weights(self) -> Weights:
        """The checkpoint, looked for once."""
        return locate(self.checkpoint)

    @property
    def version(self) -> str:
        """The folder's name and the start of its files' hash, such as ``detector@32bd6428``."""
        return self.weights.label

    def identity(self) -> dict[str, JSON]:
        """Return the hash of the checkpoint's files."""
        return {"kind": self.kind, "checkpoint": self.weights.revision}
