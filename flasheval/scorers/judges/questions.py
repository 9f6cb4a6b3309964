"""Questions about parts of a prompt: DSG, TIFA and Soft-TIFA."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from flasheval.base.canonical import JSON
from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest
from flasheval.scorers.judges.asking import YesNo, filled
from flasheval.scorers.judges.question_list import Question, QuestionList, read_questions
from flasheval.scorers.judges.scorer import JudgeScorer
from flasheval.scorers.judges.settings import JudgeSettings, check_mass, check_template
from flasheval.scorers.judges.vqa import LEAST_MASS, trusted
from flasheval.scorers.scorer import Grade

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Average", "QuestionsScorer", "QuestionsSettings", "averaged", "with_parents"]

Average: TypeAlias = Literal["hard", "soft", "geometric"]


class QuestionsScorer(JudgeScorer["QuestionsSettings"]):
    """The mean of how likely each of a prompt's questions is answered rightly, in [0, 1].

    ``hard`` counts the answers that are right (TIFA, Hu et al. 2023, arXiv 2303.11897; with
    dependencies DSG, Cho et al. 2024, arXiv 2310.18235); ``soft`` and ``geometric`` are the
    arithmetic and geometric mean of probabilities (Soft-TIFA, Kamath et al. 2025).

    >>> class Sees:
    ...     def yes(self, asks, batch):
    ...         return [YesNo(0.9 if "cat" in ask.text else 0.4, 1.0) for ask in asks]
    >>> asked = QuestionList("q", {"A cat in a hat.": (
    ...     Question("1", "Is there a cat?"), Question("2", "Is there a hat?"))})
    >>> from PIL import Image
    >>> for average in ("hard", "soft"):
    ...     scorer = QuestionsScorer(QuestionsSettings(questions="q", average=average), "1", Sees())
    ...     scorer.questions = asked
    ...     scorer.score([Image.new("RGB", (8, 8))], ["A cat in a hat."])
    array([0.5], dtype=float32)
    array([0.65], dtype=float32)
    """

    @cached_property
    def questions(self) -> QuestionList:
        """The questions by prompt."""
        return self.settings.question_list

    def _grades(self, images: Sequence[Image], prompts: Sequence[str]) -> list[Grade]:
        own = self.settings
        listed = [self.questions.of(text) for text in prompts]
        asks = [
            self._ask(image, _asked(question, own))
            for image, questions in zip(images, listed, strict=True)
            for question in questions
        ]
        answers = iter([trusted(one, own.least_mass) for one in self.model.yes(asks, own.batch)])
        return [_grade(own, questions, [next(answers) for _ in questions]) for questions in listed]


@dataclass(frozen=True)
class QuestionsSettings(JudgeSettings):
    """Settings of questions about parts of a prompt: those of `JudgeSettings`, and six more.

    Attributes:
        questions: The file of questions; see `read_questions`.
        average: ``hard``, ``soft`` or ``geometric``; see `QuestionsScorer`.
        only: The tag of the questions that count; None counts all. A prompt without any is NaN.
        template: How a question is put; ``{question}`` stands for it.
        with_answer: How a question is put whose right answer is not yes or no; ``{answer}`` stands
            for that answer, and yes is then right.
        least_mass: An answer that begins with yes or no less likely than this is none: NaN.

    >>> QuestionsSettings().question_list
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: scorer questions: questions is missing; give the file of \
questions, such as questions: dsg.csv

    """

    kind: ClassVar[str] = "questions"
    metric_name: str = "Questions"
    questions: str | None = None
    average: Average = "soft"
    only: str | None = None
    template: str = "{question} Answer yes or no."
    with_answer: str = '{question} Is the answer "{answer}"? Answer yes or no.'
    least_mass: float = LEAST_MASS

    def __post_init__(self) -> None:
        super().__post_init__()
        check_template(self.kind, "template", self.template, "question")
        check_template(self.kind, "with_answer", self.with_answer, "question", "answer")
        check_mass(self.kind, self.least_mass)

    @cached_property
    def question_list(self) -> QuestionList:
        """The questions by prompt. Raises DataError as `read_questions` does."""
        if not self.questions:
            raise SettingError(
                f"scorer {self.kind}: questions is missing; give the file of questions, such as "
                "questions: dsg.csv"
            )
        found = read_questions(self.questions)
        if self.only is not None and self.only not in found.tags:
            there = ", ".join(found.tags) or "none"
            raise SettingError(
                f"scorer {self.kind}: only={self.only}: no question of {self.questions} has this "
                f"tag; there are: {there}{nearest(self.only, found.tags)}"
            )
        return found

    def asks(self) -> dict[str, JSON]:
        """Return the hash of the questions, the templates, and how answers are averaged."""
        return {
            "questions": self.question_list.hash,
            "average": self.average,
            "only": self.only,
            "template": self.template,
            "with_answer": self.with_answer,
            "least_mass": self.least_mass,
        }

    def load(self, device: str) -> QuestionsScorer:
        """Load the model onto a device."""
        return QuestionsScorer(self, self.version, self.model(device))


def with_parents(questions: Sequence[Question], right: Sequence[float]) -> list[float]:
    """Return how likely each question and all it depends on are answered rightly.

    Args:
        questions: Questions in any order, without circles.
        right: How likely each alone is answered rightly; NaN where it has no answer.

    >>> questions = [Question("1", "A cat?"), Question("2", "A red one?", parents=("1",))]
    >>> with_parents(questions, [0.5, 0.5])
    [0.5, 0.25]

    """
    own = {question.id: value for question, value in zip(questions, right, strict=True)}
    parents = {question.id: question.parents for question in questions}

    def ancestors(one: str) -> set[str]:
        found: set[str] = set()
        todo = [*parents[one]]
        while todo:
            parent = todo.pop()
            if parent not in found:
                found.add(parent)
                todo += parents[parent]
        return found

    return [
        math.prod([own[question.id], *(own[one] for one in sorted(ancestors(question.id)))])
        for question in questions
    ]


def averaged(values: Sequence[float], how: Average) -> float:
    """Return the mean of probabilities; NaN where one is NaN.

    >>> averaged([0.9, 0.1], "hard"), averaged([0.9, 0.1], "soft")
    (0.5, 0.5)
    >>> round(averaged([0.9, 0.1], "geometric"), 3)
    0.3
    """
    if any(map(math.isnan, values)):
        return math.nan
    if how == "hard":
        return sum(value > 0.5 for value in values) / len(values)
    if how == "soft":
        return math.fsum(values) / len(values)
    return math.prod(values) ** (1 / len(values))


def _asked(question: Question, own: QuestionsSettings) -> str:
    if question.answer in ("yes", "no"):
        return filled(own.template, {"question": question.text})
    return filled(own.with_answer, {"question": question.text, "answer": question.answer})


def _grade(
    own: QuestionsSettings, questions: Sequence[Question], answers: Sequence[YesNo]
) -> Grade:
    right = [
        1 - answer.yes if question.answer == "no" else answer.yes
        for question, answer in zip(questions, answers, strict=True)
    ]
    if own.average == "hard":  # a part is there or not, and what hangs on it with it
        right = [value if math.isnan(value) else float(value > 0.5) for value in right]
    values = with_parents(questions, right)
    told: list[Mapping[str, JSON]] = [
        {
            "id": question.id,
            **({"tag": question.tag} if question.tag else {}),
            **answer.as_data(),
            **({} if math.isnan(value) else {"score": round(value, 6)}),
        }
        for question, answer, value in zip(questions, answers, values, strict=True)
    ]
    counted = [
        value
        for question, value in zip(questions, values, strict=True)
        if own.only is None or question.tag == own.only
    ]
    if not counted:
        lacks = "no questions" if own.only is None else f"no questions of the tag {own.only}"
        return Grade(math.nan, f"the prompt has {lacks}", {"questions": told})
    score = averaged(counted, own.average)
    if not math.isnan(score):
        return Grade(score, None, {"questions": told})
    first = next(
        f"a question has no answer: {answer.reason}"
        for answer in answers
        if answer.reason is not None
    )
    return Grade(math.nan, first, {"questions": told})
