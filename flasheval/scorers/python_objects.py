"""Scorers from Python objects: a function, or an object with the methods of a Scorer."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import JSON
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import safe_name
from flasheval.scorers.checks import check_lengths, check_scores
from flasheval.scorers.function import FunctionScorer
from flasheval.scorers.scorer import Embedder, Scorer, ScorerSettings
from flasheval.scorers.user_functions import check_takes

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ObjectScorer"]


class ObjectScorer(ScorerSettings):
    """Settings that wrap a function ``f(images, prompts) -> numbers`` or a `Scorer`.

    Arguments that are not given are taken from the object: its ``name`` (or ``__name__``), its
    ``version`` (for a function the hash of its source text, which does not cover what else it
    uses), and its ``higher_is_better`` (True for a function without it). Functions are called as
    in `FunctionScorer`.

    Args:
        scorer: The function or `Scorer`.
        metric_name: The metric's name in score tables.
        higher_is_better: The metric's direction.
        version: A label of everything the numbers depend on; give it for anything with weights.

    Raises:
        SettingError: The object is neither, or lacks a name, version or direction.

    Example:
        >>> def width(images, prompts):
        ...     return [image.width for image in images]
        >>> ObjectScorer(width, version="1").identity()
        {'kind': 'python', 'name': 'width', 'version': '1'}

    """

    kind: ClassVar[str] = "python"

    def __init__(
        self,
        scorer: object,
        *,
        metric_name: str | None = None,
        higher_is_better: bool | None = None,
        version: str | None = None,
    ) -> None:
        self._scorer: Any = scorer
        self._whole = callable(getattr(scorer, "score", None)) and not isinstance(scorer, type)
        if not self._whole and (not callable(scorer) or isinstance(scorer, type)):
            raise SettingError(
                f"scorer {scorer!r}: expected a name, settings, a function of (images, prompts), "
                "or an object with score, name, version and higher_is_better"
            )
        own_name = getattr(scorer, "name", None) or getattr(scorer, "__name__", None)
        self._name = str(metric_name or own_name or type(scorer).__name__)
        if self._name == "<lambda>":
            raise SettingError("a scorer given as a lambda has no name; write a function with def")
        safe_name(self._name, "metric_name")
        higher = higher_is_better
        if higher is None:
            higher = getattr(scorer, "higher_is_better", None if self._whole else True)
        if not isinstance(higher, bool):
            raise SettingError(
                f"scorer {self._name}: higher_is_better is {higher!r}; expected True or False"
            )
        self._higher = higher
        self._version = version or getattr(scorer, "version", None)
        if self._whole and self._version is None:
            raise SettingError(f"scorer {self._name}: it has no version; say what it depends on")

    @property
    def metric(self) -> str:
        """The name of the metric in score tables.

        >>> def width(images, prompts):
        ...     return [image.width for image in images]
        >>> ObjectScorer(width).metric, ObjectScorer(width, metric_name="Width").metric
        ('width', 'Width')
        """
        return self._name

    @property
    def higher_is_better(self) -> bool:
        """The metric's direction.

        >>> def distance(images, prompts):
        ...     return [0.0 for image in images]
        >>> ObjectScorer(distance, higher_is_better=False).higher_is_better
        False
        """
        return self._higher

    @property
    def version(self) -> str:
        """The version given, else the start of the hash of the source, else ``unknown``.

        >>> ObjectScorer(len, version="2").version, ObjectScorer(len).version
        ('2', 'unknown')
        """
        if self._version is not None:
            return str(self._version)
        found = self._source_hash()
        return f"{self._name}@{found[:8]}" if found else "unknown"

    def identity(self) -> dict[str, JSON]:
        """Return name and version. Raises SettingError when there is no version and no source.

        >>> ObjectScorer(len).identity()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: scorer len: it has no source to tell its version ...
        """
        version = self._version if self._version is not None else self._source_hash()
        if version is None:
            raise SettingError(
                f"scorer {self._name}: it has no source to tell its version by, so its scores "
                'cannot be kept; give it one: scorer.version = "1"'
            )
        return {"kind": self.kind, "name": self._name, "version": str(version)}

    @property
    def embeds(self) -> bool:
        """Whether the object is an `Embedder`.

        >>> ObjectScorer(len).embeds  # a function returns scores only
        False
        """
        return self._whole and isinstance(self._scorer, Embedder)

    def load(self, device: str) -> Scorer:
        """Return the scorer with checks of its results; it chooses its device itself.

        >>> def width(images, prompts):
        ...     return [image.width for image in images]
        >>> from PIL import Image
        >>> scorer = ObjectScorer(width, version="1").load("cpu")
        >>> scorer.score([Image.new("RGB", (8, 4))], ["a cat"])
        array([8.], dtype=float32)
        """
        if not self._whole:
            check_takes(self._name, self._scorer, ("images", "prompts"))
            return FunctionScorer(self._name, self.version, self._higher, self._scorer)
        wrapper = _CheckedEmbedder if self.embeds else _Checked
        return wrapper(self._name, self.version, self._higher, self._scorer)

    def _source_hash(self) -> str | None:
        if not inspect.isfunction(self._scorer):  # an object may hold what no source shows
            return None
        try:
            source = inspect.getsource(self._scorer)
        except OSError:
            return None
        return hashlib.sha256(source.encode()).hexdigest()


class _Checked:
    def __init__(self, name: str, version: str, higher_is_better: bool, scorer: Any) -> None:
        self.name, self.version, self.higher_is_better = name, version, higher_is_better
        self._scorer = scorer

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        check_lengths(self.name, images, prompts)
        return check_scores(self.name, self._scorer.score(images, prompts), len(images))


class _CheckedEmbedder(_Checked):
    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        embeddings: NDArray[np.float32] = np.asarray(self._scorer.embed(images), dtype=np.float32)
        if embeddings.ndim != 2 or len(embeddings) != len(images):
            raise DataError(
                f"scorer {self.name}: embeddings of shape {list(embeddings.shape)} for "
                f"{len(images)} images; expected [{len(images)}, width]"
            )
        return embeddings

    def score_embeddings(
        self, embeddings: NDArray[np.float32], prompts: Sequence[str]
    ) -> NDArray[np.float32]:
        found = self._scorer.score_embeddings(embeddings, prompts)
        return check_scores(self.name, found, len(prompts))
