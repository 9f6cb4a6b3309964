"""Prompt ids as strings."""

from typing import Any

import numpy as np

from flasheval.base.errors import DataError

__all__ = ["prompt_id"]


def prompt_id(value: Any) -> str:
    """Return an id as a string: integers in decimal, strings as they are.

    Raises DataError for anything else (floats, bools, None) and for the empty string.

    >>> prompt_id(37)
    '37'
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise DataError(f"a prompt id must be a non-empty string or an integer, not {value!r}")
    return str(value)
