"""Plain text: a prompt a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flasheval.subset.exports.text_checks import (
    no_single_line,
    refuse,
    stripped,
    warn_of,
    warn_of_weights,
)

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["PlainText"]


@dataclass(frozen=True)
class PlainText:
    """A prompt a line, in UTF-8, without white space at its ends.

    It drops ids and weights. A text that is empty, holds a line break or starts with a byte-order
    mark is refused. One that holds U+2028 or the like is written with a warning: reading a file
    line by line leaves it whole, Python's ``str.splitlines`` does not.
    """

    name: ClassVar[str] = "text"
    binary: ClassVar[bool] = False
    suffix: ClassVar[None] = None

    def write(self, subset: Subset) -> bytes:
        r"""Return the file; see `Format`.

        >>> from flasheval.subset.subset import Method, Subset, SubsetPrompt
        >>> prompts = (SubsetPrompt("7", text="a cat"), SubsetPrompt("8", text="a dog"))
        >>> PlainText().write(Subset("two", "pets", None, prompts, (), Method("random")))
        b'a cat\na dog\n'
        """
        texts = stripped(subset, "text")
        refuse(subset, texts, no_single_line, "text")
        broken = [len(text.splitlines()) > 1 for text in texts]
        warn_of(subset, broken, "they hold a character at which some readers break a line")
        warn_of_weights(subset, "text")
        return "".join(f"{text}\n" for text in texts).encode()

    def how(self, path: str) -> tuple[str, ...]:
        """Return how to use it; see `Format`."""
        return (f"one prompt a line, in the order of the subset: open({path!r}, encoding='utf-8')",)
