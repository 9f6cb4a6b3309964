"""Formatting a predicted difference of two models: who is better, how surely, by how much."""

from __future__ import annotations

from flasheval.subset.predictions import Difference

__all__ = ["better_of", "difference_cells", "percent"]


def better_of(first: str, second: str, difference: Difference) -> tuple[str, str]:
    """Return the name of the model that is probably better, and that probability as percent.

    >>> better_of("sd15", "sdxl", Difference("CLIP", -0.01, -0.02, 0.0, 0.9, probability=0.04))
    ('sdxl', '96%')
    """
    name = first if difference.probability >= 0.5 else second
    return name, percent(difference.certainty)


def difference_cells(difference: Difference) -> tuple[str, str]:
    """Return the difference with its interval, and the probability that the first is better.

    >>> difference_cells(Difference("CLIP", -0.01, -0.02, 0.0, 0.9, probability=0.04))
    ('-0.01 (-0.02 to 0)', '4%')
    """
    low, high = difference.low, difference.high
    return f"{difference.value:.3g} ({low:.3g} to {high:.3g})", percent(difference.probability)


def percent(share: float) -> str:
    """Return a probability as percent; it is never rounded to 0% or 100%.

    >>> percent(0.5), percent(0.99996), percent(1.0)
    ('50%', '>99.9%', '100%')
    """
    if 0.9995 < share < 1:
        return ">99.9%"
    if 0 < share < 0.0005:
        return "<0.1%"
    return f"{100 * share:.3g}%"
