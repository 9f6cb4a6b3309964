"""The answers of judges that a run keeps beside its scores: question by question, and by tag."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError
from flasheval.base.suggest import nearest
from flasheval.runs.collecting import units_of
from flasheval.runs.store import RunStore

__all__ = ["Answer", "TagScore", "answers_by_tag", "read_answers"]


@dataclass(frozen=True)
class Answer:
    """What a judge answered to one question about one image.

    Attributes:
        variant: The variant's name.
        metric: The judge's metric.
        prompt_id: The prompt's id.
        image: The image's number among those of its prompt.
        question: The question's id; empty where the judge asks one.
        tag: The question's tag; empty where it has none.
        score: What the answer counts, with what it depends on; NaN where there is none.
        said: The probability of yes, or the text that was said or read; None where there is none.
        reason: Why there is no answer.

    """

    variant: str
    metric: str
    prompt_id: str
    image: int
    question: str = ""
    tag: str = ""
    score: float = math.nan
    said: float | str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class TagScore:
    """A variant's mean score on the questions of one tag.

    Attributes:
        variant: The variant's name.
        tag: The tag.
        mean: The mean over the questions that have a score; NaN where none has.
        questions: How many have a score.
        unanswered: How many have none.

    """

    variant: str
    tag: str
    mean: float
    questions: int
    unanswered: int


def read_answers(folder: str | Path, metric: str) -> list[Answer]:
    """Return the answers of one judge that a run folder keeps, by variant, prompt and image.

    Raises:
        DataError: No run folder, no such metric in it, or one that keeps no answers.

    """
    if not (Path(folder) / "known").is_dir():
        raise DataError(f"{folder} is no folder of a run; expected one that flasheval run filled")
    store = RunStore(Path(folder))
    metrics = {one.name: one for one in store.known_metrics()}
    if metric not in metrics:
        there = ", ".join(metrics) or "none"
        raise DataError(
            f"{folder} has no scores of {metric!r}; there are: {there}{nearest(metric, metrics)}"
        )
    settings = store.settings()
    latest: dict[tuple[str, str, int], tuple[float, Mapping[str, Any]]] = {}
    for variant in store.known_variants():
        for unit in units_of(store, variant, metrics[metric], settings, ()):
            kept = unit.record.get("answers")
            told: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
            for one, score in zip(unit.ids, unit.scores.tolist(), strict=True):
                if isinstance(told.get(one), Mapping):
                    latest[variant.name, one, unit.image] = (score, told[one])
    if not latest:
        raise DataError(f"{folder}: {metric} keeps no answers; judges do, such as questions")
    return [
        answer
        for (variant, prompt, image), (score, details) in latest.items()
        for answer in _answers(Answer(variant, metric, prompt, image), score, details)
    ]


def answers_by_tag(answers: Iterable[Answer]) -> list[TagScore]:
    """Return each variant's mean score by tag, tags sorted within a variant.

    >>> some = [Answer("a", "Q", "1", 0, "1", "color", 1.0), Answer("a", "Q", "1", 0, "2", "color")]
    >>> answers_by_tag(some)
    [TagScore(variant='a', tag='color', mean=1.0, questions=1, unanswered=1)]
    """
    values: dict[str, dict[str, list[float]]] = {}
    for one in answers:
        values.setdefault(one.variant, {}).setdefault(one.tag, []).append(one.score)
    found = []
    for variant, tags in values.items():
        for tag in sorted(tags):
            known = [value for value in tags[tag] if not math.isnan(value)]
            mean = math.fsum(known) / len(known) if known else math.nan
            found.append(TagScore(variant, tag, mean, len(known), len(tags[tag]) - len(known)))
    return found


def _answers(empty: Answer, score: float, details: Mapping[str, Any]) -> Iterator[Answer]:
    questions = details.get("questions")
    if not isinstance(questions, list):
        yield _answer(empty, {"score": score, **details})
        return
    for one in questions:
        if isinstance(one, Mapping):
            yield _answer(empty, one)


def _answer(empty: Answer, told: Mapping[str, Any]) -> Answer:
    said = next((told[key] for key in ("yes", "answer", "read") if key in told), None)
    score = told.get("score")
    return Answer(
        empty.variant,
        empty.metric,
        empty.prompt_id,
        empty.image,
        str(told.get("id", "")),
        str(told.get("tag", "")),
        float(score) if isinstance(score, int | float) else math.nan,
        said if isinstance(said, int | float | str) else None,
        str(told["reason"]) if "reason" in told else None,
    )
