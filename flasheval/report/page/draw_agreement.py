"""Agreement against size, and split by split beside random prompts."""

from __future__ import annotations

from typing import Any

from flasheval.base.drawing.figures import BLUE, GREY, drawn, new_figure, tidy
from flasheval.base.drawing.svg import Drawing, laid_out
from flasheval.base.text import DASH, shortened
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.search_view import search_figure
from flasheval.subset import Subset
from flasheval.subset.evidence import Agreement, Evidence

__all__ = ["agreement_plot", "splits_plot"]

_WIDTH = 4.5  # inches: with these letters legible on 350 pixels


def agreement_plot(measurement: Measurement, subset: Subset) -> Drawing:
    """Draw tau-b against subset size, beside random prompts."""

    def draw() -> Drawing:
        figure = drawn(search_figure(subset, measurement))
        _narrow(figure)
        return Drawing(
            "agreement",
            figure,
            "How well a subset of each size ranks variants as the full set does. Blue above the "
            "grey band: better than nearly every random choice. Orange above blue is what "
            "searching the same variants flatters; only blue counts. The ring is this subset's "
            "size, the square as many random prompts as agree as well.",
            f"Kendall tau-b with the full set against the number of prompts, {subset.method.name} "
            "on searched and on held-out variants, beside random prompts with their band from "
            f"5 to 95 percent; at {subset.size} prompts {_said(subset.record.evidence)}",
        )

    return laid_out(draw)


def _narrow(figure: Any) -> None:
    """Fit the picture of a search to a narrow column, its legend one below the other."""
    figure.set_size_inches(_WIDTH, 4.7)
    axes = figure.axes[0]
    said = axes.get_title(loc="left").rpartition(": ")[2]  # the page says the rest
    axes.set_title(said, loc="left", fontsize=10)
    axes.set_ylabel(axes.get_ylabel().replace(", ", ",\n", 1))
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_fontsize(10.5)
    for text in axes.texts:
        text.set_fontsize(10)
    ticks = [int(tick) for tick in axes.get_xticks()]
    firsts = "15" if max(ticks) < 1000 * min(ticks) else "1"  # no label may touch the next
    axes.set_xticks([tick for tick in ticks if str(tick)[0] in firsts])
    for legend in list(figure.legends):
        legend.remove()
    figure.legend(loc="outside lower left", ncols=1, frameon=False)


def splits_plot(evidence: Evidence) -> Drawing:
    """Draw every split's held-out tau beside the band of random prompts, a row a metric."""
    rows = evidence.rows

    def draw() -> Drawing:
        figure, axes = new_figure(_WIDTH, 1.9 + 0.5 * len(rows))
        for place, one in enumerate(rows.values()):
            _draw_row(axes, place, one, first=place == 0)
        axes.set_yticks(range(len(rows)), [shortened(name, 18) for name in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel("Kendall tau-b with the full set, held out")
        tidy(axes, "x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside lower left", ncols=1, frameon=False)
        return Drawing(
            "splits",
            figure,
            f"Each dot is one split ({evidence.split_spec}): {evidence.size} prompts searched "
            "without the variants they are judged on. Dots right of the grey bar's end beat 95% "
            "of random choices.",
            f"Held-out tau-b of {len(evidence.splits)} splits by metric, beside the band of "
            f"{evidence.size} random prompts; {_said(evidence)}",
            {
                f"splits-{place}": [
                    f"{split.name}: {tau:.3f}"
                    for split, tau in zip(evidence.splits, one.held_out_tau_by_split, strict=False)
                    if tau is not None
                ]
                for place, one in enumerate(rows.values())
            },
        )

    return laid_out(draw)


def _draw_row(axes: Any, place: int, one: Agreement, *, first: bool) -> None:
    random = one.random_tau
    axes.barh(
        place,
        random.high - random.low,
        left=random.low,
        height=0.62,
        color=GREY,
        alpha=0.28,
        lw=0,
        label=f"random prompts: 5{DASH}95% of draws and splits" if first else None,
    )
    axes.plot(
        [random.mean] * 2,
        [place - 0.31, place + 0.31],
        color=GREY,
        lw=1.8,
        label="random prompts: mean" if first else None,
    )
    taus = [tau for tau in one.held_out_tau_by_split if tau is not None]
    mean = one.held_out_tau.mean
    axes.plot(
        [mean] * 2,
        [place - 0.31, place + 0.31],
        color=BLUE,
        lw=1.8,
        label="chosen prompts: mean" if first else None,
    )
    if taus:
        axes.scatter(
            taus,
            [place] * len(taus),
            s=34,
            color=BLUE,
            alpha=0.65,
            lw=0,
            zorder=3,
            gid=f"splits-{place}",
            label="chosen prompts: one split" if first else None,
        )


def _said(evidence: Evidence | None) -> str:
    if evidence is None:
        return "nothing was held out"
    pooled = evidence.pooled
    return (
        f"held-out tau-b is {pooled.held_out_tau.mean:.3f} on average, of random prompts "
        f"{pooled.random_tau.mean:.3f}"
    )
