"""Held-out agreement against subset size, beside random prompts: the figure of a search."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from flasheval.base.drawing.view import Figure, Plot, Pointer, Series
from flasheval.base.text import DASH
from flasheval.subset.evidence import EquivalentSize, SplitSizes

__all__ = ["RandomBand", "agreement_figure", "span"]


class RandomBand(NamedTuple):
    """Held-out tau-b of random prompts by size: mean, and 5-95% of draws and splits."""

    sizes: Sequence[int]
    mean: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def agreement_figure(
    sizes: Sequence[int],
    held_out: Sequence[Sequence[float]],
    searched: Sequence[Sequence[float]],
    random: RandomBand,
    *,
    splits: Sequence[SplitSizes],
    metrics: Sequence[str],
    method: str,
    size: int,
    prompt_set: str,
    equivalent: EquivalentSize | None = None,
) -> Figure:
    """Return tau-b against subset size, averaged over the metrics.

    The method's held-out mean with its range over splits, its search tau, and random prompts
    with their band. The size asked for is marked, and where random prompts agree as well.

    Args:
        sizes: Sizes measured, ascending.
        held_out: Held-out tau-b at each size, a number a split; NaN where it is undefined.
        searched: The same on the variants searched.
        random: Random prompts.
        splits: The splits.
        metrics: The metrics.
        method: The method's name.
        size: The size asked for.
        prompt_set: Name of the prompt set.
        equivalent: How many random prompts agree as well at `size`.

    """
    known = list(map(_known, held_out))
    means = list(map(fmean, known))
    flattering = [fmean(_known(taus)) for taus in searched]
    count = len(splits)
    names = ", ".join(metrics)
    names = names if len(names) <= 28 else f"{len(metrics)} metrics"
    over = "" if len(metrics) == 1 else ", mean over metrics"
    pointer = None
    answer = f"Held-out agreement of {method}"
    if size in sizes:
        exact = equivalent is not None and equivalent.estimate.relation == "="
        to = equivalent.estimate.value if equivalent is not None and exact else None
        said = "" if to is None else f"{size:,} chosen prompts\n= {to:,.0f} random ones"
        mean = means[list(sizes).index(size)]
        pointer = Pointer(size, mean, to, said)
        answer = f"{size:,} prompts chosen by {method} rank unseen variants "
        answer += f"with tau {mean:.2f}" if to is None else f"as {to:,.0f} random ones would"
    ranged = (list(map(min, known)), list(map(max, known)))
    band = f"random prompts: 5{DASH}95% of draws and splits"
    plot = Plot(
        f"{answer}\n{prompt_set}, {names}: {span([one.n_search for one in splits])} variants "
        f"searched, {span([one.n_held_out for one in splits])} held out, "
        f"{count} split{'' if count == 1 else 's'}",
        "prompts in the subset",
        f"Kendall tau-b with the full set{over}",
        (
            Series("random prompts, held out: mean", *random, "random", band),
            Series(f"{method}, on the variants it searched", sizes, flattering, look="searched"),
            Series(f"{method}, held out: mean and range over splits", sizes, means, *ranged),
        ),
        (min(*random.sizes, *sizes), max(*random.sizes, *sizes)),
        (None, 1.02),
        x_log=True,
        pointer=pointer,
    )
    return Figure([[plot]], caption="Held-out agreement by subset size")


def _known(taus: Sequence[float]) -> list[float]:
    return [tau for tau in taus if not math.isnan(tau)] or [math.nan]


def span(counts: Sequence[int]) -> str:
    """Return the least and the greatest count, once where they are the same.

    >>> span([12, 12]), span([5, 3, 4]).replace(DASH, " to ")
    ('12', '3 to 5')
    """
    least, most = min(counts), max(counts)
    return str(least) if least == most else f"{least}{DASH}{most}"
