"""JSON lines: an object a prompt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flasheval.subset.exports.rows import rows

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["JsonLines"]


@dataclass(frozen=True)
class JsonLines:
    """An object a line: prompt_id, text, weight, multiplicity, text_sha256, sources, any tags.

    It drops nothing of a prompt. Beyond ASCII everything is escaped, so no reader breaks a line at
    U+2028.
    """

    name: ClassVar[str] = "jsonl"
    binary: ClassVar[bool] = False
    suffix: ClassVar[None] = None

    def write(self, subset: Subset) -> bytes:
        """Return the file; see `Format`.

        >>> from flasheval.subset.subset import Method, Subset, SubsetPrompt
        >>> prompts = (SubsetPrompt("7", text="a cat"),)
        >>> subset = Subset("one", "pets", None, prompts, (), Method("random"))
        >>> json.loads(JsonLines().write(subset))["weight"]
        1.0
        """
        return "".join(json.dumps(row) + "\n" for row in rows(subset)).encode()

    def how(self, path: str) -> tuple[str, ...]:
        r"""Return how to use it; see `Format`.

        >>> JsonLines().how("pets.jsonl")
        ('datasets.load_dataset("json", data_files=\'pets.jsonl\')',)
        """
        return (f'datasets.load_dataset("json", data_files={path!r})',)
