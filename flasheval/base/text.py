"""Small pieces of text for people."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["DASH", "first_few", "plain_name", "shortened", "visible"]

DASH = "\N{EN DASH}"
# Control characters but tab and line feed (a terminal obeys them), what turns the direction of the
# text around it, line breaks that are no line feed, and halves of a character, which no file holds.
_UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Return a text for people: what a screen would obey stands as its number, as in Python.

    That is terminal escapes, null characters, carriage returns and marks that reverse the text
    around them. Tabs, line feeds and everything that is seen stay as they are; files of data hold
    names as they are and do not come here.

    >>> print(visible("red \x1b[31m, gpj.\u202ereversed"))
    red \x1b[31m, gpj.\u202ereversed
    """
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def shortened(name: str, width: int) -> str:
    """Return a name cut to a width, with dots where it is longer.

    >>> shortened("a long name", 7)
    'a long…'
    """
    return name if len(name) <= width else name[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def first_few(names: Sequence[str], most: int = 3) -> str:
    """Return the first few names, and how many more there are.

    >>> first_few(["a", "b"]), first_few(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def plain_name(name: str) -> str:
    """Return a column's name without case, white space around and the kind of its joints.

    >>> plain_name(" Model Name "), plain_name("promptId"), plain_name("CLIP-Score")
    ('model_name', 'prompt_id', 'clip_score')
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z]|I[dD]$|ID$)", "_", name.strip().lstrip("\ufeff"))
    return re.sub(r"[^\w%]+", "_", name).strip("_").lower()
