"""The nearest known name to a misspelt one, for error messages."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest"]


def nearest(name: str, choices: Iterable[str], cutoff: float = 0.5) -> str:
    """Return ``"; did you mean 'clip'?"``, or an empty string when nothing is near.

    Case does not count: ``"Clip"`` is near ``"CLIP"``. Made to be put at the end of a message.
    `cutoff` is how alike two names must be, from 0 to 1.

    >>> nearest("clipp", ["clip", "hps"])
    "; did you mean 'clip'?"
    >>> nearest("zzz", ["clip", "hps"])
    ''
    """
    folded: dict[str, str] = {}
    for choice in choices:
        folded.setdefault(choice.casefold(), choice)
    matches = get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return f"; did you mean {folded[matches[0]]!r}?" if matches else ""
