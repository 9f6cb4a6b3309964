"""Prompt sets: the ordered prompts of a benchmark, with stable ids and content hashes."""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.arguments import checked_class
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import View
from flasheval.base.errors import DataError, SettingError
from flasheval.base.ids import prompt_id
from flasheval.base.suggest import nearest
from flasheval.prompts.tags import looks_like_tags, places_by_value, values_of

__all__ = [
    "PromptSet",
    "text_hash",
]


def text_hash(text: str) -> str:
    """Return the sha256, in hex, of the text's UTF-8 NFC form without white space at its ends.

    Composed and decomposed spellings of one text, and stray spaces around it, hash alike;
    white space within counts. Raises DataError for a lone surrogate, which has no UTF-8 form.

    >>> text_hash("A cat. ") == text_hash("A cat.")
    True
    >>> text_hash("A cat.")[:12]
    '60a52d10f5e2'
    """
    try:
        encoded = unicodedata.normalize("NFC", text).strip().encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"a text of {len(text)} characters holds a lone surrogate; mend it first"
        ) from error
    return hashlib.sha256(encoded).hexdigest()


@checked_class
@dataclass(frozen=True, repr=False)
class PromptSet(Shown):
    """Prompts in order, a whole benchmark or a part of one: ids with texts or with text hashes.

    ``ids`` are unique strings. ``texts`` are kept exactly, white space too; two prompts may
    have the same text. ``text_hashes`` follow from the texts; given alone they stand for texts
    that may not be passed on. ``extras`` are further columns of strings (``image_name``, ...); a
    cell with several values is a JSON list of them. ``tag_keys`` name those that are tags; None
    takes the columns of few values. Raises DataError for a repeated id, columns of unequal length,
    and hashes that contradict the texts, SettingError for a tag that is no column.

    >>> prompts = PromptSet("pets", ("a", "b"), ("A cat.", "A dog."))
    >>> len(prompts), prompts.index_of(["b"]).tolist(), prompts.hash[:12]
    (2, [1], 'd8874e02267a')
    """

    kind = "prompt_set"

    name: str
    ids: tuple[str, ...]
    texts: tuple[str, ...] | None = None
    text_hashes: tuple[str, ...] | None = None
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tag_keys: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        columns = {"texts": self.texts, "text_hashes": self.text_hashes, **self.extras}
        ids = _checked_ids(self.name, self.ids)
        for key, column in columns.items():
            if column is not None and len(column) != len(ids):
                raise DataError(
                    f"prompt set {self.name!r} has {len(ids)} ids but {len(column)} {key}"
                )
        texts = None if self.texts is None else tuple(self.texts)
        hashes = None if self.text_hashes is None else tuple(self.text_hashes)
        if texts is not None:
            hashes = _checked_hashes(self.name, ids, texts, hashes)
        extras = {key: tuple(column) for key, column in self.extras.items()}
        self._set(self.name, ids, texts, hashes, extras, self.tag_keys)
        for key in self.tag_keys or ():
            self.column(key, "tags")

    def _set(self, *values: Any) -> "PromptSet":
        names = ("name", "ids", "texts", "text_hashes", "extras", "tag_keys")
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)
        return self

    def __len__(self) -> int:
        return len(self.ids)

    def __hash__(self) -> int:
        return hash(self.hash)

    @cached_property
    def hash(self) -> str:
        """The sha256 of the canonical JSON of ``[[id, text hash or null], ...]``, in hex."""
        hashes = self.text_hashes or (None,) * len(self)
        # Strings and nulls only, so this is what canonical.sha256_of would give, ten times faster.
        pairs = list(zip(self.ids, hashes, strict=True))
        text = json.dumps(pairs, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def may_be(self, recorded: str | None) -> bool:
        """Tell whether these prompts may be the ones that a recorded hash was made from.

        The answer is True when nothing contradicts it: the hash is None, it is the hash of the
        bare ids, or the texts of these prompts are unknown.

        >>> cats, dogs = PromptSet("a", ("1",), ("A cat.",)), PromptSet("b", ("1",), ("A dog.",))
        >>> cats.may_be(cats.hash), cats.may_be(dogs.hash), cats.may_be(None)
        (True, False, True)
        """
        if recorded is None or self.text_hashes is None or recorded == self.hash:
            return True
        return recorded == PromptSet(self.name, self.ids).hash

    @cached_property
    def tags(self) -> dict[str, tuple[tuple[str, ...], ...]]:
        """The values of each prompt, by tag; a prompt may have none, one or several.

        >>> kinds = {"kind": ("cat", '["dog", "wet"]')}
        >>> PromptSet("pets", ("1", "2"), extras=kinds, tag_keys=("kind",)).tags
        {'kind': (('cat',), ('dog', 'wet'))}
        """
        names = looks_like_tags(self.extras) if self.tag_keys is None else self.tag_keys
        return {name: tuple(map(values_of, self.extras[name])) for name in names}

    def column(self, name: str, key: str) -> tuple[str, ...]:
        """Return a column of the extras. Raises SettingError, which names the setting ``key``.

        >>> PromptSet("pets", ("1", "2"), extras={"kind": ("cat", "dog")}).column("kind", "by")
        ('cat', 'dog')
        """
        if name not in self.extras:
            known = ", ".join(self.extras) or "none; prompts=FILE brings those of a prompt file"
            raise SettingError(
                f"{key}={name}: the prompts of {self.name} have no such column; there are: {known}"
                f"{nearest(str(name), self.extras)}"
            )
        return self.extras[name]

    def by_tag(self, tag: str) -> dict[str, NDArray[np.int64]]:
        """Return the positions of the prompts that have each value of a column, values sorted.

        A prompt of several values stands under each. Raises SettingError for a column that is not
        there.

        >>> pets = PromptSet("pets", "123", extras={"kind": ("cat", "dog", '["cat", "dog"]')})
        >>> {value: rows.tolist() for value, rows in pets.by_tag("kind").items()}
        {'cat': [0, 2], 'dog': [1, 2]}
        """
        return places_by_value(map(values_of, self.column(tag, "by")))

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {identifier: index for index, identifier in enumerate(self.ids)}

    def index_of(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the position of each id, int64 [len(ids)].

        Raises DataError naming the first unknown ids and how many there are.

        >>> prompts = PromptSet("pets", ("a", "b", "c"))
        >>> prompts.index_of(["c", "a"]).tolist()
        [2, 0]
        >>> prompts.index_of(["d"])
        Traceback (most recent call last):
        flasheval.base.errors.DataError: 1 of 1 ids are not in prompt set 'pets': 'd'
        """
        wanted = ids if isinstance(ids, tuple) else tuple(ids)
        if wanted == self.ids:
            return np.arange(len(wanted), dtype=np.int64)
        positions = self._positions
        unknown = [identifier for identifier in wanted if identifier not in positions]
        if unknown:
            shown = ", ".join(repr(identifier) for identifier in unknown[:3])
            more = ", ..." if len(unknown) > 3 else ""
            hint = nearest(str(unknown[0]), self.ids) if len(self) <= 1000 else ""
            raise DataError(
                f"{len(unknown)} of {len(wanted)} ids are not in prompt set {self.name!r}: "
                f"{shown}{more}{hint}"
            )
        return np.fromiter((positions[i] for i in wanted), dtype=np.int64, count=len(wanted))

    def take(self, indices: ArrayLike) -> "PromptSet":
        """Return the prompts at these positions (integers [k], distinct), in that order.

        Raises DataError for a position outside the set or given twice.

        >>> prompts = PromptSet("pets", ("a", "b", "c"), ("A cat.", "A dog.", "A hen."))
        >>> prompts.take([2, 0]).texts
        ('A hen.', 'A cat.')
        """
        chosen = _checked_positions(indices, len(self), f"prompt set {self.name!r}")

        def pick(column: Sequence[str] | None) -> tuple[str, ...] | None:
            return None if column is None else tuple([column[index] for index in chosen])

        # Every column was checked when this set was made: hashing again would cost seconds.
        return object.__new__(PromptSet)._set(
            self.name,
            pick(self.ids),
            pick(self.texts),
            pick(self.text_hashes),
            {key: pick(column) for key, column in self.extras.items()},
            self.tag_keys,
        )

    def without_texts(self) -> "PromptSet":
        """Return the same prompts with the hashes of their texts only; the hash stays.

        >>> prompts = PromptSet("pets", ("a",), ("A cat.",))
        >>> bare = prompts.without_texts()
        >>> bare.texts, bare.hash == prompts.hash
        (None, True)
        """
        return object.__new__(PromptSet)._set(
            self.name, self.ids, None, self.text_hashes, dict(self.extras), self.tag_keys
        )

    def view(self) -> View:
        """Return what `flasheval show prompts=FILE` prints: which list it is, its ids and tags."""
        from flasheval.prompts.summary import prompts_view

        return prompts_view(self)

    def _brief(self) -> str:
        extras = f"; {', '.join(self.extras)}" if self.extras else ""
        texts = "" if self.texts is not None else ", no texts"
        return f"{len(self):,} prompts of {self.name}{texts}{extras}"

    def _data(self) -> dict[str, object]:
        return {
            "name": self.name,
            "hash": self.hash,
            "size": len(self),
            "tags": list(self.tags),
            "prompts": [
                {
                    "id": one,
                    "text": None if self.texts is None else self.texts[place],
                    "text_hash": None if self.text_hashes is None else self.text_hashes[place],
                    "extras": {key: column[place] for key, column in self.extras.items()},
                }
                for place, one in enumerate(self.ids)
            ],
        }

    def _rows(self) -> dict[str, tuple[str, ...]]:
        texts = {} if self.texts is None else {"prompt": self.texts}
        return {"prompt_id": self.ids, **texts, **self.extras}


def _checked_ids(name: str, ids: Iterable[Any]) -> tuple[str, ...]:
    values = tuple(ids)
    if set(map(type, values)) - {str} or "" in values:
        values = tuple(prompt_id(value) for value in values)
    if len(set(values)) != len(values):
        seen: set[str] = set()
        for value in values:
            if value in seen:
                raise DataError(
                    f"prompt set {name!r} has the id {value!r} more than once; ids must be unique"
                )
            seen.add(value)
    try:
        "".join(values).encode()
    except UnicodeEncodeError as error:
        raise DataError(f"prompt set {name!r}: an id holds a lone surrogate; mend it") from error
    return values


def _checked_hashes(
    name: str, ids: tuple[str, ...], texts: tuple[str, ...], given: tuple[str, ...] | None
) -> tuple[str, ...]:
    for identifier, text in zip(ids, texts, strict=True):
        if not isinstance(text, str):
            raise DataError(f"prompt set {name!r}: the text of {identifier!r} is no string")
    hashes = tuple([text_hash(text) for text in texts])
    if given is not None and given != hashes:
        wrong = next(i for i in range(len(ids)) if given[i] != hashes[i])
        raise DataError(
            f"prompt set {name!r}: the text of {ids[wrong]!r} does not have the hash given for "
            "it; the text or the hash belongs to another prompt"
        )
    return hashes


def _checked_positions(indices: ArrayLike, size: int, what: str) -> list[int]:
    array = np.asarray(indices)
    if array.size == 0:
        return []
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(f"positions in {what} must be a list of integers, not {array.dtype}")
    if array.min() < 0 or array.max() >= size:
        outside = array[(array < 0) | (array >= size)][0]
        raise DataError(f"{what} has {size} entries; position {outside} is outside 0..{size - 1}")
    chosen: list[int] = array.tolist()
    if len(set(chosen)) != len(chosen):
        counts = np.bincount(array)
        raise DataError(f"position {int(np.argmax(counts > 1))} of {what} is given more than once")
    return chosen
