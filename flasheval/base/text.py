"""Small pieces of text for people."""

from __future__ import annotations

__all__ = ["DASH", "shortened"]

DASH = "\N{EN DASH}"


def shortened(name: str, width: int) -> str:
    """Return a name cut to a width, with dots where it is longer.

    >>> shortened("a long name", 7)
    'a long…'
    """
    return name if len(name) <= width else name[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"
