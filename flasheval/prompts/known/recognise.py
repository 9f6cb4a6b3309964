"""Which published list a prompt set is, told by hashes of its texts, not by ids or format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from flasheval.prompts.known.lists import (
    KnownList,
    hash_of_sequence,
    hash_of_set,
    known_lists,
)
from flasheval.prompts.parts import PromptParts
from flasheval.prompts.tags import counted

__all__ = ["Recognised", "recognise"]

_CLOSE = 1.1  # so many times more or fewer prompts: about the same number
_COMPARABLE = 2.0
_LEAST_VALUES = 3  # of a column of tags: two values say little of whose they are
_SAME_VALUES = 0.8  # share of the values that both have


@dataclass(frozen=True)
class Recognised:
    """A prompt set's likeness to a known list.

    Attributes:
        known: The list.
        prompts: The prompts of the set.
        how: `unchanged`: the same texts in the same order, or the same ids where no texts are
            known; `reordered`: the same texts in another order; `repeated`: the same texts, another
            number of times; `near`: other texts, or their number.
        clues: What `near` was told by; it never compares all texts.

    """

    known: KnownList
    prompts: int
    how: Literal["unchanged", "reordered", "repeated", "near"]
    clues: tuple[str, ...] = ()

    @property
    def has_its_texts(self) -> bool:
        """Whether it has the list's texts, so that what is known of them holds."""
        return self.how != "near"

    def __str__(self) -> str:
        title = self.known.title
        count = f"{self.prompts:,} prompt{'' if self.prompts == 1 else 's'}"
        if self.how == "unchanged":
            return f"{title}, {count}, unchanged"
        if self.how == "reordered":
            return f"{title}, {count}, in another order"
        if self.how == "repeated":
            return f"{title}, its {self.known.distinct:,} texts in {count}"
        texts = "texts differ" if self.known.set_hash else "whose texts flasheval does not know"
        there = "" if self.known.prompts is None else f"{self.known.prompts:,} there; "
        return f"near {title}: {count}, {texts} ({there}told by {', '.join(self.clues)})"


def recognise(
    prompts: PromptParts, lists: tuple[KnownList, ...] | None = None
) -> Recognised | None:
    """Return which known list these prompts are, or None when they are like none.

    The texts decide, by their hashes; ids and the format of the file do not count. A set that is
    no list but resembles one is `near` it: two of the list's texts that are known by their hashes
    (the first and the last), the values of a column of tags, or the list's name tell it, together
    with the number of prompts.

    Args:
        prompts: With texts, their hashes or the ids alone.
        lists: What to look among; None means all that come with flasheval.

    Example:
        >>> from flasheval.prompts import PromptSet
        >>> pets = PromptSet("pets", ("1", "2"), ("A cat.", "A dog."))
        >>> pair = KnownList("pair", "Two Pets", 2, 2, hash_of_sequence(pets.text_hashes))
        >>> print(recognise(PromptSet("other", ("x", "y"), pets.texts), (pair,)))
        Two Pets, 2 prompts, unchanged
        >>> recognise(PromptSet("other", ("x",), ("A hen.",)), (pair,)) is None
        True

    """
    lists = known_lists() if lists is None else lists
    return _same(prompts, lists) or _near(prompts, lists)


def _same(prompts: PromptParts, lists: tuple[KnownList, ...]) -> Recognised | None:
    hashes, count = prompts.text_hashes, len(prompts)
    if hashes is None:
        found = [known for known in lists if known.ids_hash == prompts.hash]
        return Recognised(found[0], count, "unchanged") if found else None
    sequence = hash_of_sequence(hashes)
    found = [known for known in lists if known.sequence_hash == sequence]
    if found:
        return Recognised(found[0], count, "unchanged")
    together = hash_of_set(hashes)
    found = [known for known in lists if known.set_hash == together]
    # The list of as many prompts, if there is one: another may repeat the texts of the first.
    found.sort(key=lambda known: known.prompts != count)
    if found:
        how: Literal["reordered", "repeated"]
        how = "reordered" if found[0].prompts == count else "repeated"
        return Recognised(found[0], count, how)
    return None


def _near(prompts: PromptParts, lists: tuple[KnownList, ...]) -> Recognised | None:
    texts = frozenset(prompts.text_hashes or ())
    values = {key: frozenset(counted(column)) for key, column in prompts.extras.items()}
    found = []
    for known in lists:
        times = _times(len(prompts), known.prompts)
        clues = tuple(_clues(prompts.name, texts, values, known, times))
        if clues:
            found.append((-len(clues), times, Recognised(known, len(prompts), "near", clues)))
    return min(found, key=lambda one: one[:2])[2] if found else None


def _times(count: int, known: int | None) -> float:
    """Return how many times more prompts one of two has."""
    if not known or not count:
        return _COMPARABLE
    return max(count / known, known / count)


def _clues(
    name: str,
    texts: frozenset[str],
    values: Mapping[str, frozenset[str]],
    known: KnownList,
    times: float,
) -> Iterator[str]:
    if times > _COMPARABLE:
        return
    ends = {"its first text": known.first, "its last text": known.last}
    there = [what for what, hash_ in ends.items() if hash_ in texts]
    # One text alone may stand in anybody's list.
    if len(there) == len(ends) or times <= _CLOSE:
        yield from there
    for key, column in known.tags.items():
        theirs = frozenset(column) - {""}
        if len(theirs) < _LEAST_VALUES or all(value.isdigit() for value in theirs):
            continue
        for own, ours in values.items():
            if len(ours & theirs) >= _SAME_VALUES * len(ours | theirs):
                yield f"the values of {own}" + ("" if own == key else f" ({key} there)")
    if times <= _CLOSE and _plain(name) in {_plain(known.name), _plain(known.title)}:
        yield "its name"


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
