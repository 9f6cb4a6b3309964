"""The base class of judges as scorers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from flasheval.scorers.checks import check_lengths, check_scores
from flasheval.scorers.judges.asking import AnsweringModel, Ask
from flasheval.scorers.judges.settings import JudgeSettings
from flasheval.scorers.scorer import Grade

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["JudgeScorer"]

S = TypeVar("S", bound=JudgeSettings)


@dataclass
class JudgeScorer(ABC, Generic[S]):
    """A judge with the model it asks.

    Args:
        settings: Its settings.
        version: What its scores depend on.
        model: The model.

    """

    settings: S
    version: str
    model: AnsweringModel

    name: str = field(init=False)
    higher_is_better: bool = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.higher_is_better = self.settings.metric, self.settings.higher_is_better

    def score(self, images: Sequence[Image], prompts: Sequence[str]) -> NDArray[np.float32]:
        """Return one score an image, float32 [len(images)]; see `Scorer.score`."""
        grades = self.grade(images, prompts)
        return check_scores(self.name, [grade.score for grade in grades], len(images))

    def grade(self, images: Sequence[Image], prompts: Sequence[str]) -> list[Grade]:
        """Return one grade an image; see `Grader.grade`."""
        check_lengths(self.name, images, prompts)
        side = self.settings.image_side
        return self._grades([_at_most(image, side) for image in images], prompts)

    def record(self) -> Mapping[str, Any]:
        """Return what was used since the last call of this: calls and tokens."""
        return self.model.record()

    @abstractmethod
    def _grades(self, images: Sequence[Image], prompts: Sequence[str]) -> list[Grade]:
        """Return one grade an image."""

    def _ask(self, image: Image, text: str) -> Ask:
        return Ask(image, text, self.settings.system)


def _at_most(image: Image, side: int | None) -> Image:
    longest = max(image.size)
    if side is None or longest <= side:
        return image
    width, height = (max(1, round(one * side / longest)) for one in image.size)
    return image.resize((width, height), 3)  # bicubic
