"""What a run's judges used of their endpoints: calls and tokens, from the records of its units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flasheval.runs.score_files import UnitScores

__all__ = ["JudgeCalls", "calls_of"]

_COUNTS = ("calls", "cached", "retries", "prompt_tokens", "completion_tokens")


@dataclass(frozen=True)
class JudgeCalls:
    """Calls of endpoints for the scores that are there; units that failed are not counted.

    Attributes:
        calls: Calls made, tries included.
        cached: Answers that were kept from before.
        retries: Calls made again.
        prompt_tokens: Tokens read, as the endpoints count them.
        completion_tokens: Tokens written.
        models: The model ids that were returned.

    """

    calls: int = 0
    cached: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    models: tuple[str, ...] = ()

    def in_words(self) -> str:
        """Return it as a line.

        >>> JudgeCalls(1200, 310, 4, 90_000, 1200, ("m-1",)).in_words()
        '1,200 calls of m-1, 310 answers kept from before, 4 calls made again, 90,000 tokens read, \
1,200 written'
        """
        parts = [f"{self.calls:,} call{'' if self.calls == 1 else 's'}"]
        if self.models:
            parts[0] += f" of {', '.join(self.models)}"
        for count, what in (
            (self.cached, "answers kept from before"),
            (self.retries, "calls made again"),
            (self.prompt_tokens, "tokens read"),
            (self.completion_tokens, "written"),
        ):
            parts += [f"{count:,} {what}"] if count else []
        return ", ".join(parts)


def calls_of(units: Iterable[UnitScores]) -> JudgeCalls | None:
    """Return the sum over units; None where no judge asked an endpoint.

    >>> calls_of([]) is None
    True
    """
    counts, models, found = dict.fromkeys(_COUNTS, 0), [], False
    for unit in units:
        used = unit.record.get("used")
        told: Mapping[str, Any] = used if isinstance(used, Mapping) else {}
        found = found or bool(told)
        for name in _COUNTS:
            count = told.get(name, 0)
            counts[name] += count if isinstance(count, int) else 0
        named = told.get("models")
        models += [str(one) for one in named] if isinstance(named, list) else []
    return JudgeCalls(**counts, models=tuple(dict.fromkeys(models))) if found else None
