"""What is known of the prompt lists that others publish: numbers, hashes, tags, terms; no texts.

`lists.json` beside this file holds it; `scripts/release/known_prompt_lists.py` writes that file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from flasheval.base.json_data import from_plain, read_json

__all__ = ["FILE", "KnownList", "hash_of_sequence", "hash_of_set", "known_lists", "read_lists"]

FILE = Path(__file__).with_name("lists.json")


@dataclass(frozen=True)
class KnownList:
    """A prompt list that others publish.

    Attributes:
        name: Ours, such as ``geneval-txt``; one list may stand in several layouts.
        title: What people call it, such as ``GenEval``.
        prompts: Their number; None where it is not fixed.
        distinct: The number of different texts.
        sequence_hash: `hash_of_sequence` of its texts; None where no text was seen.
        set_hash: `hash_of_set` of its texts.
        ids_hash: `PromptSet.hash` with the ids of its own layout; of the bare ids where no text
            was seen.
        first: `text_hash` of its first text.
        last: `text_hash` of its last text.
        tags: How often each value stands in each of its columns of tags; None where not counted.
        images_per_prompt: How many images of a prompt its authors make; None where they say none.
        over_77: Texts longer than the 77 tokens that CLIP reads, by CLIP's own tokenizer.
        licence: The terms, and where they stand.
        source: Repository and file.
        commit: The version of the repository.
        arxiv: Number of the paper.

    """

    name: str
    title: str
    prompts: int | None = None
    distinct: int | None = None
    sequence_hash: str | None = None
    set_hash: str | None = None
    ids_hash: str | None = None
    first: str | None = None
    last: str | None = None
    tags: Mapping[str, Mapping[str, int | None]] = field(default_factory=dict)
    images_per_prompt: int | None = None
    over_77: int | None = None
    licence: str = ""
    source: str = ""
    commit: str | None = None
    arxiv: str | None = None


def hash_of_sequence(text_hashes: Iterable[str]) -> str:
    """Return the sha256, in hex, of text hashes joined by line feeds.

    >>> hash_of_sequence(["a", "b"]) == hash_of_sequence(["b", "a"])
    False
    """
    return hashlib.sha256("\n".join(text_hashes).encode()).hexdigest()


def hash_of_set(text_hashes: Iterable[str]) -> str:
    """Return the hash of the distinct text hashes in sorted order.

    >>> hash_of_set(["b", "a", "b"]) == hash_of_sequence(["a", "b"])
    True
    """
    return hash_of_sequence(sorted(set(text_hashes)))


@cache
def known_lists() -> tuple[KnownList, ...]:
    """Return the lists that flasheval knows; of two with the same texts the first is the usual one.

    >>> known_lists()[0].title, known_lists()[0].prompts
    ('GenEval', 553)
    """
    return read_lists(FILE)


def read_lists(path: Path) -> tuple[KnownList, ...]:
    """Read known lists. Raises DataError naming the file and the key at fault."""
    return from_plain(_File, read_json(path), source=str(path)).lists


@dataclass(frozen=True)
class _File:
    lists: tuple[KnownList, ...]
