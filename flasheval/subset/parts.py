"""The parts of a subset: its prompts, the metrics it serves, and the method that chose them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flasheval.base.canonical import JSON, canonical_value
from flasheval.base.drawing.brief import Brief
from flasheval.base.errors import DataError
from flasheval.prompts import text_hash

__all__ = ["Method", "MetricInfo", "SubsetPrompt", "require_hash", "require_within"]

_MOST_DRAWS = 1_000_000_000  # more would not be exact as a weight


@dataclass(frozen=True, repr=False)
class SubsetPrompt(Brief):
    """One chosen prompt.

    Attributes:
        id: its id in the prompt set.
        text_hash: see :func:`flasheval.prompts.text_hash`; None when no text was known. Follows
            from ``text`` when that is given.
        weight: its share in the subset mean, 1 unless the method says otherwise; kept to
            6 significant digits, so that what is used is what is hashed.
        multiplicity: how often an imported subset draws it; 1 in every subset made here.
        sources: other keys to look it up by, such as ``image_name`` and ``part_id``.
        text: the prompt, only when licence and source allow; not part of the content hash.
        tags: its values by tag, such as its category; not part of the content hash either.

    >>> SubsetPrompt("7", text="a cat").text_hash == text_hash("a cat")
    True
    >>> SubsetPrompt("7", multiplicity=0)
    Traceback (most recent call last):
    flasheval.base.errors.DataError: prompt "7" has multiplicity 0; expected 1 or more

    """

    id: str
    text_hash: str | None = None
    weight: float = 1.0
    multiplicity: int = 1
    sources: Mapping[str, str] = field(default_factory=dict, hash=False)
    text: str | None = None
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.id:
            raise DataError("a prompt has an empty id; give each prompt its id in the prompt set")
        _canonical(self.id, "the id of a prompt")
        if not 1 <= self.multiplicity <= _MOST_DRAWS:
            known = min(self.multiplicity, _MOST_DRAWS + 1)  # not thousands of digits
            wanted = "1 or more" if known < 1 else f"at most {_MOST_DRAWS:,}"
            raise DataError(f'prompt "{self.id}" has multiplicity {known}; expected {wanted}')
        object.__setattr__(
            self, "weight", float(_canonical(self.weight, f'weight of prompt "{self.id}"'))
        )
        object.__setattr__(
            self, "sources", _canonical(self.sources, f'sources of prompt "{self.id}"')
        )
        require_hash(self.text_hash, f'the text_hash of prompt "{self.id}"')
        if self.text is not None:
            found = text_hash(self.text)
            if self.text_hash not in (None, found):
                raise DataError(
                    f'the text of prompt "{self.id}" does not match its text_hash; '
                    "one of them belongs to another prompt"
                )
            object.__setattr__(self, "text_hash", found)


@dataclass(frozen=True)
class MetricInfo:
    """A metric the subset serves, and its direction.

    >>> print(MetricInfo("lpips", higher_is_better=False))
    lpips (lower is better)
    """

    name: str
    higher_is_better: bool = True

    def __post_init__(self) -> None:
        if not self.name:
            raise DataError("a metric has an empty name; name it as the score table does")

    def __str__(self) -> str:
        return f"{self.name} ({'higher' if self.higher_is_better else 'lower'} is better)"


@dataclass(frozen=True, repr=False)
class Method(Brief):
    """How the prompts were chosen: the selector, every setting it had, and its seed.

    Settings are JSON data, kept in canonical form. ``seed`` is None for imported subsets whose
    search was not seeded.

    >>> print(Method("anneal", {"rounds": 3.0}, seed=0))
    anneal(rounds=3), seed 0
    """

    name: str
    settings: Mapping[str, JSON] = field(default_factory=dict, hash=False)
    seed: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", _canonical(self.settings, "settings"))

    def __str__(self) -> str:
        settings = ", ".join(f"{key}={json.dumps(item)}" for key, item in self.settings.items())
        return f"{self.name}({settings})" + ("" if self.seed is None else f", seed {self.seed}")


def require_hash(value: str | None, what: str) -> None:
    """Raise DataError unless ``value`` is None or 64 lower-case hex digits.

    >>> require_hash("54671f8b", "prompt_set_hash")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: prompt_set_hash is "54671f8b"; expected 64 lower-case hex ...
    """
    if value is not None and not re.fullmatch("[0-9a-f]{64}", value):
        raise DataError(f'{what} is "{value[:70]}"; expected 64 lower-case hex digits')


def require_within(name: str, value: float | None, least: float, most: float = math.inf) -> None:
    """Raise DataError unless a number is None or lies between two ends.

    >>> require_within("search_tau", 1.5, -1, 1)
    Traceback (most recent call last):
    flasheval.base.errors.DataError: search_tau is 1.5; expected a number from -1 to 1
    """
    # Means of ones may exceed one by the last digit.
    if value is not None and not least - 1e-9 <= value <= most + 1e-9:
        wanted = f"at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        raise DataError(f"{name} is {value:g}; expected a number {wanted}")


def _canonical(value: object, what: str) -> Any:
    return canonical_value(value, path=what)
