"""Expanding grids of settings, less exclusions, into entries: one mapping a variant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from math import prod
from typing import Any

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest

__all__ = ["MOST_VARIANTS", "Entry", "expand_grids"]

Entry = dict[str, Any]

MOST_VARIANTS = 100_000
"""Of one grid: more is a slip, and would fill the memory before anything could be said."""


def expand_grids(
    grids: Iterable[Mapping[str, Any]], exclude: Iterable[Mapping[str, Any]] = ()
) -> list[Entry]:
    """Return every combination of each grid's values, in order, except the excluded ones.

    Args:
        grids: Mappings of key to a value or a list of values; the last key varies fastest.
        exclude: Mappings of key to a value or a list: an entry goes when all of its keys match.

    Raises:
        SettingError: An empty list, or an exclusion that excludes nothing.

    >>> expand_grids([{"scheduler": ["DDIM", "DPM"], "steps": [10, 50]}],
    ...              [{"scheduler": "DPM", "steps": 50}])[1:]
    [{'scheduler': 'DDIM', 'steps': 50}, {'scheduler': 'DPM', 'steps': 10}]

    """
    entries = [entry for number, grid in enumerate(grids) for entry in _expand(grid, number)]
    rules = [_rule(rule, number) for number, rule in enumerate(exclude)]
    used = [False] * len(rules)
    kept = []
    for entry in entries:
        hits = [number for number, rule in enumerate(rules) if _matches(entry, rule)]
        for number in hits:
            used[number] = True
        if not hits:
            kept.append(entry)
    for number, rule in enumerate(rules):
        if not used[number]:
            raise SettingError(_useless(number, rule, entries))
    return kept


def _expand(grid: object, number: int) -> list[Entry]:
    where = f"population.grid[{number}]"
    if not isinstance(grid, Mapping):
        raise SettingError(f"{where} is {grid!r}; expected a mapping such as {{steps: [10, 50]}}")
    axes = {str(key): _values(value) for key, value in grid.items()}
    for key, values in axes.items():
        if not values:
            raise SettingError(f"{where}.{key} is an empty list; give a value or leave it out")
    count = prod(len(values) for values in axes.values())
    if count > MOST_VARIANTS:
        raise SettingError(
            f"{where} makes {count:,} variants; the most is {MOST_VARIANTS:,}: give fewer values"
        )
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def _rule(rule: object, number: int) -> dict[str, list[Any]]:
    if not isinstance(rule, Mapping) or not rule:
        raise SettingError(
            f"population.exclude[{number}] is {rule!r}; expected a mapping such as "
            "{scheduler: PNDM, steps: 10}"
        )
    return {str(key): _values(value) for key, value in rule.items()}


def _values(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _matches(entry: Entry, rule: Mapping[str, list[Any]]) -> bool:
    return all(key in entry and entry[key] in values for key, values in rule.items())


def _useless(number: int, rule: Mapping[str, list[Any]], entries: list[Entry]) -> str:
    keys = {key for entry in entries for key in entry}
    stranger = next((key for key in rule if key not in keys), None)
    if stranger is not None:
        return f"population.exclude[{number}] names {stranger!r}, which no grid has" + nearest(
            stranger, keys
        )
    return f"population.exclude[{number}] excludes nothing of the grid; mend it or leave it out"
