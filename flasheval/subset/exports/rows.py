"""The columns of a subset as a table: what JSON lines, CSV and Parquet hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["rows"]


def rows(subset: Subset) -> list[dict[str, Any]]:
    """Return a row a prompt, in order, texts as they are; raise DataError where none are known."""
    return [
        {
            "prompt_id": prompt.id,
            "text": text,
            "weight": prompt.weight,
            "multiplicity": prompt.multiplicity,
            "text_sha256": prompt.text_hash,
            "sources": dict(prompt.sources),
        }
        for prompt, text in zip(subset.prompts, subset.texts, strict=True)
    ]
