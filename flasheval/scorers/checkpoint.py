"""What the settings of every scorer with a published checkpoint have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from flasheval.scorers.checks import check_batch
from flasheval.scorers.loading import Dtype
from flasheval.scorers.scorer import ScorerSettings
from flasheval.storage.files import safe_name
from flasheval.weights import Weights, locate

__all__ = ["CheckpointSettings"]


@dataclass(frozen=True)
class CheckpointSettings(ScorerSettings):
    """Settings of a scorer that loads a checkpoint.

    Attributes:
        checkpoint: The weights: a folder or file, or a name on the Hub.
        revision: A Hub commit, tag or branch; None is the tested one of the default checkpoint and
            the newest of any other.
        metric_name: The metric's name in score tables.
        dtype: fp32, fp16, bf16, or auto for that of the stored weights.
        batch: Images at a time; it changes scores by rounding only.

    """

    tested: ClassVar[Mapping[str, str]] = {}
    """The revisions to take where none is given, by the Hub's name."""

    checkpoint: str = ""  # every kind says its own, and its metric's name
    revision: str | None = None
    metric_name: str = ""
    dtype: Dtype = "fp32"
    batch: int = 32

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

    @property
    def version(self) -> str:
        """Checkpoint and revision, such as ``openai/clip-vit-large-patch14@32bd6428``."""
        return self.weights.label + ("" if self.dtype == "fp32" else f" {self.dtype}")

    @property
    @abstractmethod
    def weights(self) -> Weights:
        """The checkpoint, looked for once."""

    def beside(self, name: str, revision: str | None, marker: str) -> Weights:
        """Return where a further part lies, such as a tokenizer.

        One of the checkpoint itself is at the checkpoint's revision, unless it has its own. Raises
        DataError as `locate` does.
        """
        if name == self.checkpoint:
            revision = revision or self.revision
        return locate(name, revision, marker=marker, tested=self.tested)
