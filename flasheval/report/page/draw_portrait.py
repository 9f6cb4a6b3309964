"""The chosen prompts against the whole set: a histogram with marks below."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.drawing.figures import BLUE, GREY, new_figure, tidy
from flasheval.base.drawing.svg import Drawing, laid_out
from flasheval.base.text import shortened

__all__ = ["portrait_plot"]

_BINS = 32
_TAIL = 0.001


def portrait_plot(
    key: str, values: ArrayLike, chosen: NDArray[np.int64], *, title: str, unit: str
) -> Drawing:
    """Draw how one number is spread over all prompts, and where the chosen ones lie.

    Args:
        key: The plot's name.
        values: float or int [prompts].
        chosen: Positions of the chosen prompts.
        title: What the number is.
        unit: What the axis says, with its unit.

    """
    everything = np.asarray(values, dtype=np.float64)
    some = everything[chosen]
    # A few far prompts must not squeeze the rest: they are counted in the last bin at either end.
    low, high = np.quantile(everything, [_TAIL, 1 - _TAIL])
    low, high = min(low, some.min()), max(high, some.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    whole = bool((everything == np.round(everything)).all()) and high - low <= 2 * _BINS
    edges = np.arange(np.floor(low) - 0.5, np.ceil(high) + 1) if whole else None
    edges = np.linspace(low, high, _BINS + 1) if edges is None else edges
    counts, _ = np.histogram(np.clip(everything, edges[0], edges[-1]), bins=edges)
    share = 100 * counts / len(everything)
    middle, ours = float(np.median(everything)), float(np.median(some))

    def draw() -> Drawing:
        figure, axes = new_figure(3.7, 2.75)
        axes.stairs(share, edges, fill=True, color=GREY, alpha=0.35, lw=0)
        top = float(share.max())
        strip = 0.13 * top
        axes.vlines(some, -0.9 * strip, -0.15 * strip, color=BLUE, lw=1.2, alpha=0.75)
        axes.vlines(
            [middle], 0, top, color=GREY, lw=1.8, ls="--", label=f"median of all: {middle:.3g}"
        )
        axes.vlines([ours], -strip, top, color=BLUE, lw=2, label=f"of chosen: {ours:.3g}")
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(-strip, 1.08 * top)
        axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= top])
        axes.set_title(shortened(title, 36), loc="left")
        axes.set_xlabel(shortened(unit, 46))
        axes.set_ylabel("share of prompts (%)")
        axes.locator_params(axis="x", nbins=5)
        tidy(axes)
        figure.legend(loc="outside lower center", ncols=2, frameon=False, handlelength=1.3)
        return Drawing(
            key,
            figure,
            "",
            f"{title} ({unit}) of {len(everything):,} prompts as a histogram, the "
            f"{len(some)} chosen as marks below it; median of all {middle:.3g}, of the chosen "
            f"{ours:.3g}",
        )

    return laid_out(draw)
