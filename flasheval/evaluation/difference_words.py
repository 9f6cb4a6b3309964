"""A predicted difference of two models in words: who is better, how surely, by how much."""

from __future__ import annotations

from flasheval.base.text import shortened
from flasheval.subset.predictions import Difference

__all__ = ["NAME_WIDTH", "better_of", "difference_cells", "percent"]

NAME_WIDTH = 40
"""Columns for the name of a model."""


def better_of(first: str, second: str, difference: Difference) -> tuple[str, str]:
    """Return the name of the one that is more probably better, and how probably."""
    name = first if difference.probability >= 0.5 else second
    return shortened(name, NAME_WIDTH), percent(difference.certainty)


def difference_cells(difference: Difference) -> tuple[str, str]:
    """Return the full set's difference with its interval, and how probably the first is better."""
    low, high = difference.low, difference.high
    return f"{difference.value:.3g} ({low:.3g} to {high:.3g})", percent(difference.probability)


def percent(share: float) -> str:
    """Return a probability as percent; what is not certain is not called so."""
    if 0.9995 < share < 1:
        return ">99.9%"
    if 0 < share < 0.0005:
        return "<0.1%"
    return f"{100 * share:.3g}%"
