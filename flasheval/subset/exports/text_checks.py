"""Checks of texts that an export format cannot carry: an error, or a change with a warning."""

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
    r"""Raise DataError when ``fault`` finds a problem in any text; it names the first and counts.

    Args:
        subset: The subset of the texts.
        texts: One a prompt.
        fault: Returns what is wrong with a text, such as ``it is empty``, or an empty string.
        form: The format's name.
        way: The advice at the end of the message.

    >>> from flasheval.subset.subset import Method, Subset, SubsetPrompt
    >>> prompts = (SubsetPrompt("7", text="a\ncat"),)
    >>> subset = Subset("one", "pets", None, prompts, (), Method("random"))
    >>> refuse(subset, subset.texts, no_single_line, "text")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: text cannot carry prompt "7" of subset "one": it holds a ...

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
    """Return why a text cannot be one line of a file, or an empty string when it can.

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

    A text's hash is that of its stripped form, so it stays the same.
    """
    texts = subset.texts
    short = tuple(text.strip() for text in texts)
    odd = [one != other for one, other in zip(texts, short, strict=True)]
    warn_of(subset, odd, f"{form} holds them without the white space at their ends")
    return short


def warn_of(subset: Subset, odd: Sequence[bool], what: str) -> None:
    """Warn once about all marked prompts, naming the first; ``what`` is the end of the message."""
    names = [one.id for one, is_odd in zip(subset.prompts, odd, strict=True) if is_odd]
    if names:
        first = f'prompt "{names[0]}"'
        which = first if len(names) == 1 else f"{len(names)} prompts, {first} first"
        warnings.warn(f'subset "{subset.name}": {which}: {what}', UserWarning, stacklevel=4)


def warn_of_weights(subset: Subset, form: str) -> None:
    """Warn when prompts have unequal weights, which the format cannot hold."""
    odd = [weight != 1 for weight in subset.weights.tolist()]
    warn_of(subset, odd, f"{form} drops their weights; format=jsonl keeps them")
