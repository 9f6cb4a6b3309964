"""What one part of the torture came to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Outcome", "timed"]


@dataclass
class Outcome:
    """What was done to runs and what came of it.

    Attributes:
        what: What was done, in a few words, for the last line: ``50 kills``.
        faults: What should not have been: files that differ, lines that are missing.
        facts: Further counts, by what they count.
        lost: Units that were not there in the end.
        twice: Units drawn more often than the kills explain.
        seconds: How long it took.

    """

    what: str = ""
    faults: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    lost: int = 0
    twice: int = 0
    seconds: float = 0.0


def timed(part: Callable[[], Outcome]) -> Outcome:
    """Do a part and note how long it took."""
    begun = time.monotonic()
    outcome = part()
    outcome.seconds = time.monotonic() - begun
    return outcome
