"""The LAION aesthetic predictor (Schuhmann et al. 2022): how pleasing an image looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError
from flasheval.base.models.stored import read_state
from flasheval.base.models.weights import Weights, locate_file
from flasheval.prompts.readers import TextReader
from flasheval.scorers.checks import check_lengths, check_scores
from flasheval.scorers.clip import ClipScorer, ClipSettings
from flasheval.scorers.clip_model import load_clip
from flasheval.scorers.head import Head, read_head

__all__ = ["AestheticScorer", "AestheticSettings"]

_FILE = "sac+logos+ava1-l14-linearMSE.pth"


@dataclass
class AestheticScorer(ClipScorer):
    """Aesthetic score, ``head(E_image / |E_image|)``, about 1 to 10; the prompt does not matter.

    Schuhmann et al. 2022 (LAION-5B, arXiv 2210.08402): five linear maps on the embedding of CLIP
    ViT-L/14, fitted to ratings of images. Its embeddings are that CLIP's, not normalised.
    """

    head: Head = field(kw_only=True)

    def score_embeddings(
        self, embeddings: NDArray[np.float32], prompts: Sequence[str]
    ) -> NDArray[np.float32]:
        """Return the scores of embedded images, float32 [len(prompts)].

        >>> half = Head(((np.array([[1.0, 0.0]]), np.array([5.0])),))
        >>> scorer = AestheticScorer("Aesthetic", "1", None, head=half)
        >>> scorer.score_embeddings(np.float32([[3, 4], [0, 0]]), ["a cat", "a dog"])
        array([5.6, nan], dtype=float32)
        """
        check_lengths(self.name, embeddings, prompts)
        exact = embeddings.astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):  # no direction, no score: NaN
            directions = exact / np.linalg.norm(exact, axis=1, keepdims=True)
        return check_scores(self.name, self.head(directions), len(prompts))


@dataclass(frozen=True)
class AestheticSettings(ClipSettings):
    """Settings of the aesthetic score: those of CLIPScore, for its CLIP, and two more.

    Attributes:
        predictor: The predictor's weights: a file, a folder with sac+logos+ava1-l14-linearMSE.pth,
            or a name on the Hub that has it. Required.
        predictor_revision: As `revision`, for `predictor`.

    >>> AestheticSettings().metric
    'Aesthetic'

    """

    kind: ClassVar[str] = "aesthetic"
    metric_name: str = "Aesthetic"
    predictor: str | None = None
    predictor_revision: str | None = None

    @property
    def version(self) -> str:
        """Predictor and CLIP, each with its revision."""
        return f"{self.predictor_weights.label} on {super().version}"

    @cached_property
    def predictor_weights(self) -> Weights:
        """The path and revision of the predictor's weights. Raises DataError when not found."""
        if self.predictor is None:
            raise DataError(
                f"scorer {self.kind}: predictor is not given; fetch {_FILE} of the GitHub "
                "repository christophschuhmann/improved-aesthetic-predictor and name the file"
            )
        return locate_file(self.predictor, _FILE, self.predictor_revision)

    def readers(self) -> tuple[TextReader, ...]:
        """Return nothing: it looks at images only.

        >>> AestheticSettings().readers()
        ()
        """
        return ()

    def identity(self) -> dict[str, JSON]:
        """Return the revisions of predictor and CLIP, and the dtype.

        >>> AestheticSettings().identity()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: scorer aesthetic: predictor is not given; fetch ...
        """
        predictor = self.predictor_weights.revision  # first: it is what users must fetch
        return {**super().identity(), "predictor": predictor}

    def load(self, device: str) -> AestheticScorer:
        """Load CLIP onto a device; the predictor is computed on the CPU."""
        predictor = self.predictor_weights
        model = load_clip(
            self.weights, self.weights, device=device, dtype=self.dtype, batch=self.batch
        )
        state = read_state(predictor, _FILE)
        head = read_head(state, "layers.", model.model.config.projection_dim, predictor.name)
        return AestheticScorer(self.metric, self.version, model, head=head)
