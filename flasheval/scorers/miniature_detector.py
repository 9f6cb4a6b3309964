"""Composition scorer of the drawn world: how well a picture shows its caption."""

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
from flasheval.scorers.miniature_judge import MiniatureJudgeSettings

if TYPE_CHECKING:
    from PIL.Image import Image

    from flasheval.miniature.detector import Detector

__all__ = ["DetectorScorer", "DetectorSettings"]


@dataclass
class DetectorScorer:
    """A scorer that gives the score of `compare`, in [0, 1], for the things a detector sees.

    >>> from flasheval.miniature.sightings import Seen, Sighting
    >>> class Eye:
    ...     def detect(self, images):
    ...         return [Seen((Sighting("star", "red", 0.5, 0.5, 0.2),), {None: 1.0}, {None: 1.0})]
    >>> DetectorScorer("Composition", "1", Eye()).score([None], ["a red star"])
    array([1.], dtype=float32)
    """

    name: str
    version: str
    detector: Detector
    higher_is_better: bool = True

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score an image, float32 [len(images)]; see `Scorer.score`.

        Raises:
            DataError: A prompt is not a sentence of the drawn world.

        >>> DetectorScorer("Composition", "1", None).score([None], ["a cat"])  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: scorer Composition: caption 'a cat': ...

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
class DetectorSettings(MiniatureJudgeSettings):
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
