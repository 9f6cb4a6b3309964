"""Quality scorer of the drawn world: how clean a picture is, whatever its caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.models.loading import as_loaded, check_installed, put
from flasheval.miniature.networks import as_input
from flasheval.scorers.checks import check_lengths, check_scores
from flasheval.scorers.miniature_judge import MiniatureJudgeSettings

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["QualityScorer", "QualitySettings"]


@dataclass
class QualityScorer:
    """Quality of a picture, 1 - expected damage, in [0, 1]; the prompt does not matter.

    Damage is the distance from the clean picture: blurred, melted or half-formed things, wrong
    colours, uneven backgrounds, noise. Pictures are scaled to 32 x 32 pixels.
    """

    name: str
    version: str
    network: Any
    device: str
    batch: int = 64
    higher_is_better: bool = True

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score an image, float32 [len(images)]; see `Scorer.score`."""
        import torch

        check_lengths(self.name, images, prompts)
        scores = [np.empty(0, dtype=np.float32)]
        with as_loaded(torch.device(self.device).type):
            for start in range(0, len(images), self.batch):
                pixels = as_input(images[start : start + self.batch], self.device)
                scores.append(self.network(pixels).cpu().numpy())
        return check_scores(self.name, np.concatenate(scores), len(images))


@dataclass(frozen=True)
class QualitySettings(MiniatureJudgeSettings):
    """Settings of the miniature's quality; see `QualityScorer`.

    >>> QualitySettings().metric
    'Quality'

    """

    kind: ClassVar[str] = "miniature-quality"
    checkpoint: str = "miniature:quality"
    metric_name: str = "Quality"

    def load(self, device: str) -> QualityScorer:
        """Load the network onto a device."""
        check_installed(self.weights.name)
        from flasheval.miniature.quality import load_quality

        network = put(load_quality(self.weights), self.weights, device)
        return QualityScorer(self.metric, self.version, network, device, self.batch)
