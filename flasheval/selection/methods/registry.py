"""The methods by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from numbers import Integral
from typing import Any, get_args, get_type_hints

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest
from flasheval.selection.methods.anchors import Anchors
from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.auto import Auto
from flasheval.selection.methods.balanced import Balanced
from flasheval.selection.methods.discrimination import Discrimination
from flasheval.selection.methods.evolve import Evolve
from flasheval.selection.methods.frequency import Frequency
from flasheval.selection.methods.padded import Padded
from flasheval.selection.methods.pooled import Pooled
from flasheval.selection.methods.random import Random
from flasheval.selection.methods.ridge import Ridge
from flasheval.selection.methods.selector import Selector
from flasheval.selection.methods.shared import Shared
from flasheval.selection.methods.stratified import Stratified

__all__ = ["METHODS", "make_selector", "selector_settings"]

METHODS: dict[str, type[Any]] = {
    method.name: method
    for method in (
        Auto,
        Random,
        Ridge,
        Stratified,
        Discrimination,
        Anchors,
        Frequency,
        Evolve,
        Anneal,
        Balanced,
        Shared,
        Pooled,
        Padded,
    )
}


def make_selector(name: str, settings: Mapping[str, Any] | None = None) -> Selector[Any]:
    """Make a method from its name and settings.

    Raises:
        SettingError: No such method, no such setting of it, or a value of another kind.

    Example:
        >>> make_selector("anneal", {"swaps": 1000}).swaps
        1000

    """
    if name not in METHODS:
        raise SettingError(
            f"no method '{name}': choose one of {', '.join(METHODS)}{nearest(name, METHODS)}"
        )
    known = [field.name for field in fields(METHODS[name])]
    for key in settings or {}:
        if key not in known:
            has = f"its settings are: {', '.join(known)}" if known else "it has no settings"
            raise SettingError(
                f"method '{name}' has no setting '{key}': {has}{nearest(key, known)}"
            )
        hint = get_type_hints(METHODS[name])[key]
        _check_type(name, key, (settings or {})[key], getattr(METHODS[name], key), hint)
    selector: Selector[Any] = METHODS[name](**(settings or {}))
    return selector


def _check_type(method: str, key: str, value: object, default: object, hint: object) -> None:
    """Raise SettingError unless a setting's value is of the kind of its default."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if isinstance(default, bool):
        good, expected = isinstance(value, bool), "true or false"
    elif isinstance(default, int):
        good, expected = whole, "a whole number"
    elif str in get_args(hint):
        good, expected = isinstance(value, str | None), "null or a word"
    elif isinstance(default, float):
        good = whole or (isinstance(value, float) and math.isfinite(value))
        expected = "a number"
    else:
        good = value is None or (
            isinstance(value, Sequence)
            and all(isinstance(entry, Integral) and not isinstance(entry, bool) for entry in value)
        )
        expected = "null or a list of whole numbers"
    if not good:
        raise SettingError(f"method.{key}={value!r} ({method}): expected {expected}")


def selector_settings(selector: Selector[Any]) -> dict[str, Any]:
    """Every setting of a method with its value, in order, plain types only."""
    settings = asdict(selector)  # type: ignore[call-overload]
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()
    }
