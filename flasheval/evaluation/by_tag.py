"""A report's means, and two reports' differences, for each value of a tag of the prompts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.base.drawing.view import Line, Part, Table
from flasheval.subset import Subset
from flasheval.subset.paired import paired_errors

__all__ = ["TagMean", "tag_means", "tag_parts"]

ByTag = Mapping[str, Mapping[str, "TagMean"]]


@dataclass(frozen=True)
class TagMean:
    """A mean over the prompts of one value: number of prompts, mean, its standard error.

    The mean is NaN where no prompt has a score, the error where fewer than two have one.
    """

    prompts: int
    value: float
    error: float


def tag_means(
    subset: Subset, tag: str, values: Mapping[str, NDArray[np.float64]]
) -> dict[str, dict[str, TagMean]]:
    """Return the weighted mean of each metric over the prompts of each value of a tag.

    Args:
        subset: The prompts, with their tags and weights.
        tag: One of its tags.
        values: By metric, a number for each prompt, float64 [prompts], NaN where there is none.

    Raises:
        SettingError: No such tag.

    Example:
        >>> from flasheval.prompts import PromptSet
        >>> from flasheval.subset import Method
        >>> pets = PromptSet("pets", "1234", extras={"kind": ("cat", "cat", "dog", "dog")})
        >>> subset = Subset.choose(pets, range(4), name="all", metrics=(), method=Method("mine"))
        >>> found = tag_means(subset, "kind", {"clip": np.array([1.0, 3.0, 5.0, np.nan])})
        >>> found["cat"]["clip"]
        TagMean(prompts=2, value=2.0, error=1.0)
        >>> found["dog"]["clip"].prompts, found["dog"]["clip"].value
        (1, 5.0)

    """
    weights = subset.weights
    return {
        value: {metric: _mean(scores[places], weights[places]) for metric, scores in values.items()}
        for value, places in subset.by_tag(tag).items()
    }


def _mean(scores: NDArray[np.float64], weights: NDArray[np.float64]) -> TagMean:
    there = ~np.isnan(scores)
    scores, weights = scores[there], weights[there]
    if not weights.sum():
        return TagMean(len(scores), math.nan, math.nan)
    error = paired_errors(np.stack([scores, np.zeros_like(scores)]), weights)[0, 1]
    return TagMean(len(scores), float(np.average(scores, weights=weights)), float(error))


def tag_parts(tag: str, found: ByTag, what: str) -> tuple[Part, ...]:
    """Return a table of such means, a row a value, under a line that says what they are.

    >>> line, _, table = tag_parts("kind", {"cat": {"clip": TagMean(2, 2.0, 1.0)}}, "Means")
    >>> line.text
    'Means by kind, +- the standard error: of the subset alone, not predicted for the full set'
    >>> table.rows
    [('cat', '2', '2 +- 1')]
    """
    metrics = list(dict.fromkeys(metric for means in found.values() for metric in means))
    rows = []
    for value, means in found.items():
        count = max((one.prompts for one in means.values()), default=0)
        cells = [_cell(means[metric]) for metric in metrics]
        rows.append((value, str(count), *cells))
    about = (
        f"{what} by {tag}, +- the standard error: of the subset alone, not predicted for the full "
        "set"
    )
    return Line(about), Line(""), Table((tag, "prompts", *metrics), rows)


def _cell(one: TagMean) -> str:
    if math.isnan(one.value):
        return "-"
    return f"{one.value:.4g}" + ("" if math.isnan(one.error) else f" +- {one.error:.2g}")
