"""A scorer for the drawn world: how well a picture shows what its caption asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.errors import DataError
from flasheval.miniature.composition import compare
from flasheval.miniature.world import parse_caption
from flasheval.resources import miniature_dir
from flasheval.scorers.checks import check_lengths, check_scores
from flasheval.scorers.loading import check_installed
from flasheval.scorers.scorer import ScorerSettings
from flasheval.storage.canonical import JSON
from flasheval.storage.files import safe_name
from flasheval.weights import Weights, locate

if TYPE_CHECKING:
    from PIL.Image import Image

    from flasheval.miniature.detector import Detector

__all__ = ["DetectorScorer", "DetectorSettings"]


@dataclass
class DetectorScorer:
    """The score of `compare`, in [0, 1], for what a detector sees in the image."""

    name: str
    version: str
    detector: Detector
    higher_is_better: bool = True

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score an image, float32 [len(images)]; see `Scorer.score`.

        Raises:
            DataError: A prompt is not a sentence of the drawn world.

        """
        check_lengths(self.name, images, prompts)
        try:
            scenes = [parse_caption(prompt) for prompt in prompts]
        except DataError as error:
            raise DataError(f"scorer {self.name}: {error}") from None
        found = [
            compare(scene, seen).score
            for scene, seen in zip(scenes, self.detector.detect(images), strict=True)
        ]
        return check_scores(self.name, found, len(images))


@dataclass(frozen=True)
class DetectorSettings(ScorerSettings):
    """Settings of the miniature's detector as a scorer.

    Attributes:
        checkpoint: A folder with a detector; None is the one that comes with the package.
        metric_name: The metric's name in score tables.

    >>> DetectorSettings().metric
    'Composition'

    """

    kind: ClassVar[str] = "miniature-detector"
    checkpoint: str | None = None
    metric_name: str = "Composition"

    def __post_init__(self) -> None:
        safe_name(self.metric_name, "metric_name")

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
        """The detector, looked for once."""
        return locate(self.checkpoint or str(miniature_dir() / "detector"))

    @property
    def version(self) -> str:
        """The folder's name and the start of its hash, such as ``detector@32bd6428``."""
        return self.weights.label

    def identity(self) -> dict[str, JSON]:
        """Return the hash of the detector's files."""
        return {"kind": self.kind, "checkpoint": self.weights.revision}

    def load(self, device: str) -> DetectorScorer:
        """Load the detector onto a device."""
        check_installed(self.weights.name)
        from flasheval.miniature.detector import load_detector

        return DetectorScorer(self.metric, self.version, load_detector(self.weights, device))
