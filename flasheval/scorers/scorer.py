"""The scorer protocol, and the base class of the settings a scorer is loaded from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import JSON
from flasheval.prompts.readers import TextReader

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Embedder", "Grade", "Grader", "Scorer", "ScorerSettings", "grades_of"]


class Scorer(Protocol):
    """An object that gives each image a score for its prompt.

    Attributes:
        name: The metric's name.
        version: A short label of what its numbers depend on: checkpoint and revision.
        higher_is_better: The metric's direction.

    """

    name: str
    version: str
    higher_is_better: bool

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score an image, float32 [len(images)]; NaN where there is none.

        Args:
            images: RGB images, of any size.
            prompts: The text each was made for.

        """
        ...


@runtime_checkable
class Embedder(Protocol):
    """A scorer whose scores come from an embedding of the image, which can be kept.

    >>> class Half:
    ...     def embed(self, images): ...
    ...     def score_embeddings(self, embeddings, prompts): ...
    >>> isinstance(Half(), Embedder), isinstance(len, Embedder)
    (True, False)
    """

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Return the images' embeddings, float32 [len(images), width], as the model gives them."""
        ...

    def score_embeddings(
        self, embeddings: NDArray[np.float32], prompts: Sequence[str]
    ) -> NDArray[np.float32]:
        """Return the scores of embedded images, float32 [len(prompts)]."""
        ...


@dataclass(frozen=True)
class Grade:
    """An image's score with what it was made from.

    Attributes:
        score: The score; NaN where there is none.
        reason: Why there is none.
        details: What the score was made from, such as the answer to each question: JSON data.

    """

    score: float
    reason: str | None = None
    details: Mapping[str, JSON] = field(default_factory=dict)


@runtime_checkable
class Grader(Protocol):
    """A scorer that can tell what each score was made from; a run keeps it beside the scores."""

    def grade(self, images: Sequence[Image], prompts: Sequence[str]) -> list[Grade]:
        """Return one grade an image, with the scores that `Scorer.score` returns."""
        ...

    def record(self) -> Mapping[str, Any]:
        """Return what was used since the last call of this, such as calls and tokens: JSON data."""
        ...


def grades_of(scorer: Scorer, images: Sequence[Image], prompts: Sequence[str]) -> list[Grade]:
    """Return one grade an image, with a reason wherever there is no score.

    >>> class Silent:
    ...     name = "silence"
    ...     def score(self, images, prompts):
    ...         return np.float32([np.nan])
    >>> grades_of(Silent(), [None], ["a cat"])[0].reason
    'silence gives no score'
    """
    if isinstance(scorer, Grader):
        grades = scorer.grade(images, prompts)
    else:
        grades = [Grade(float(value)) for value in scorer.score(images, prompts)]
    absent = f"{scorer.name} gives no score"
    return [
        replace(grade, reason=f"{absent}: {grade.reason}" if grade.reason else absent)
        if np.isnan(grade.score)
        else grade
        for grade in grades
    ]


class ScorerSettings(ABC):
    """The settings of one kind of scorer: a frozen dataclass of plain values.

    Making one checks the values; nothing is loaded, and torch is not imported, before `load`.
    """

    kind: ClassVar[str]
    """The name of the kind in settings: ``scorers=[KIND]``."""

    @property
    @abstractmethod
    def metric(self) -> str:
        """The name of the metric in score tables."""

    @property
    @abstractmethod
    def higher_is_better(self) -> bool:
        """The metric's direction."""

    @abstractmethod
    def identity(self) -> dict[str, JSON]:
        """Return everything that determines the scores, as JSON data: settings, revisions.

        Raises FlashevalError when a file it needs is missing.
        """

    @property
    @abstractmethod
    def version(self) -> str:
        """A short label of what the scores depend on, for score tables: checkpoint and revision."""

    @property
    def embeds(self) -> bool:
        """Whether the loaded scorer is an `Embedder`."""
        return False

    def readers(self) -> tuple[TextReader, ...]:
        """Return what reads the prompts' texts, and how far; nothing where that is not known.

        Raises FlashevalError when a file it needs is missing.
        """
        return ()

    @abstractmethod
    def load(self, device: str) -> Scorer:
        """Load the model onto a device. Raises FlashevalError when that fails."""
