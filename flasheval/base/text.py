"""Small pieces of text for people."""

from __future__ import annotations

import re

__all__ = ["DASH", "plain_name", "shortened"]

DASH = "\N{EN DASH}"


def shortened(name: str, width: int) -> str:
    """Return a name cut to a width, with dots where it is longer.

    >>> shortened("a long name", 7)
    'a long…'
    """
    return name if len(name) <= width else name[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"


def plain_name(name: str) -> str:
    """Return a column's name without case, white space around and the kind of its joints.

    >>> plain_name(" Model Name "), plain_name("promptId"), plain_name("CLIP-Score")
    ('model_name', 'prompt_id', 'clip_score')
    """
    name = re.sub(r"(?<=[a-z])(?=[A-Z][a-z]|I[dD]$|ID$)", "_", name.strip().lstrip("\ufeff"))
    return re.sub(r"[^\w%]+", "_", name).strip("_").lower()
