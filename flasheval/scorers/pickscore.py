"""PickScore (Kirstain et al. 2023): a CLIP trained on people's picks between two images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from flasheval.base.canonical import JSON
from flasheval.base.models.weights import Weights
from flasheval.scorers.clip import ClipScorer, ClipSettings
from flasheval.scorers.clip_model import load_clip

__all__ = ["PickScoreSettings", "PickScorer"]

_CHECKPOINT = "yuvalkirstain/PickScore_v1"
# The published checkpoint has no tokenizer and image processor of its own.
_PROCESSOR = "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"
_REVISION = "a4e4367c6dfa7288a00c550414478f865b875800"
_PROCESSOR_REVISION = "1c2b8495b28150b8a4922ee1c8edee224c284c0c"


class PickScorer(ClipScorer):
    """PickScore, ``exp(logit_scale) * cos(E_image, E_text)`` (Kirstain et al. 2023, 2305.01569).

    Around 20 for the published checkpoint. The difference of two images' scores is the log
    odds of the first one being picked.

    >>> import numpy as np
    >>> class Fixed:
    ...     logit_scale = 100.0
    ...     def embed_texts(self, texts):
    ...         return np.float32([[1, 0]] * len(texts))
    >>> scorer = PickScorer("PickScore", "1", Fixed())
    >>> scorer.score_embeddings(np.float32([[3, 4]]), ["a cat"])
    array([60.], dtype=float32)
    """

    def _scale(self) -> float:
        return self.model.logit_scale


@dataclass(frozen=True)
class PickScoreSettings(ClipSettings):
    """Settings of PickScore: those of CLIPScore, with other defaults, and two more.

    Attributes:
        processor: Tokenizer and image processor: a folder, or a name on the Hub; None is the
            published one for the default checkpoint, and the checkpoint's own for any other.
        processor_revision: As `revision`, for `processor`.

    >>> PickScoreSettings().metric
    'PickScore'

    """

    kind: ClassVar[str] = "pickscore"
    tested: ClassVar[Mapping[str, str]] = {
        _CHECKPOINT: _REVISION,
        _PROCESSOR: _PROCESSOR_REVISION,
    }
    checkpoint: str = _CHECKPOINT
    metric_name: str = "PickScore"
    processor: str | None = None
    processor_revision: str | None = None

    @cached_property
    def processor_weights(self) -> Weights:
        """The path and revision of tokenizer and image processor. Raises DataError if not found."""
        usual = _PROCESSOR if self.checkpoint == _CHECKPOINT else self.checkpoint
        name = self.processor or usual
        return self.beside(name, self.processor_revision, "preprocessor_config.json")

    def _tokenizer_weights(self) -> Weights:
        return self.processor_weights

    def identity(self) -> dict[str, JSON]:
        """Return the revisions of model and processor, and the dtype.

        >>> found = PickScoreSettings(checkpoint="miniature:clip").identity()
        >>> found["processor"] == found["checkpoint"]  # beside the weights
        True
        """
        return {**super().identity(), "processor": self.processor_weights.revision}

    def load(self, device: str) -> PickScorer:
        """Load the model onto a device."""
        model = load_clip(
            self.weights,
            self.processor_weights,
            device=device,
            dtype=self.dtype,
            batch=self.batch,
        )
        return PickScorer(self.metric, self.version, model)
