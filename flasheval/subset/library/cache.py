"""A cache of prompt texts that were looked up before: one file a prompt set, texts by hash.

They lie under the user's cache folder, or where the environment variable FLASHEVAL_CACHE says. A
text is accepted only with its hash, so nothing in the file can change a subset; a damaged file
gives a warning and is written again at the next look-up.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flasheval.base.errors import DataError
from flasheval.base.json_data import read_json, write_json
from flasheval.base.resources import cache_folder
from flasheval.prompts import text_hash
from flasheval.subset.subset import Subset

__all__ = ["cache_path", "has_texts", "keep_texts", "kept_texts", "put_texts", "with_kept_texts"]


def cache_path(prompt_set_hash: str) -> Path:
    """Return the file that keeps the texts of one prompt set.

    >>> cache_path("54671f8b").parts[-2:]
    ('texts', '54671f8b.json')
    """
    return cache_folder() / "texts" / f"{prompt_set_hash}.json"


def kept_texts(prompt_set_hash: str | None) -> dict[str, str]:
    """Return the cached texts of a prompt set, by hash.

    Those that do not have the hash they are kept under are left out with a warning, and so is a
    file that cannot be read.
    """
    if prompt_set_hash is None:
        return {}
    path = cache_path(prompt_set_hash)
    sound, fault = _read(path)
    if fault:
        warnings.warn(
            f"the kept texts in {path} are damaged ({fault}); those that are lost must be resolved "
            "again",
            UserWarning,
            stacklevel=2,
        )
    return sound


def keep_texts(prompt_set_hash: str | None, texts: Mapping[str, str]) -> int:
    """Add texts, by hash, to the cache, and return how many are new.

    The whole file is replaced, and a damaged one repaired. When two processes write at once the
    later one's texts stay; the others are looked up again when needed.

    Raises DataError when it cannot be written.
    """
    if prompt_set_hash is None:  # nothing to know them by
        return 0
    path = cache_path(prompt_set_hash)
    sound, fault = _read(path)
    new = {key: text for key, text in texts.items() if key not in sound}
    if new or fault:
        write_json(path, dict(sorted({**sound, **new}.items())))
    return len(new)


def has_texts(subset: Subset) -> bool:
    """Tell whether a subset carries the texts of all its prompts.

    >>> from flasheval.subset.subset import Method, SubsetPrompt
    >>> known, bare = SubsetPrompt("1", text="a cat"), SubsetPrompt("2")
    >>> has_texts(Subset("a", "pets", None, (known,), (), Method("random")))
    True
    >>> has_texts(Subset("b", "pets", None, (known, bare), (), Method("random")))
    False
    """
    return all(prompt.text is not None for prompt in subset.prompts)


def put_texts(subset: Subset, texts: Mapping[str, str]) -> Subset:
    """Return the subset with its texts, given by hash; unchanged when any text is missing.

    >>> from flasheval.subset.subset import Method, SubsetPrompt
    >>> key = text_hash("a cat")
    >>> subset = Subset("a", "pets", None, (SubsetPrompt("1", key),), (), Method("random"))
    >>> put_texts(subset, {key: "a cat"}).texts
    ('a cat',)
    """
    prompts = tuple(
        one if one.text is not None else replace(one, text=texts.get(one.text_hash or ""))
        for one in subset.prompts
    )
    if any(prompt.text is None for prompt in prompts):
        return subset
    return replace(subset, prompts=prompts)


def with_kept_texts(subset: Subset, kept: Mapping[str, str] | None = None) -> Subset:
    """Return the subset with its texts when all of them are cached, else unchanged.

    ``kept`` are the cached texts of its prompt set, when they were read already.
    """
    if has_texts(subset):
        return subset
    return put_texts(subset, kept_texts(subset.prompt_set_hash) if kept is None else kept)


def _read(path: Path) -> tuple[dict[str, str], str]:
    """Return the texts in a file that have their hash, and what is wrong with the rest of it."""
    try:
        if not path.exists():
            return {}, ""
        content = read_json(path)
    except (DataError, OSError) as error:
        return {}, str(error)
    if not isinstance(content, dict):
        return {}, "expected an object of texts by hash"
    sound = {key: text for key, text in content.items() if _has_hash(text, key)}
    lost = len(content) - len(sound)
    return sound, f"{lost} of {len(content)} texts do not have their hash" if lost else ""


def _has_hash(text: object, expected: str) -> bool:
    try:
        return isinstance(text, str) and text_hash(text) == expected
    except DataError:  # half of a surrogate pair
        return False
