"""Tags of prompts: columns of few values, such as a category; a prompt may have several values."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["cell_of", "counted", "looks_like_tags", "places_by_value", "values_of", "written"]

# A column with more values, or longer ones, is no column of tags.
_MOST, _LONGEST = 100, 60


def values_of(cell: str) -> tuple[str, ...]:
    """Return the values in a cell: none where it is empty, several where it is a JSON list.

    >>> values_of("dog"), values_of('["dog", "cat", "dog"]'), values_of("")
    (('dog',), ('dog', 'cat'), ())
    """
    if cell.startswith("[") and cell.endswith("]"):
        try:
            found = json.loads(cell)
        except ValueError:
            return (cell,)
        if all(isinstance(one, str) for one in found):
            return tuple(dict.fromkeys(one for one in found if one))
    return (cell,) if cell else ()


def written(values: Sequence[str]) -> str:
    """Return values as a cell that `values_of` reads.

    >>> written(["dog"]), written(["dog", "cat"]), written([])
    ('dog', '["dog", "cat"]', '')
    """
    if len(values) == 1 and values_of(values[0]) == (values[0],):
        return values[0]
    return json.dumps(list(values), ensure_ascii=False) if values else ""


def cell_of(value: object) -> str:
    """Return a value as a cell: None is empty, a list is written as `written` does.

    >>> cell_of(True), cell_of(None), cell_of(["dog", 2])
    ('true', '', '["dog", "2"]')
    """
    if value is None:
        return ""
    if isinstance(value, list):
        return written([cell_of(one) for one in value])
    return str(value).lower() if isinstance(value, bool) else str(value)


def counted(column: Sequence[str]) -> Counter[str]:
    """Return how many cells of a column hold each value.

    >>> counted(["dog", '["dog", "cat"]', ""])
    Counter({'dog': 2, 'cat': 1})
    """
    cells = Counter(column)
    found: Counter[str] = Counter()
    for cell, times in cells.items():
        for value in values_of(cell):
            found[value] += times
    return found


def places_by_value(values: Iterable[Sequence[str]]) -> dict[str, NDArray[np.int64]]:
    """Return where each value stands, values sorted, from the values of each prompt.

    >>> found = places_by_value([("cat",), ("dog", "cat"), ()])
    >>> {value: places.tolist() for value, places in found.items()}
    {'cat': [0, 1], 'dog': [1]}
    """
    found: dict[str, list[int]] = {}
    for place, own in enumerate(values):
        for value in own:
            found.setdefault(value, []).append(place)
    return {value: np.array(found[value], dtype=np.int64) for value in sorted(found)}


def looks_like_tags(extras: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the columns of few values, each of which several prompts have.

    A column of one value, of more than 100, or with about one value a prompt parts nothing; one
    of values longer than 60 characters holds texts.

    >>> looks_like_tags({"kind": ("dog", "cat", "dog", "cat"), "image": ("1", "2", "3", "4")})
    ('kind',)
    """
    return tuple(name for name, column in extras.items() if _parts(column))


def _parts(column: Sequence[str]) -> bool:
    # Most columns are told by their first cells: a caption's file names are a value each.
    head = set(column[: 4 * _MOST])
    if len(head) > 2 * _MOST and not any(cell.startswith("[") for cell in head):
        return False
    values = counted(column)
    few = 1 < len(values) <= min(_MOST, len(column) // 2)
    return few and max(map(len, values)) <= _LONGEST
