"""Which columns of a table of prompts are ids and texts, by name and content."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.text import plain_name
from flasheval.prompts.tags import cell_of, values_of, written

__all__ = ["ID_KEYS", "TEXT_KEYS", "Found", "found_prompts"]

ID_KEYS = ("prompt_id", "id")
TEXT_KEYS = ("caption", "prompt", "text")

# In plain form; those that say it best first.
_IDS = (
    *(
        *ID_KEYS,
        "promptid",
        "item_id",
        "image_name",
        "caption_id",
        "sentid",
        "text_id",
        "sample_id",
    ),
    *("index", "idx", "uid", "uuid", "key", "filename", "file_name", "image_id", ""),
)
_TEXTS = (
    *("prompt", "caption", "text", "prompts", "captions", "texts", "prompt_text", "prompt_en"),
    *("raw", "raw_prompt", "original_prompt", "sentence", "instruction", "input", "p"),
    *("description", "content", "prompt_cn", "prompt_zh", "prompt_in_chinese"),
)
_KINDS = ("category", "type", "task", "class", "split", "tag", "style", "challenge", "source")
_SEVERAL = re.compile(r"(\w+?)_(description|prompt|caption|text)")
Texts = Literal["required", "optional", "none"]

_WHICH_TEXT = "texts (say which with text=)"  # text_key= in Python
_QUESTION = re.compile(r"(^|_)(question|questions|proposition|tuple)(_|$)")


@dataclass(frozen=True)
class Found:
    """The prompts of a table.

    Attributes:
        ids: Their ids.
        texts: Their texts; None where no column has them.
        rows: The row of each prompt, or its first row where it has several.
        groups: All rows of each prompt where one has several; else None.
        taken: The columns that ids and texts were made from.
        numbered: Whether ids are the rows' numbers, as no column has them.

    """

    ids: tuple[str, ...]
    texts: tuple[str, ...] | None
    rows: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...] | None
    taken: frozenset[str]
    numbered: bool = False

    def column(self, cells: Sequence[object]) -> tuple[str, ...]:
        """Return each prompt's cell of a column, given by rows.

        A list is a JSON list of its values; where a prompt's rows differ, of those of all rows.

        >>> Found(("7",), ("A cat.",), (0,), ((0, 1),), frozenset()).column(["Alive?", "Big?"])
        ('["Alive?", "Big?"]',)
        """
        if self.groups is None:
            return tuple(cell_of(cells[row]) for row in self.rows)
        found = []
        for rows in self.groups:
            own = [cell_of(cells[row]) for row in rows]
            values = [value for cell in own for value in values_of(cell)]
            found.append(own[0] if len(set(own)) == 1 else written(values))
        return tuple(found)


def found_prompts(
    columns: Columns, id_key: str | None, text_key: str | None, *, want: Texts
) -> Found:
    """Tell ids and texts; ids that no column gives are the rows' numbers, from 1.

    Ids that start again in each category are written ``category/id``. Rows that repeat a prompt
    (one a question) make one prompt. Two columns of texts (short and long) make two prompts a row.

    Args:
        columns: The table.
        id_key: The column of ids; ``a+b`` joins two.
        text_key: The column of texts.
        want: Whether a table without texts is refused (`required`), or none are looked for.

    Raises DataError naming the columns where none holds texts.

    """
    plain = {name: plain_name(name) for name in columns.names}
    text = None if want == "none" else _text_column(columns, plain, text_key)
    if text is None and want == "required":
        several = _texts_named(columns, plain)
        if len(several) > 1 and id_key is None:
            return _unfolded(columns, plain, several)
        columns.pick(text_key, TEXT_KEYS, _WHICH_TEXT)
    if text is not None and columns.holds_lists(text):
        return _listed(columns, text, _id_columns(columns, plain, id_key, text))
    texts = None if text is None else _texts(columns, text)
    rows = tuple(range(columns.n_rows))
    keys = _id_columns(columns, plain, id_key, text)
    ids = _joined(columns, keys) if keys else tuple(str(row + 1) for row in rows)
    taken = frozenset([*keys, *([] if text is None else [text])])
    if texts is None or (keys and len(set(ids)) == len(ids)):
        return Found(ids, texts, rows, None, taken, numbered=not keys)
    if keys:
        if len({*zip(ids, texts, strict=True)}) == len(set(ids)):
            return _grouped(ids, ids, texts, taken)
        kind = None if id_key else _kind_that_parts(columns, plain, ids)
        if kind is not None:  # it stays a column of its own too: it is a tag
            ids = tuple(f"{a}/{b}" for a, b in zip(_cells(columns, kind), ids, strict=True))
        return Found(ids, texts, rows, None, taken)
    if len(set(texts)) < len(texts) and any(map(_QUESTION.search, plain.values())):
        return _grouped(texts, None, texts, taken)
    return Found(ids, texts, rows, None, taken, numbered=True)


def _text_column(columns: Columns, plain: dict[str, str], given: str | None) -> str | None:
    if given is not None:
        return columns.pick(given, (), _WHICH_TEXT)
    exact = [name for name in TEXT_KEYS if name in columns.names]
    named = sorted(
        (name for name in columns.names if plain[name] in _TEXTS),
        key=lambda name: _TEXTS.index(plain[name]),
    )
    candidates = list(dict.fromkeys([*exact, *named]))
    kinds = columns.kinds(candidates)
    texts = [name for name, kind in zip(candidates, kinds, strict=True) if kind == "text"]
    texts += [name for name in candidates if name not in texts and columns.holds_lists(name)]
    alone = list(_texts_named(columns, plain).values())
    if len(alone) > 1:  # a prompt each
        alone = []
    # A column of another kind is named in a message rather than passed over.
    return next(iter([*texts, *exact, *alone]), None)


def _id_columns(
    columns: Columns, plain: dict[str, str], given: str | None, text: str | None
) -> tuple[str, ...]:
    if given is not None:
        whole = (given,) if given in columns.names else tuple(given.split("+"))
        return tuple(columns.pick(one, (), "ids (say which with id=)") for one in whole)
    for name in ID_KEYS:
        if name in columns.names:
            return (name,)
    candidates = sorted(
        (name for name in columns.names if plain[name] in _IDS and name != text),
        key=lambda name: _IDS.index(plain[name]),
    )
    return tuple(candidates[:1])


def _kind_that_parts(columns: Columns, plain: dict[str, str], ids: Sequence[str]) -> str | None:
    """Return the column of categories in each of which ids are unique."""
    for kind in _KINDS:
        for name in columns.names:
            if plain[name] != kind:
                continue
            cells = _cells(columns, name)
            if all(cells) and len({*zip(cells, ids, strict=True)}) == len(ids):
                return name
    return None


def _grouped(
    keys: Sequence[str], ids: Sequence[str] | None, texts: Sequence[str], taken: frozenset[str]
) -> Found:
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    groups = tuple(tuple(own) for own in rows.values())
    first = tuple(own[0] for own in groups)
    names = [str(place) for place in range(1, len(groups) + 1)] if ids is None else list(rows)
    return Found(
        tuple(names), tuple(texts[row] for row in first), first, groups, taken, ids is None
    )


def _texts_named(columns: Columns, plain: dict[str, str]) -> dict[str, str]:
    """Return columns called like short_prompt, by what tells them apart (short, long)."""
    found = {}
    for name in columns.names:
        match = _SEVERAL.fullmatch(plain[name])
        if match and columns.kinds([name]) == ["text"]:
            found[match[1]] = name
    return found


def _unfolded(columns: Columns, plain: dict[str, str], several: dict[str, str]) -> Found:
    kind = next((name for key in _KINDS for name in columns.names if plain[name] == key), None)
    heads = [""] * columns.n_rows if kind is None else [f"{c}/" for c in _cells(columns, kind)]
    ids, texts, rows = [], [], []
    for version, name in several.items():
        for row, text in enumerate(columns.texts(name)):
            ids.append(f"{heads[row]}{version}/{row}")  # rows from 0, as such benchmarks number
            texts.append(text)
            rows.append(row)
    return Found(tuple(ids), tuple(texts), tuple(rows), None, frozenset(several.values()))


def _listed(columns: Columns, name: str, keys: tuple[str, ...]) -> Found:
    """Make a prompt of each text in a column of lists, such as an image's captions."""
    heads = [f"{one}/" for one in _joined(columns, keys)] if keys else [""] * columns.n_rows
    ids: list[str] = []
    texts, rows = [], []
    for row, own in enumerate(columns.text_lists(name)):
        for number, text in enumerate(own):
            ids.append(f"{heads[row]}{number}" if keys else str(len(ids) + 1))
            texts.append(text)
            rows.append(row)
    taken = frozenset([*keys, name])
    if without := columns.n_rows - len(set(rows)):
        warnings.warn(
            f"{columns.path}: {without} of {columns.n_rows} rows have no text in {name!r} and are "
            "left out",
            UserWarning,
            stacklevel=5,
        )
    return Found(tuple(ids), tuple(texts), tuple(rows), None, taken, numbered=not keys)


def _texts(columns: Columns, name: str) -> tuple[str, ...]:
    texts = columns.texts(name)
    # "id, prompt": the blank after the comma is no part of a text.
    return tuple(text.removeprefix(" ") for text in texts) if name.startswith(" ") else texts


def _joined(columns: Columns, names: Sequence[str]) -> tuple[str, ...]:
    parts = [columns.ids(name) for name in names]
    return parts[0] if len(parts) == 1 else tuple("/".join(row) for row in zip(*parts, strict=True))


def _cells(columns: Columns, name: str) -> list[str]:
    values = columns.plain(name)
    if values is None:
        raise DataError(f"{columns.path}: column {name!r} holds no plain values")
    return list(map(cell_of, values))
