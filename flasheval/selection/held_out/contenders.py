"""The methods of a comparison: what was asked for, each under a label of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flasheval.base.canonical import JSON
from flasheval.base.errors import SettingError
from flasheval.base.json_data import to_plain
from flasheval.selection.methods.registry import METHODS, make_method
from flasheval.selection.methods.selector import Selector

__all__ = ["RANDOM", "Contender", "find_contender", "read_methods"]


@dataclass(frozen=True)
class Contender:
    """One entry of a comparison.

    Attributes:
        label: What tables call it; no two of a comparison share one.
        name: The method.
        settings: Those of its settings that were given.
        together: Whether it searches all metrics together; the others search one at a time.
        own: The method itself, where it is an object that no name stands for.

    Example:
        >>> contender = Contender("quick", "anneal", {"swaps": 500})
        >>> contender.label, contender.selector().swaps
        ('quick', 500)

    """

    label: str
    name: str
    settings: Mapping[str, JSON] = field(default_factory=dict, hash=False)
    together: bool = False
    own: Selector[Any] | None = field(default=None, hash=False)

    def selector(self) -> Selector[Any]:
        """Make the method.

        Example:
            >>> RANDOM.selector()
            Random()

        """
        return make_method(self.name, self.settings) if self.own is None else self.own


RANDOM = Contender("random", "random")
"""The baseline: the mean of many random subsets, there in every comparison."""


def read_methods(methods: object) -> tuple[Contender, ...]:
    """Read a list of methods; the random baseline comes first, named or not.

    Args:
        methods: A name, a mapping {"name": ..., setting: value}, a method, or a sequence.

    Raises:
        SettingError: None is given, there is no such method or setting, or one is listed twice.

    Example:
        >>> entries = ["balanced", {"name": "balanced", "passes": 2}]
        >>> [contender.label for contender in read_methods(entries)]
        ['random', 'balanced', 'balanced(passes=2)']
        >>> read_methods([METHODS["balanced"](passes=2)])[1] == read_methods(entries)[2]
        True

    """
    one = isinstance(methods, str | Mapping) or METHODS.fits(methods)
    entries = [methods] if one else methods
    if not isinstance(entries, Sequence) or not entries:
        raise SettingError(
            f"methods={methods!r}: expected names such as [frequency,balanced], or mappings such "
            "as {name: frequency, n_sets: 300000}"
        )
    found = {RANDOM.label: RANDOM}
    for entry in entries:
        contender = _contender(entry)
        if contender == RANDOM:
            continue
        if contender.label in found:
            raise SettingError(
                f"methods: {contender.label} is listed twice; name each once, or give the second "
                "other settings"
            )
        found[contender.label] = contender
    return tuple(found.values())


def find_contender(wanted: str, contenders: Sequence[Contender]) -> Contender | None:
    """Return the contender with this label, else the first of this method, else None.

    Example:
        >>> contenders = read_methods(["balanced", {"name": "anneal", "swaps": 500}])
        >>> find_contender("anneal", contenders).label
        'anneal(swaps=500)'
        >>> find_contender("pooled", contenders) is None
        True

    """
    by_label = [contender for contender in contenders if contender.label == wanted]
    by_name = [contender for contender in contenders if contender.name == wanted]
    return next(iter([*by_label, *by_name]), None)


def _contender(entry: object) -> Contender:
    selector = make_method(entry)  # a setting that cannot be is found before any work is done
    name, own = selector.name, None
    if isinstance(entry, str | Mapping):
        given = {} if isinstance(entry, str) else entry
        settings = {str(key): to_plain(value) for key, value in given.items() if key != "name"}
    else:
        settings = to_plain(selector)
        own = None if name in METHODS else selector
    return Contender(_label(name, settings), name, settings, selector.together, own)


def _label(name: str, settings: Mapping[str, JSON]) -> str:
    shown = ", ".join(f"{key}={_shown(value)}" for key, value in settings.items())
    return f"{name}({shown})" if shown else name


def _shown(value: object) -> str:
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)
