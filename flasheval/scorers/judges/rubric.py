"""Grades by a rubric: a free answer of a model, read as a number."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flasheval.base.canonical import JSON
from flasheval.base.errors import SettingError
from flasheval.scorers.judges.asking import filled
from flasheval.scorers.judges.scorer import JudgeScorer
from flasheval.scorers.judges.settings import JudgeSettings, check_tokens
from flasheval.scorers.scorer import Grade

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["RubricScorer", "RubricSettings", "number_in"]

_NUMBER = r"(-?\d+(?:[.,]\d+)?)"
# What an answer gives as its grade, the plainest first; the last one in it counts.
_GRADES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\"?(?:score|rating|grade|points)\"?\W{{0,12}}?(?:(?:is|of)\W{{0,4}}?)?{_NUMBER}",
        rf"{_NUMBER}\s*(?:/|out of)\s*\d+",
    )
)
_MOST = 400  # characters of an answer that are kept


class RubricScorer(JudgeScorer["RubricSettings"]):
    r"""The number that a model gives an image by a rubric; NaN where its answer holds none.

    >>> from flasheval.scorers.judges.asking import Said
    >>> class Grades:
    ...     def say(self, asks, batch, most_tokens):
    ...         return [Said("The hat is missing.\nScore: 6/10"), Said("I cannot judge that.")]
    >>> from PIL import Image
    >>> scorer = RubricScorer(RubricSettings(), "1", Grades())
    >>> [grade] = [scorer.grade([Image.new("RGB", (8, 8))] * 2, ["a cat", "a dog"])]
    >>> [one.score for one in grade], grade[1].reason
    ([6.0, nan], 'no number in the answer')
    """

    def _grades(self, images: Sequence[Image], prompts: Sequence[str]) -> list[Grade]:
        own = self.settings
        scale = {"low": f"{own.low:g}", "high": f"{own.high:g}"}
        asks = [
            self._ask(image, filled(own.rubric, {"prompt": text, **scale}))
            for image, text in zip(images, prompts, strict=True)
        ]
        grades = []
        for answer in self.model.say(asks, own.batch, own.most_tokens):
            if answer.text is None:
                grades.append(Grade(math.nan, answer.reason))
                continue
            details: dict[str, JSON] = {"answer": answer.text[:_MOST]}
            score, reason = number_in(answer.text, own.low, own.high)
            grades.append(Grade(score, reason, details))
        return grades


@dataclass(frozen=True)
class RubricSettings(JudgeSettings):
    """Settings of grades by a rubric: those of `JudgeSettings`, and four more.

    Attributes:
        rubric: What is asked; ``{prompt}``, ``{low}`` and ``{high}`` stand for what they say.
        low: The worst grade.
        high: The best one; a grade outside is none.
        most_tokens: Tokens of an answer at most.

    >>> RubricSettings().metric, RubricSettings(high=5).asks()["high"]
    ('Rubric', 5)

    """

    kind: ClassVar[str] = "rubric"
    metric_name: str = "Rubric"
    rubric: str = (
        'How well does this image show "{prompt}"? Look at every object, its attributes, their '
        "number and their places. Give a grade from {low} (nothing fits) to {high} (all fits). "
        "Answer with the word Score, a colon and the number."
    )
    low: float = 0.0
    high: float = 10.0
    most_tokens: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        check_tokens(self.kind, self.most_tokens)
        if not self.low < self.high:
            raise SettingError(
                f"scorer {self.kind}: low={self.low:g} and high={self.high:g}; expected low below "
                "high"
            )

    def asks(self) -> dict[str, JSON]:
        """Return the rubric and its scale."""
        return {
            "rubric": self.rubric,
            "low": self.low,
            "high": self.high,
            "most_tokens": self.most_tokens,
        }

    def load(self, device: str) -> RubricScorer:
        """Load the model onto a device."""
        return RubricScorer(self, self.version, self.model(device))


def number_in(answer: str, low: float, high: float) -> tuple[float, str | None]:
    """Return the grade in an answer, or NaN and why there is none.

    A number beside the word score, rating, grade or points counts, else one of the form 7/10, else
    the only number. One outside of ``low`` to ``high`` is none.

    >>> number_in("Composition 3, light 4. Rating: 7.5", 0, 10)
    (7.5, None)
    >>> number_in('{"score": 4}', 1, 5), number_in("8 out of 10", 0, 10)
    ((4.0, None), (8.0, None))
    >>> number_in("The score is -3", -5, 5), number_in("Score - 3", -5, 5)
    ((-3.0, None), (3.0, None))
    >>> number_in("Score: 70", 0, 10)
    (nan, 'the grade lies outside of 0 to 10')
    >>> number_in("between 3 and 5", 0, 10)
    (nan, 'several numbers in the answer')
    """
    numbers: list[str] = []
    for pattern in _GRADES:
        numbers = pattern.findall(answer)
        if numbers:
            numbers = numbers[-1:]
            break
    numbers = numbers or re.findall(rf"(?<![\w.,]){_NUMBER}(?!\w)", answer)
    if not numbers:
        return math.nan, "no number in the answer"
    if len(set(numbers)) > 1:
        return math.nan, "several numbers in the answer"
    found = float(numbers[0].replace(",", "."))
    if not low <= found <= high:
        return math.nan, f"the grade lies outside of {low:g} to {high:g}"
    return found, None
