"""The rows of a copy of a prompt set: ids, image names and texts, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from flasheval.base.errors import DataError
from flasheval.prompts import PromptSet
from flasheval.prompts.prompt_columns import ID_KEYS, TEXT_KEYS

__all__ = ["Copy", "Rows", "Source", "columns_of", "rows_of"]

Source: TypeAlias = str | Path | PromptSet | Sequence[str]


_ROLES = {
    "id": ID_KEYS,
    "image_name": ("image_name",),
    "text": (*TEXT_KEYS, "captions"),
}


@dataclass(frozen=True)
class Rows:
    """Some rows of a copy, as Arrow arrays of strings.

    Attributes:
        texts: the texts; null where a row has none.
        keys: columns that rows can be found by, ``id`` and ``image_name``, when the copy has them.

    """

    texts: Any
    keys: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Copy:
    """A copy of a prompt set: its name in messages, and its rows, read when asked for."""

    name: str
    batches: Callable[[], Iterator[Rows]]


def columns_of(names: Sequence[str], where: str) -> dict[str, str]:
    """Return the names of the columns of texts, ids and image names; case does not count.

    Raises DataError, listing the columns, when none holds texts.

    >>> columns_of(("Prompt", "id", "seed"), "a.csv")
    {'id': 'id', 'text': 'Prompt'}
    >>> columns_of(("id", "seed"), "a.csv")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: a.csv has no column caption, prompt, text, captions for ...
    """
    folded = {name.casefold(): name for name in reversed(names)}
    found = {
        role: next((folded[word] for word in words if word in folded), None)
        for role, words in _ROLES.items()
    }
    if found["text"] is None:
        have = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        raise DataError(
            f"{where} has no column {', '.join(_ROLES['text'])} for the texts; it has: {have}"
        )
    return {role: name for role, name in found.items() if name is not None}


def rows_of(columns: Mapping[str, Any], where: str) -> Rows:
    """Convert Arrow arrays by role to rows; lists of texts become one row a text, without keys.

    Raises DataError for a column that is neither text nor, as a key, whole numbers.

    >>> import pyarrow as pa
    >>> found = rows_of({"id": pa.array([7, 8]), "text": pa.array(["a cat", "a dog"])}, "a.csv")
    >>> found.texts.to_pylist(), found.keys["id"].to_pylist()
    (['a cat', 'a dog'], ['7', '8'])
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = columns["text"]
    listed = pa.types.is_list(texts.type) or pa.types.is_large_list(texts.type)
    if listed:
        texts = pc.list_flatten(texts)
    keys = {} if listed else {role: column for role, column in columns.items() if role != "text"}
    return Rows(
        _strings(texts, where, "texts"),
        {role: _strings(column, where, role, whole=True) for role, column in keys.items()},
    )


def _strings(column: Any, where: str, what: str, *, whole: bool = False) -> Any:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    if any(test(kind) for test in (*tests, pa.types.is_null)) or (
        whole and pa.types.is_integer(kind)
    ):
        return column.cast(pa.string())
    raise DataError(f"{where}: the {what} are of type {kind}; expected strings")
