"""Which share of a subset's prompts has each value of a tag, beside that of the whole set."""

from __future__ import annotations

from flasheval.base.drawing.view import Table
from flasheval.subset.subset import Subset

__all__ = ["tag_shares"]


def tag_shares(subset: Subset, tag: str) -> Table:
    """Return a table: a value a row, prompts and share in the subset, the same in the whole set.

    A prompt of several values counts for each, so shares may add up to more than 1. Raises
    SettingError for a tag that no prompt has.

    >>> from flasheval.prompts import PromptSet
    >>> from flasheval.subset.subset import Method
    >>> pets = PromptSet("pets", "1234", extras={"kind": ("cat", "cat", "dog", "dog")})
    >>> subset = Subset.choose(pets, [0, 1, 2], name="three", metrics=(), method=Method("mine"))
    >>> tag_shares(subset, "kind").rows
    [('cat', '2', '67%', '2', '50%'), ('dog', '1', '33%', '2', '50%')]
    """
    chosen = {value: len(places) for value, places in subset.by_tag(tag).items()}
    whole = subset.record.tag_counts.get(tag, {})
    here = subset.size
    there = subset.record.prompt_set_size
    rows = []
    for value in sorted({*chosen, *whole}, key=lambda one: (-whole.get(one, 0), one)):
        own, full = chosen.get(value, 0), whole.get(value)
        rows.append(
            (
                value,
                str(own),
                f"{own / here:.0%}",
                "-" if full is None else f"{full:,}",
                "-" if full is None or not there else f"{full / there:.0%}",
            )
        )
    return Table((tag, "chosen", "share", "whole set", "share there"), rows)
