"""Chunks: a prompt set cut into the prompts of one unit of work each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from flasheval.base.errors import DataError
from flasheval.prompts import PromptSet

__all__ = ["Chunk", "chunks_of", "prompts_digest"]


@dataclass(frozen=True)
class Chunk:
    """Consecutive prompts of a prompt set.

    Attributes:
        ids: The prompts' ids.
        texts: The prompts' texts.
        digest: The sha256 of ids and text hashes, in hex.

    >>> chunk, = chunks_of(PromptSet("pets", ("1", "2"), ("A cat.", "A dog.")), 32)
    >>> len(chunk), chunk.texts
    (2, ('A cat.', 'A dog.'))

    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    digest: str

    def __len__(self) -> int:
        return len(self.ids)


def chunks_of(prompts: PromptSet, size: int) -> tuple[Chunk, ...]:
    """Cut a prompt set into chunks of ``size`` prompts, the last one shorter.

    Prompts added at the end do not change the full chunks before them. Raises DataError when
    the texts are unknown.

    >>> pets = PromptSet("pets", ("1", "2", "3"), ("A cat.", "A dog.", "A fish."))
    >>> [chunk.ids for chunk in chunks_of(pets, 2)]
    [('1', '2'), ('3',)]
    """
    if prompts.texts is None or prompts.text_hashes is None:
        raise DataError(
            f"prompt set {prompts.name!r} has ids only; images need the texts: give a prompt file"
        )
    chunks = []
    for start in range(0, len(prompts), size):
        part = slice(start, start + size)
        ids = prompts.ids[part]
        digest = prompts_digest(ids, prompts.text_hashes[part])
        chunks.append(Chunk(ids, prompts.texts[part], digest))
    return tuple(chunks)


def prompts_digest(ids: Sequence[str], text_hashes: Sequence[str]) -> str:
    """Return the sha256, in hex, of some prompts' ids and text hashes, in order.

    >>> prompts_digest(["1", "2"], ["aa", "bb"]) == prompts_digest(["2", "1"], ["bb", "aa"])
    False
    """
    pairs = [[identifier, digest] for identifier, digest in zip(ids, text_hashes, strict=True)]
    return hashlib.sha256(json.dumps(pairs, ensure_ascii=False).encode()).hexdigest()
