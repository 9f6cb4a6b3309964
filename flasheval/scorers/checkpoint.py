"""Base classes of the settings of scorers that load a model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from flasheval.base.files import safe_name
from flasheval.base.models.loading import Dtype
from flasheval.base.models.weights import Weights, locate
from flasheval.scorers.checks import check_batch
from flasheval.scorers.scorer import ScorerSettings

__all__ = ["CheckpointSettings", "ModelSettings"]


@dataclass(frozen=True)
class ModelSettings(ScorerSettings):
    """Settings of a scorer that loads a model.

    Attributes:
        checkpoint: The weights: a folder or file, or a name on the Hub.
        metric_name: The metric's name in score tables.
        batch: Images computed together; it changes scores by rounding only.

    >>> from flasheval.scorers.clip import ClipSettings
    >>> ClipSettings(batch=0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: scorer clip: batch=0; expected a whole number above 0

    """

    checkpoint: str = ""  # every kind says its own, and its metric's name
    metric_name: str = ""
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
        """Checkpoint and revision, such as ``openai/clip-vit-large-patch14@32bd6428``.

        >>> from flasheval.scorers.miniature_quality import QualitySettings
        >>> QualitySettings().version.startswith("quality@")
        True
        """
        return self.weights.label

    @property
    @abstractmethod
    def weights(self) -> Weights:
        """The path and revision of the checkpoint. Raises DataError when it is not found."""


@dataclass(frozen=True)
class CheckpointSettings(ModelSettings):
    """Settings of a scorer whose model is published.

    Attributes:
        revision: A Hub commit, tag or branch; None is the tested one of the default checkpoint and
            the newest of any other.
        dtype: fp32, fp16, bf16, or auto for that of the stored weights.

    """

    tested: ClassVar[Mapping[str, str]] = {}
    """The revisions to take where none is given, by the Hub's name."""

    revision: str | None = None
    dtype: Dtype = "fp32"

    @property
    def version(self) -> str:
        """Checkpoint and revision, and the dtype unless it is fp32.

        >>> from flasheval.scorers.clip import ClipSettings
        >>> version = ClipSettings(checkpoint="miniature:clip", dtype="fp16").version
        >>> version.startswith("clip@"), version.endswith(" fp16")
        (True, True)
        """
        return self.weights.label + ("" if self.dtype == "fp32" else f" {self.dtype}")

    def beside(self, name: str, revision: str | None, marker: str) -> Weights:
        """Return the path and revision of a further part, such as a tokenizer.

        When ``name`` is the checkpoint itself, its revision applies unless one is given. Raises
        DataError as `locate` does.

        >>> from flasheval.scorers.clip import ClipSettings
        >>> settings = ClipSettings(checkpoint="miniature:clip")
        >>> settings.beside("miniature:clip", None, "tokenizer_config.json").name
        'miniature:clip'
        """
        if name == self.checkpoint:
            revision = revision or self.revision
        return locate(name, revision, marker=marker, tested=self.tested)
