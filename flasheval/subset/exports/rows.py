"""A subset as table rows, for the formats JSON lines, CSV and Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["rows"]


def rows(subset: Subset) -> list[dict[str, Any]]:
    """Return a row a prompt, in order, texts as they are; tags where any prompt has some.

    Raises DataError where no texts are known.

    >>> from flasheval.subset.subset import Method, Subset, SubsetPrompt
    >>> prompt = SubsetPrompt("7", weight=2.0, text="a cat")
    >>> (row,) = rows(Subset("one", "pets", None, (prompt,), (), Method("random")))
    >>> row["prompt_id"], row["text"], row["weight"], row["multiplicity"]
    ('7', 'a cat', 2.0, 1)
    """
    tagged = any(prompt.tags for prompt in subset.prompts)
    return [
        {
            "prompt_id": prompt.id,
            "text": text,
            "weight": prompt.weight,
            "multiplicity": prompt.multiplicity,
            "text_sha256": prompt.text_hash,
            "sources": dict(prompt.sources),
            **({"tags": {tag: list(own) for tag, own in prompt.tags.items()}} if tagged else {}),
        }
        for prompt, text in zip(subset.prompts, subset.texts, strict=True)
    ]
