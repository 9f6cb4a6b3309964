"""CLIPScore (Hessel et al. 2021): the cosine of the CLIP embeddings of an image and its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import JSON
from flasheval.base.models.weights import Weights, locate
from flasheval.prompts.readers import TextReader
from flasheval.scorers.checkpoint import CheckpointSettings
from flasheval.scorers.checks import check_lengths, check_scores
from flasheval.scorers.clip_model import ClipModel, cosine, load_clip, text_encoder

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ClipScorer", "ClipSettings"]

_CHECKPOINT = "openai/clip-vit-large-patch14"
_REVISION = "32bd64288804d66eefd0ccbe215aa642df71cc41"


@dataclass
class ClipScorer:
    """CLIPScore, ``cos(E_image, E_text)`` in [-1, 1]; its embeddings are CLIP's projected ones.

    Hessel et al. 2021 (arXiv 2104.08718) report ``2.5 * max(cos, 0)``, which ranks equally wherever
    the cosine is positive. FlashEval's published scores are the plain cosine.

    >>> class Fixed:
    ...     def embed_texts(self, texts):
    ...         return np.float32([[1, 0]] * len(texts))
    >>> scorer = ClipScorer("CLIP", "1", Fixed())
    >>> scorer.score_embeddings(np.float32([[3, 4], [-1, 0]]), ["a cat", "a dog"])
    array([ 0.6, -1. ], dtype=float32)
    """

    name: str
    version: str
    model: ClipModel
    higher_is_better: bool = True

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score an image, float32 [len(images)]; see `Scorer.score`.

        >>> ClipScorer("CLIP", "1", None).score([], ["a cat"])
        Traceback (most recent call last):
        flasheval.base.errors.DataError: scorer CLIP: 0 images for 1 prompts; give one each
        """
        check_lengths(self.name, images, prompts)
        return self.score_embeddings(self.embed(images), prompts)

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Return the images' embeddings, float32 [len(images), width], not normalised."""
        return self.model.embed_images(images)

    def score_embeddings(
        self, embeddings: NDArray[np.float32], prompts: Sequence[str]
    ) -> NDArray[np.float32]:
        """Return the scores of embedded images, float32 [len(prompts)].

        >>> embeddings = np.zeros((2, 4), dtype=np.float32)
        >>> ClipScorer("CLIP", "1", None).score_embeddings(embeddings, ["a cat"])
        Traceback (most recent call last):
        flasheval.base.errors.DataError: scorer CLIP: 2 images for 1 prompts; give one each
        """
        check_lengths(self.name, embeddings, prompts)
        found = self._scale() * cosine(embeddings, self.model.embed_texts(prompts))
        return check_scores(self.name, found, len(prompts))

    def _scale(self) -> float:
        return 1.0


@dataclass(frozen=True)
class ClipSettings(CheckpointSettings):
    """Settings of CLIPScore: those of `CheckpointSettings`, with a checkpoint of its own.

    Attributes:
        checkpoint: A CLIPModel: a folder, or a name on the Hub.

    >>> ClipSettings(metric_name="CLIP-B", checkpoint="openai/clip-vit-base-patch32").metric
    'CLIP-B'

    """

    kind: ClassVar[str] = "clip"
    tested: ClassVar[Mapping[str, str]] = {_CHECKPOINT: _REVISION}
    checkpoint: str = _CHECKPOINT
    metric_name: str = "CLIP"

    @cached_property
    def weights(self) -> Weights:
        """The path and revision of the checkpoint. Raises DataError when it is not found."""
        return locate(self.checkpoint, self.revision, tested=self.tested)

    def identity(self) -> dict[str, JSON]:
        """Return the checkpoint's revision and the dtype.

        >>> found = ClipSettings(checkpoint="miniature:clip", dtype="bf16").identity()
        >>> found["kind"], found["dtype"], found["checkpoint"].startswith("sha256:")
        ('clip', 'bf16', True)
        """
        return {"kind": self.kind, "checkpoint": self.weights.revision, "dtype": self.dtype}

    @property
    def embeds(self) -> bool:
        """Whether the loaded scorer is an `Embedder`: it is.

        >>> ClipSettings().embeds
        True
        """
        return True

    def readers(self) -> tuple[TextReader, ...]:
        """Return CLIP's text encoder: as many tokens as it has places for.

        >>> ClipSettings(checkpoint="miniature:clip").readers()[0].tokens
        40
        """
        return (text_encoder(f"scorer {self.metric}", self.weights, self._tokenizer_weights()),)

    def _tokenizer_weights(self) -> Weights:
        return self.weights

    def load(self, device: str) -> ClipScorer:
        """Load the model onto a device."""
        model = load_clip(
            self.weights, self.weights, device=device, dtype=self.dtype, batch=self.batch
        )
        return ClipScorer(self.metric, self.version, model)
