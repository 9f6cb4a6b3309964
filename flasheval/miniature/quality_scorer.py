"""How clean a picture of the drawn world is, whatever its caption, as a scorer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.errors import DataError
from flasheval.scorers.checks import check_batch, check_lengths, check_scores
from flasheval.scorers.loading import as_loaded, check_installed, put
from flasheval.scorers.scorer import ScorerSettings
from flasheval.storage.canonical import JSON
from flasheval.storage.files import safe_name
from flasheval.weights import SHIPPED, Weights, local_path, locate

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["QualityScorer", "QualitySettings"]

_SIZE = 32


@dataclass
class QualityScorer:
    """Quality of a picture, 1 - expected damage, in [0, 1]; the prompt does not matter.

    The damage is that of the picture against the clean one it might have been: blurred, melted
    or half-formed things, wrong colours, uneven grounds, noise. Pictures of another size are
    scaled to 32 x 32 pixels.
    """

    name: str
    version: str
    network: Any
    device: str
    batch: int = 256
    higher_is_better: bool = True

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score an image, float32 [len(images)]; see `Scorer.score`."""
        import torch

        check_lengths(self.name, images, prompts)
        scores = [np.empty(0, dtype=np.float32)]
        with as_loaded(torch.device(self.device).type):
            for start in range(0, len(images), self.batch):
                pixels = np.stack([_pixels(image) for image in images[start : start + self.batch]])
                some = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2)
                scores.append(self.network(some.float() / 127.5 - 1).cpu().numpy())
        return check_scores(self.name, np.concatenate(scores), len(images))


@dataclass(frozen=True)
class QualitySettings(ScorerSettings):
    """Settings of the miniature's quality; see `QualityScorer`.

    Attributes:
        checkpoint: A folder with a network of `flasheval.miniature.quality`; None is the one that
            comes with the package.
        metric_name: The metric's name in score tables.
        batch: Images at a time; it changes scores by rounding only.

    >>> QualitySettings().metric
    'Quality'

    """

    kind: ClassVar[str] = "miniature-quality"
    checkpoint: str | None = None
    metric_name: str = "Quality"
    batch: int = 256

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
        """The folder's name with the start of its files' hash, such as ``quality@0c1d2e3f``."""
        return self.weights.label

    @cached_property
    def weights(self) -> Weights:
        """The checkpoint, looked for once."""
        name = f"{SHIPPED}quality" if self.checkpoint is None else self.checkpoint
        if not local_path(name).is_dir():
            raise DataError(
                f"scorer {self.kind}: checkpoint {name}: there is no such folder; leave "
                "checkpoint out for the one that comes with the package"
            )
        return locate(name)

    def identity(self) -> dict[str, JSON]:
        """Return the hash of the checkpoint's files."""
        return {"kind": self.kind, "checkpoint": self.weights.revision}

    def load(self, device: str) -> QualityScorer:
        """Load the network onto a device."""
        check_installed(self.weights.name)
        from flasheval.miniature.quality import load_quality

        network = put(load_quality(self.weights), self.weights, device)
        return QualityScorer(self.metric, self.version, network, device, self.batch)


def _pixels(image: Image) -> NDArray[np.uint8]:
    """Return an image as uint8 [32, 32, 3]."""
    image = image.convert("RGB")
    if image.size != (_SIZE, _SIZE):
        image = image.resize((_SIZE, _SIZE))
    return np.asarray(image, dtype=np.uint8)
