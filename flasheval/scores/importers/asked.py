"""The settings `columns` and `drop`: what a person says of the columns of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError, SettingError
from flasheval.base.suggest import nearest
from flasheval.base.text import plain_name

__all__ = ["Asked", "ask", "found_column", "joined_columns"]

_REPEATS = ("repeat", "seed", "image", "rater", "judge")
_KEYS = ("variant", "prompt", "text", "metric", "score", *_REPEATS)


@dataclass(frozen=True)
class Asked:
    """What was said: a column's name or several for each role, and what to leave out.

    ``variants`` and ``prompts`` are columns that are variants or prompts themselves, ``("*",)``
    for all columns that no other key names.

    >>> ask({"variant": "*", "prompt": "id"}, "seed").variants
    ('*',)
    """

    variant: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    prompt: str | None = None
    prompts: tuple[str, ...] = ()
    text: str | None = None
    metric: str | None = None
    scores: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


def ask(columns: object, drop: object) -> Asked:
    """Return the settings `columns` and `drop` checked, without a table.

    Raises SettingError for a key or value that cannot be.

    >>> ask({"variant": "model+steps", "score": ["CLIP", "HPS"]}, None).variant
    ('model+steps',)
    >>> ask({"varint": "model"}, None)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: columns has no key 'varint'; it has: variant, prompt, \
text, metric, score, repeat, seed, image, rater, judge; did you mean 'variant'?
    """
    given = {} if columns is None else columns
    if not isinstance(given, Mapping):
        raise SettingError(f"columns={columns}: expected {{variant: COLUMN, prompt: COLUMN, ...}}")
    told: dict[str, tuple[str, ...]] = {}
    for key, value in given.items():
        if key not in _KEYS:
            raise SettingError(
                f"columns has no key {str(key)!r}; it has: {', '.join(_KEYS)}"
                f"{nearest(str(key), _KEYS)}"
            )
        told[key] = _names(f"columns.{key}", value)
    for key in ("text", "metric"):
        if len(told.get(key, ())) > 1:
            raise SettingError(f"columns.{key} names {len(told[key])} columns; it can be one")
    across = {
        key: told.pop(key)
        for key in ("variant", "prompt")
        if key in told and (told[key] == ("*",) or _is_list(given[key]))
    }
    if len(across) > 1:
        raise SettingError(
            "columns: variant and prompt cannot both be lists of columns; one of them is a column"
        )
    return Asked(
        told.get("variant", ()),
        across.get("variant", ()),
        next(iter(told.get("prompt", ())), None),
        across.get("prompt", ()),
        next(iter(told.get("text", ())), None),
        next(iter(told.get("metric", ())), None),
        told.get("score", ()),
        tuple(name for key in _REPEATS for name in told.get(key, ())),
        () if drop is None else _names("drop", drop),
    )


def found_column(columns: Columns, name: str, what: str) -> str:
    """Return the column that a setting names, in any case and with blanks around.

    Raises DataError, listing the columns, when there is none.
    """
    if name in columns.names:
        return name
    alike = [one for one in columns.names if plain_name(one) == plain_name(name)]
    return alike[0] if len(alike) == 1 else columns.pick(name, (), what)


def joined_columns(columns: Columns, name: str) -> tuple[str, ...]:
    """Return the columns whose cells together name a variant: one, or several with plus signs."""
    try:
        return (found_column(columns, name, "variants"),)
    except DataError:
        if "+" not in name:
            raise
        return tuple(found_column(columns, part.strip(), "variants") for part in name.split("+"))


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _names(key: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Sequence) and value and all(isinstance(one, str | int) for one in value):
        return tuple(map(str, value))
    raise SettingError(f"{key}={value}: expected a column's name, or a list of them")
