"""The methods by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from flasheval.base.canonical import canonical_value
from flasheval.base.errors import DataError, SettingError
from flasheval.base.registry import Registry
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

__all__ = ["METHODS", "make_method", "make_selector", "selector_settings"]

METHODS: Registry[Selector[Any]] = Registry(
    "method",
    "flasheval.methods",
    Selector,
    [
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
    ],
)
"""The methods by name."""


def make_method(entry: object, settings: Mapping[str, object] | None = None) -> Selector[Any]:
    """Return a method with its settings, checked.

    Args:
        entry: A name; a mapping of settings with the ``name``; or a method of flasheval or your
            own: a dataclass that follows `Selector`.
        settings: The settings that go with a name.

    Raises:
        SettingError: An unknown method, an unknown setting, an invalid value, or an object that
            is not a method.

    Example:
        >>> make_method("anneal", {"swaps": 1000}) == make_method(Anneal(swaps=1000))
        True
        >>> make_method("anneel")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: there is no method 'anneel'; ... did you mean 'anneal'?

    """
    selector = METHODS.make(entry, settings)
    if selector is entry:
        _check_own(selector)
    return selector


make_selector = make_method  # its former name


def _check_own(selector: Selector[Any]) -> None:
    """Raise SettingError unless a manifest can say truly what an object's name and settings are."""
    name = selector.name
    if not is_dataclass(selector):
        raise SettingError(
            f"method {name!r}: the class {type(selector).__name__} is not a dataclass; make it "
            "one with its settings as fields, so that the subset's manifest can record them"
        )
    if name in METHODS and type(selector) is not METHODS[name]:
        raise SettingError(
            f"method {name!r}: there is another method of this name; give the class "
            f"{type(selector).__name__} a name of its own"
        )
    try:
        canonical_value(selector_settings(selector), path=f"method {name!r}: its settings")
    except DataError as error:
        raise SettingError(str(error)) from None


def selector_settings(selector: Selector[Any]) -> dict[str, Any]:
    """Every setting of a method with its value, in order, plain types only.

    Example:
        >>> selector_settings(Frequency(n_sets=500, pools=(300, 100)))
        {'n_sets': 500, 'keep': 0.03333333333333333, 'replace': False, 'pools': [300, 100]}

    """
    settings = asdict(selector)  # type: ignore[call-overload]
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()
    }
