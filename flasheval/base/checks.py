"""Checks that several settings share: each says in one line what was expected."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import index
from typing import SupportsIndex, TypeVar

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest

__all__ = ["check_draws", "checked_names", "checked_seed", "checked_word"]

WordT = TypeVar("WordT", bound=str)


def check_draws(draws: object) -> None:
    """Raise SettingError for a number of random draws that cannot be.

    >>> check_draws(0)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: draws=0: expected a whole number from 1 on
    """
    if not isinstance(draws, int) or isinstance(draws, bool) or draws < 1:
        raise SettingError(f"draws={draws}: expected a whole number from 1 on")


def checked_seed(seed: object) -> int:
    """Return a seed that can be used; SettingError names any other.

    Example:
        >>> checked_seed(7)
        7
        >>> checked_seed(-1)
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: seed=-1: expected a whole number from 0 on

    """
    if isinstance(seed, SupportsIndex) and not isinstance(seed, bool):
        with suppress(TypeError):  # an array of several has an index too, that cannot be used
            if (number := index(seed)) >= 0:
                return number
    raise SettingError(f"seed={seed!r}: expected a whole number from 0 on")


def checked_word(key: str, value: object, words: Sequence[WordT]) -> WordT:
    """Return the word that a setting holds; SettingError where it is none of those it takes.

    >>> checked_word("expect", "similr", ["similar", "new_family"])
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: expect=similr: expected similar or new_family; \
did you mean 'similar'?
    """
    for word in words:
        if value == word:
            return word
    known = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    hint = nearest(value, words) if isinstance(value, str) else ""
    raise SettingError(f"{key}={value}: expected {known}{hint}")


def checked_names(key: str, value: object) -> tuple[str, ...] | None:
    """Return the names that a setting holds, one or a list; None where it is None, for all.

    Raises SettingError for anything else, and for a name given twice.

    >>> checked_names("metric", "clip"), checked_names("metric", ["clip", "hps"])
    (('clip',), ('clip', 'hps'))
    """
    if value is None:
        return None
    listed = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    names: list[str] = list(value) if listed else [value]  # type: ignore[call-overload,list-item]
    if not names or not all(isinstance(name, str) for name in names):
        raise SettingError(f"{key}={value}: expected a name, or a list such as [clip,hps]")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SettingError(f"{key}: {twice} is listed twice; name each once")
    return tuple(names)
