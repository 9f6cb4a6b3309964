"""Resolving: looking the texts of subsets up in a user's copy, checking and caching them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flasheval.base.errors import DataError
from flasheval.base.resources import bundled
from flasheval.subset.library.cache import has_texts, keep_texts, kept_texts, put_texts
from flasheval.subset.library.catalogue import load_named
from flasheval.subset.library.copies import open_copy
from flasheval.subset.library.rows import Copy, Source
from flasheval.subset.library.texts import FoundTexts, find_texts, missing_texts, require_hashes
from flasheval.subset.subset import Subset

__all__ = ["Resolved", "resolve", "resolve_together"]


@dataclass(frozen=True)
class Resolved:
    """The texts that a copy gave for subsets of one prompt set.

    Attributes:
        asked: the subsets asked for, with their texts where all were found.
        ready: names of the published subsets of this prompt set that have their texts now.
        found: the texts of all their prompts, from the copy and from the cache.
        here: how many texts the copy itself holds.
        new: how many texts were not in the cache before.

    """

    asked: tuple[Subset, ...]
    ready: tuple[str, ...]
    found: FoundTexts
    here: int
    new: int


def resolve(subset: Subset, source: Source) -> Subset:
    """Return a subset with its texts, looked up in a copy of its prompt set and kept.

    Texts of other published subsets of the same prompt set are kept too, so that one look-up serves
    all of them. Where they cannot be kept a warning says so.

    Args:
        subset: Any subset that knows its texts' hashes.
        source: The copy; see :func:`flasheval.subset.library.copies.open_copy`.

    Raises:
        MissingTextsError: A DataError that names prompts which are missing or have another text.
        DataError: A copy that cannot be read, or a subset without hashes.

    >>> from flasheval.subset.subset import Method, SubsetPrompt
    >>> from flasheval.prompts import text_hash
    >>> prompt = SubsetPrompt("1", text_hash("a cat"))
    >>> subset = Subset("one", "pets", None, (prompt,), (), Method("random"))
    >>> resolve(subset, ["a dog", "a cat"]).texts
    ('a cat',)

    """
    if has_texts(subset):
        return subset
    require_hashes(subset)
    resolved = resolve_together([subset], open_copy(source))
    missing = missing_texts(subset, resolved.found)
    if missing is not None:
        raise missing
    return resolved.asked[0]


def resolve_together(subsets: Sequence[Subset], copy: Copy) -> Resolved:
    """Look up and cache the texts of subsets of one prompt set, and of all its published subsets.

    Args:
        subsets: Subsets of the same prompt set hash, at least one.
        copy: The user's copy.

    """
    whose = subsets[0].prompt_set_hash
    published = [] if whose is None else _published(whose)
    prompts = {one: None for each in (*subsets, *published) for one in each.prompts}
    kept = kept_texts(whose)
    found = find_texts((one for one in prompts if one.text is None), copy)
    here, new = len(found.texts), _keep(whose, found)
    found = replace(found, texts={**kept, **found.texts})
    ready = tuple(one.name for one in published if has_texts(put_texts(one, found.texts)))
    asked = tuple(put_texts(one, found.texts) for one in subsets)
    return Resolved(asked, ready, found, here, new)


def _published(prompt_set_hash: str) -> list[Subset]:
    """Return the published subsets of a prompt set; a damaged one is no matter of this one."""
    found = []
    for name, path in bundled().items():
        try:
            subset = load_named(path, name)
        except DataError as error:
            warnings.warn(str(error), UserWarning, stacklevel=4)
            continue
        if subset.prompt_set_hash == prompt_set_hash:
            found.append(subset)
    return found


def _keep(prompt_set_hash: str | None, found: FoundTexts) -> int:
    try:
        return keep_texts(prompt_set_hash, found.texts)
    except DataError as error:
        warnings.warn(f"the texts found are used, but not kept: {error}", UserWarning, stacklevel=4)
        return 0
