"""Texts that a format cannot carry as they are: refused, or changed with a line that says so."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from flasheval.base.errors import DataError

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["no_single_line", "refuse", "stripped", "warn_of", "warn_of_weights"]

_ASIDE = "write them with format=jsonl"


def refuse(
    subset: Subset, texts: Sequence[str], fault: Callable[[str], str], form: str, way: str = _ASIDE
) -> None:
    """Raise DataError, naming the first prompt and how many, where ``fault`` finds one in a text.

    Args:
        subset: Whose texts they are.
        texts: One a prompt.
        fault: Returns words for what is wrong with a text, as in ``it is empty``; else nothing.
        form: The format's name.
        way: What to do instead.

    """
    faults = [(one.id, fault(text)) for one, text in zip(subset.prompts, texts, strict=True)]
    found = [(name, why) for name, why in faults if why]
    if found:
        name, why = found[0]
        more = f" (and {len(found) - 1} more prompts)" if len(found) > 1 else ""
        raise DataError(
            f'{form} cannot carry prompt "{name}" of subset "{subset.name}"{more}: {why}; {way}'
        )


def no_single_line(text: str) -> str:
    """Return why a text cannot be one line of a file; nothing when it can.

    >>> no_single_line("a cat")
    ''
    """
    if not text:
        return "it is empty"
    if "\n" in text or "\r" in text:
        return "it holds a line break"
    return "it starts with a byte-order mark" if text.startswith("\ufeff") else ""


def stripped(subset: Subset, form: str) -> tuple[str, ...]:
    """Return the texts without white space at their ends; warn where there was some.

    The hash of a text is that of its stripped form, so it still fits.
    """
    texts = subset.texts
    short = tuple(text.strip() for text in texts)
    odd = [one != other for one, other in zip(texts, short, strict=True)]
    warn_of(subset, odd, f"{form} holds them without the white space at their ends")
    return short


def warn_of(subset: Subset, odd: Sequence[bool], what: str) -> None:
    """Warn once of all prompts marked, naming the first."""
    names = [one.id for one, is_odd in zip(subset.prompts, odd, strict=True) if is_odd]
    if names:
        first = f'prompt "{names[0]}"'
        which = first if len(names) == 1 else f"{len(names)} prompts, {first} first"
        warnings.warn(f'subset "{subset.name}": {which}: {what}', UserWarning, stacklevel=4)


def warn_of_weights(subset: Subset, form: str) -> None:
    """Warn where prompts do not count alike, which the format has no place for."""
    odd = [weight != 1 for weight in subset.weights.tolist()]
    warn_of(subset, odd, f"{form} drops their weights; format=jsonl keeps them")
