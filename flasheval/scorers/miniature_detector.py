"""A scorer for the drawn world: how well a picture shows what its caption asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError
from flasheval.base.models.loading import check_installed
from flasheval.miniature.composition import compare
from flasheval.miniature.world import parse_caption
from flasheval.scorers.checks import check_lengths, check_scores
from flasheval.scorers.miniature_judge import JudgeSettings

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
class DetectorSettings(JudgeSettings):
    """Settings of the miniature's detector as a scorer; see `DetectorScorer`.

    >>> DetectorSettings().metric
    'Composition'

    """

    kind: ClassVar[str] = "miniature-detector"
    checkpoint: str = "miniature:detector"
    metric_name: str = "Composition"

    def load(self, device: str) -> DetectorScorer:
        """Load the detector onto a device."""
        check_installed(self.weights.name)
        from flasheval.miniature.detector import load_detector

        detector = load_detector(self.weights, device, self.batch)
        return DetectorScorer(self.metric, self.version, detector)
