"""Text in images: what a model reads against what the prompt asked to be written."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from flasheval.base.canonical import JSON
from flasheval.base.errors import SettingError
from flasheval.scorers.judges.scorer import JudgeScorer
from flasheval.scorers.judges.settings import JudgeSettings, check_tokens
from flasheval.scorers.reward_columns import RewardColumns, file_hash, read_reward_columns
from flasheval.scorers.scorer import Grade

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["ReadTextScorer", "ReadTextSettings", "edit_similarity", "quoted", "word_accuracy"]

# Straight and curly double quotes, guillemets, corner brackets, straight and curly single ones.
_QUOTES = re.compile(
    r"\"([^\"]+)\"|\u201c([^\u201d]+)\u201d|\u00ab([^\u00bb]+)\u00bb|\u300c([^\u300d]+)\u300d"
    r"|(?<!\w)'([^']+(?:'\w[^']*)*)'(?!\w)|(?<!\w)\u2018([^\u2019]+(?:\u2019\w[^\u2019]*)*)\u2019(?!\w)"
)
_NOTHING = ("none", "no text", "there is no text", "n/a", "")
_MOST = 400  # characters of an answer that are kept


class ReadTextScorer(JudgeScorer["ReadTextSettings"]):
    """How much of the text a prompt asks for a model reads in its image, in [0, 1].

    The text asked for stands in quotes in the prompt, or in a column of a file. A prompt that asks
    for none has no score.

    >>> from flasheval.scorers.judges.asking import Said
    >>> class Reads:
    ...     def say(self, asks, batch, most_tokens):
    ...         return [Said("OPEM NOW") for ask in asks]
    >>> from PIL import Image
    >>> scorer = ReadTextScorer(ReadTextSettings(), "1", Reads())
    >>> scorer.score([Image.new("RGB", (8, 8))], ['a sign that says "open now"'])
    array([0.875], dtype=float32)
    """

    def _grades(self, images: Sequence[Image], prompts: Sequence[str]) -> list[Grade]:
        own = self.settings
        asked = [self._wanted(text) for text in prompts]
        places = [place for place, text in enumerate(asked) if text]
        asks = [self._ask(images[place], own.question) for place in places]
        said = self.model.say(asks, own.batch, own.most_tokens)
        lacks = "the prompt asks for no text in quotes"
        grades = [Grade(math.nan, lacks if own.columns is None else "no text is asked for")] * len(
            prompts
        )
        for place, answer in zip(places, said, strict=True):
            wanted = asked[place]
            if answer.text is None:
                grades[place] = Grade(math.nan, answer.reason, {"asked": wanted})
                continue
            read = _read(answer.text)
            found = {
                "edit": edit_similarity(wanted, read, own.case),
                "words": word_accuracy(wanted, read, own.case),
                "exact": float(_plain(wanted, own.case) == _plain(read, own.case)),
            }
            details: dict[str, JSON] = {"asked": wanted, "read": read[:_MOST], **found}
            grades[place] = Grade(found[own.measure], None, details)
        return grades

    @cached_property
    def columns(self) -> RewardColumns | None:
        """The file with the texts asked for, where there is one."""
        return self.settings.texts_asked

    def _wanted(self, prompt: str) -> str:
        if self.columns is None:
            return " ".join(quoted(prompt))
        (row,) = self.columns.rows([prompt])
        found = row.get(self.settings.column)
        return " ".join(map(str, found)) if isinstance(found, list) else str(found or "")


@dataclass(frozen=True)
class ReadTextSettings(JudgeSettings):
    """Settings of reading text: those of `JudgeSettings`, and six more.

    Attributes:
        measure: ``edit`` (1 less the edit distance over the longer text's length), ``words`` (the
            share of words asked for that are read) or ``exact`` (1 where both are alike).
        case: Whether upper and lower case differ.
        question: What is asked.
        columns: A prompt file with the texts asked for; None takes what stands in quotes.
        column: Its column of them.
        most_tokens: Tokens of an answer at most.

    >>> ReadTextSettings().metric, ReadTextSettings(measure="words").asks()["measure"]
    ('TextRead', 'words')

    """

    kind: ClassVar[str] = "read-text"
    metric_name: str = "TextRead"
    measure: Literal["edit", "words", "exact"] = "edit"
    case: bool = False
    question: str = (
        "Which text is written in this image? Answer with the text alone, exactly as it is "
        "written, or with none if there is no text."
    )
    columns: str | None = None
    column: str = "text_asked"
    most_tokens: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        check_tokens(self.kind, self.most_tokens)

    @cached_property
    def texts_asked(self) -> RewardColumns | None:
        """The file with the texts asked for. Raises DataError, SettingError if it has none."""
        if self.columns is None:
            return None
        found = read_reward_columns(self.columns)
        if self.column not in found.names:
            there = ", ".join(found.names) or "no column"
            raise SettingError(
                f"scorer {self.kind}: column={self.column}: {self.columns} has no such column; it "
                f"has {there}"
            )
        return found

    def asks(self) -> dict[str, JSON]:
        """Return the question, how texts are compared, and the hash of the file of texts."""
        where = (
            {} if self.columns is None else {"columns": file_hash(self.columns), "of": self.column}
        )
        return {
            "question": self.question,
            "measure": self.measure,
            "case": self.case,
            "most_tokens": self.most_tokens,
            **where,
        }

    def load(self, device: str) -> ReadTextScorer:
        """Load the model onto a device."""
        return ReadTextScorer(self, self.version, self.model(device))


def quoted(prompt: str) -> list[str]:
    """Return the texts in quotes in a prompt; an apostrophe is no quote.

    >>> quoted("a sign with 'Bob's bar' and “open”, the dogs' bowl")
    ["Bob's bar", 'open']
    """
    return [next(part for part in found if part) for found in _QUOTES.findall(prompt)]


def edit_similarity(wanted: str, read: str, case: bool = False) -> float:
    """Return 1 less the edit distance (Levenshtein 1966) over the longer text's length.

    White space of any length is one blank. Both empty are alike.

    >>> edit_similarity("open", "oven"), edit_similarity("open", "")
    (0.75, 0.0)
    """
    a, b = _plain(wanted, case), _plain(read, case)
    longest = max(len(a), len(b))
    return 1 - _distance(a, b) / longest if longest else 1.0


def word_accuracy(wanted: str, read: str, case: bool = False) -> float:
    """Return the share of the words asked for that were read, each as often as it is asked for.

    >>> word_accuracy("a cat, a hat", "A hat")
    0.5
    """
    asked, found = (Counter(re.findall(r"\w+", _plain(text, case))) for text in (wanted, read))
    return (asked & found).total() / asked.total() if asked else 1.0


def _plain(text: str, case: bool) -> str:
    text = " ".join(text.split())
    return text if case else text.casefold()


def _read(answer: str) -> str:
    """Return the text in an answer, without the quotes around it, empty where it says none."""
    text = answer.strip()
    if len(text) > 1 and text[0] + text[-1] in ('""', "''", "\u201c\u201d", "``"):
        text = text[1:-1].strip()
    return "" if text.lower().rstrip(".") in _NOTHING else text


def _distance(a: str, b: str) -> int:
    before = list(range(len(b) + 1))
    for i, own in enumerate(a, 1):
        now = [i]
        for j, other in enumerate(b, 1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (own != other)))
        before = now
    return before[-1]
