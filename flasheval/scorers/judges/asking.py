"""What a judge asks of a vision-language model, and what it is answered."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["AnsweringModel", "Ask", "Said", "YesNo", "filled", "without_thoughts"]


@dataclass(frozen=True)
class Ask:
    """One question about one image.

    Attributes:
        image: An RGB image.
        text: The question, as the user's turn of a chat.
        system: The system's turn before it; None for none.

    """

    image: Image
    text: str
    system: str | None = None


@dataclass(frozen=True)
class YesNo:
    """The answer to a question that yes or no answers.

    Attributes:
        yes: The probability of yes among yes and no, in [0, 1]; NaN where there is none.
        mass: The probability that the answer begins with yes or no at all; NaN if not known.
        reason: Why there is no answer.

    >>> YesNo(0.8, 0.97).as_data()
    {'yes': 0.8, 'mass': 0.97}

    """

    yes: float = math.nan
    mass: float = math.nan
    reason: str | None = None

    def as_data(self) -> dict[str, float | str]:
        """Return what is known, numbers to six digits."""
        found: dict[str, float | str] = {
            name: round(value, 6)
            for name, value in (("yes", self.yes), ("mass", self.mass))
            if not math.isnan(value)
        }
        return found if self.reason is None else {**found, "reason": self.reason}


@dataclass(frozen=True)
class Said:
    """A free answer, or why there is none."""

    text: str | None
    reason: str | None = None


class AnsweringModel(Protocol):
    """A vision-language model that answers questions about images."""

    def yes(self, asks: Sequence[Ask], batch: int) -> list[YesNo]:
        """Answer questions with yes or no; at most ``batch`` are computed, or asked, at a time."""
        ...

    def say(self, asks: Sequence[Ask], batch: int, most_tokens: int) -> list[Said]:
        """Answer freely, in at most so many tokens; the same question has the same answer."""
        ...

    def record(self) -> Mapping[str, Any]:
        """Return what was used since the last call of this: calls and tokens; JSON data."""
        ...


def filled(template: str, values: Mapping[str, object]) -> str:
    """Return a template with each ``{name}`` replaced; what a value holds is not looked into.

    >>> filled('Is it "{prompt}"?', {"prompt": "a {low} wall"})
    'Is it "a {low} wall"?'
    """
    known = re.compile("{(" + "|".join(map(re.escape, values)) + ")}")
    return known.sub(lambda found: str(values[found[1]]), template)


def without_thoughts(text: str) -> str:
    """Return an answer without what a model thought aloud before it.

    >>> without_thoughts("<think>Let me see.</think> Score: 7 ")
    'Score: 7'
    """
    return text.rpartition("</think>")[2].strip()
