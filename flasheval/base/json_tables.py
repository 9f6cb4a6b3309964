"""Tables in one JSON document: columns of lists, pandas' forms, and nested objects of numbers."""

from collections.abc import Mapping
from typing import Any

__all__ = ["table_in"]

_WRAPPERS = ("data", "results", "records", "rows", "scores", "items")

Table = tuple[list[str], list[list[Any]]]


def table_in(document: Any) -> Table | None:
    """Return the columns' names and cells of a table in a JSON document, None where it has none.

    A list of objects and COCO captions are left to `flasheval.base.records`. What is nested two
    deep ({"sd15": {"p1": 0.5}}) becomes a table whose first column has no name; three deep, one
    with two such columns.

    >>> table_in({"model": ["a", "b"], "score": [1, 2]})
    (['model', 'score'], [['a', 'b'], [1, 2]])
    >>> table_in({"a": {"p1": 1, "p2": 2}, "b": {"p2": 3}})
    (['', 'p1', 'p2'], [['a', 'b'], [1, None], [2, 3]])
    """
    if not isinstance(document, Mapping) or not document or "annotations" in document:
        return None
    if set(document) >= {"columns", "data"} and _is_grid(document["data"], document["columns"]):
        return _split(document)
    for key in _WRAPPERS:
        inner = document.get(key)
        if isinstance(inner, list) and inner and all(isinstance(one, dict) for one in inner):
            names = list(dict.fromkeys(name for one in inner for name in one))
            return names, [[one.get(name) for one in inner] for name in names]
    values = list(document.values())
    if all(isinstance(one, list) for one in values):
        lengths = {len(one) for one in values}
        if len(lengths) == 1 and lengths != {0} and not any(_holds_lists(one) for one in values):
            return [str(key) for key in document], values
        return None
    if not all(isinstance(one, Mapping) and one for one in values):
        inner = document.get("scores")
        return table_in(inner) if isinstance(inner, Mapping) else None
    inner_values = [cell for one in values for cell in one.values()]
    if all(isinstance(cell, Mapping) and cell for cell in inner_values):
        return _three_deep(document)
    if any(isinstance(cell, Mapping) for cell in inner_values):
        return None
    if any(isinstance(cell, str) and not _is_number(cell) for cell in inner_values):
        return _columns_of_objects(document)
    return _two_deep(document)


def _two_deep(document: Mapping[str, Any]) -> Table:
    names = list(dict.fromkeys(str(key) for one in document.values() for key in one))
    rows = [{str(key): cell for key, cell in one.items()} for one in document.values()]
    return ["", *names], [list(document), *([row.get(name) for row in rows] for name in names)]


def _three_deep(document: Mapping[str, Any]) -> Table | None:
    pairs = [(first, second) for first, inner in document.items() for second in inner]
    rows = [document[first][second] for first, second in pairs]
    if any(isinstance(cell, Mapping) for row in rows for cell in row.values()):
        return None
    names = list(dict.fromkeys(str(key) for row in rows for key in row))
    cells = [[{str(k): v for k, v in row.items()}.get(name) for row in rows] for name in names]
    # Two columns without a name: white space tells them apart.
    return ["", " ", *names], [
        [first for first, _ in pairs],
        [second for _, second in pairs],
        *cells,
    ]


def _columns_of_objects(document: Mapping[str, Any]) -> Table | None:
    """Return pandas' {column: {row: cell}}; None where some rows are texts: objects by id."""
    texts = [
        all(isinstance(cell, str) and not _is_number(cell) for cell in one.values())
        for one in document.values()
    ]
    keys = list(dict.fromkeys(key for one in document.values() for key in one))
    if any(texts):  # a column of texts: the outer keys are the columns
        return list(document), [[one.get(key) for key in keys] for one in document.values()]
    # {id: {"prompt": ..., "score": ...}}: the outer keys are the rows
    return ["", *keys], [
        list(document),
        *([one.get(key) for one in document.values()] for key in keys),
    ]


def _split(document: Mapping[str, Any]) -> Table:
    names = [str(name) for name in document["columns"]]
    columns = [list(column) for column in zip(*document["data"], strict=True)]
    index = document.get("index")
    if isinstance(index, list) and index != list(range(len(index))) and "" not in names:
        return ["", *names], [index, *columns]
    return names, columns


def _is_grid(data: Any, names: Any) -> bool:
    return (
        isinstance(data, list)
        and isinstance(names, list)
        and bool(data)
        and all(isinstance(row, list) and len(row) == len(names) for row in data)
    )


def _holds_lists(cells: list[Any]) -> bool:
    return any(isinstance(cell, list | dict) for cell in cells)


def _is_number(text: str) -> bool:
    try:
        float(text.strip().rstrip("%"))
    except ValueError:
        return False
    return True
