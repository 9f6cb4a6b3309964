"""Looking texts up in a copy of the prompt set: by id, by image name, and last by their hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flasheval.base.errors import DataError
from flasheval.prompts import text_hash
from flasheval.subset.library.rows import Copy
from flasheval.subset.parts import SubsetPrompt
from flasheval.subset.subset import Subset

__all__ = [
    "FoundTexts",
    "MissingTextsError",
    "find_texts",
    "missing_texts",
    "require_hashes",
    "some_of",
]

_SHOWN = 5


class MissingTextsError(DataError):
    """Texts of a subset that a copy does not hold.

    Attributes:
        absent: ids of the prompts that are not in the copy.
        other: ids of prompts that are in the copy with another text.

    """

    def __init__(self, message: str, absent: tuple[str, ...], other: tuple[str, ...]) -> None:
        super().__init__(message)
        self.absent = absent
        self.other = other


@dataclass(frozen=True)
class FoundTexts:
    """The texts that a copy holds for the prompts asked for.

    Attributes:
        copy: the copy's name.
        texts: the texts, exactly as in the copy, by hash.
        other: ids whose row in the copy has another text, and whose own text is nowhere in it.

    """

    copy: str
    texts: Mapping[str, str]
    other: frozenset[str]


def find_texts(prompts: Iterable[SubsetPrompt], copy: Copy) -> FoundTexts:
    """Look prompts up in a copy.

    The row with a prompt's id or image name is tried first, so that few rows of millions need
    hashing; every row is hashed only for a text that is not found there. A text counts only with
    its hash, so a collision of ids cannot give a wrong one. Of rows that differ only in white
    space at the ends, which the hash ignores, the first is taken.

    Raises DataError where the copy cannot be read.

    >>> from flasheval.subset.library.copies import open_copy
    >>> prompts = [SubsetPrompt(text, text_hash(text)) for text in ("a cat", "a newt")]
    >>> list(find_texts(prompts, open_copy(["a dog", "a cat"])).texts.values())
    ['a cat']
    """
    wanted = [one for one in prompts if one.text_hash is not None]
    keyed = {"id": {one.id: one for one in wanted}, "image_name": _by_image(wanted)}
    hashes = {str(one.text_hash) for one in wanted}
    texts: dict[str, str] = {}
    elsewhere: dict[str, str] = {}
    for rows in copy.batches():
        for key, column in rows.keys.items():
            for value, text in _matching(column, rows.texts, keyed[key], copy):
                one, found = keyed[key][value], text_hash(text)
                if found in hashes:
                    texts.setdefault(found, text)
                if found != one.text_hash:
                    elsewhere[one.id] = str(one.text_hash)
    left = hashes - set(texts)
    for rows in copy.batches() if left else ():
        for text in _distinct(rows.texts, copy):
            if text_hash(text) in left:
                texts[text_hash(text)] = text
                left.discard(text_hash(text))
        if not left:
            break
    other = frozenset(name for name, wants in elsewhere.items() if wants not in texts)
    return FoundTexts(copy.name, texts, other)


def missing_texts(subset: Subset, found: FoundTexts) -> MissingTextsError | None:
    """Return an error that names the missing texts of a subset, or None when none is missing.

    >>> from flasheval.subset.subset import Method
    >>> prompts = tuple(SubsetPrompt(name, text_hash(name)) for name in ("a cat", "a newt"))
    >>> subset = Subset("two", "pets", None, prompts, (), Method("random"))
    >>> found = FoundTexts("mine.txt", {text_hash("a cat"): "a cat"}, frozenset())
    >>> missing_texts(subset, found).absent
    ('a newt',)
    """
    wants = [one for one in subset.prompts if one.text is None and one.text_hash not in found.texts]
    other = tuple(one.id for one in wants if one.id in found.other)
    absent = tuple(one.id for one in wants if one.id not in found.other)
    if not wants:
        return None
    kinds = {"are not there": absent, "are there with another text": other}
    parts = [
        f"{len(ids)} of {subset.size} prompts {problem} ({some_of(ids)})"
        for problem, ids in kinds.items()
        if ids
    ]
    return MissingTextsError(
        f'{found.copy} lacks texts of subset "{subset.name}": {" and ".join(parts)}; '
        f'is it the prompt set "{subset.prompt_set_name}", whole?',
        absent,
        other,
    )


def require_hashes(subset: Subset) -> None:
    """Raise DataError when prompts have neither a text nor a hash to check one by.

    >>> from flasheval.subset.subset import Method
    >>> subset = Subset("one", "pets", None, (SubsetPrompt("7"),), (), Method("random"))
    >>> require_hashes(subset)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: subset "one" has no hashes of the texts of 1 of its 1 ...
    """
    bare = [one.id for one in subset.prompts if one.text is None and one.text_hash is None]
    if bare:
        raise DataError(
            f'subset "{subset.name}" has no hashes of the texts of {len(bare)} of its '
            f"{subset.size} prompts ({some_of(bare)}), so that none could be checked; search again "
            "with prompts=FILE"
        )


def some_of(ids: Sequence[str]) -> str:
    """Return the first ids as text, with the number of the others.

    >>> some_of(["1", "2", "3", "4", "5", "6", "7"])
    '1, 2, 3, 4, 5, ... and 2 more'
    """
    more = f", ... and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more


def _by_image(prompts: Iterable[SubsetPrompt]) -> dict[str, SubsetPrompt]:
    return {one.sources["image_name"]: one for one in prompts if "image_name" in one.sources}


def _matching(
    column: Any, texts: Any, wanted: Mapping[str, SubsetPrompt], copy: Copy
) -> Iterator[tuple[str, str]]:
    """Yield the key and the text of each row whose key is wanted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = pc.is_in(column, value_set=pa.array(list(wanted), pa.string()))
    if not wanted or not pc.any(rows).as_py():
        return
    pairs = zip(
        _objects(column.filter(rows), copy), _objects(texts.filter(rows), copy), strict=True
    )
    yield from ((key, text) for key, text in pairs if text is not None)


def _distinct(texts: Any, copy: Copy) -> Iterator[str]:
    return (text for text in _objects(texts.unique(), copy) if text is not None)


def _objects(column: Any, copy: Copy) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError as error:  # Parquet readers do not check what they call a string
        raise DataError(f"{copy.name}: the texts are not UTF-8") from error
    return values
