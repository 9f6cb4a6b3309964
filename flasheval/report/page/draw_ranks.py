"""Full set against subset: by means, and by ranks with what the full set cannot tell apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.drawing.figures import BLUE, GREY, ORANGE, new_figure, tidy
from flasheval.base.drawing.svg import Drawing, laid_out
from flasheval.base.files import slug
from flasheval.base.text import shortened
from flasheval.report.page.ranks import Ranks
from flasheval.report.page.ties import Ties

__all__ = ["means_plot", "ties_plot"]

_SIZE = (4.1, 4.0)


def means_plot(
    ranks: Ranks, *, kind: str, n_prompts: int | None, size: int, number: int, title: str
) -> Drawing:
    """Draw variants by full mean and by subset mean, the sides told apart.

    Args:
        ranks: One metric's variants.
        kind: `split` or `final`, for the plot's name.
        n_prompts: Prompts of the whole set, where known.
        size: Prompts of the subset.
        number: Which metric of the page it is.
        title: What the plot is of, in a few words.

    """

    def draw() -> Drawing:
        figure, axes = new_figure(*_SIZE)
        names = {}
        for searched, colour, marker in ((True, ORANGE, "s"), (False, BLUE, "o")):
            rows = np.flatnonzero(ranks.searched == searched)
            if not rows.size:
                continue
            side = "searched" if searched else "held out" if kind == "split" else "not searched"
            axes.scatter(
                ranks.full[rows],
                ranks.subset[rows],
                s=30,
                marker=marker,
                facecolors="none" if searched else colour,
                edgecolors=colour,
                linewidths=1.3,
                alpha=0.9,
                gid=f"side-{side.replace(' ', '-')}",
                label=f"{len(rows)} {side}: tau-b {_number(ranks.tau(searched))}",
            )
            names[f"side-{side.replace(' ', '-')}"] = [
                f"{ranks.variants[row]}: full {ranks.full[row]:.4g}, "
                f"subset {ranks.subset[row]:.4g}, {side}"
                for row in rows
            ]
        _draw_line(axes, ranks)
        whole = "all prompts" if n_prompts is None else f"all {n_prompts:,} prompts"
        metric = shortened(ranks.metric, 24)
        axes.set_xlabel(f"{metric} (score), mean over\n{whole}")
        axes.set_ylabel(f"{metric} (score), mean over\nthe subset's {size:,}")
        axes.set_title(shortened(title, 40), loc="left")
        axes.locator_params(nbins=5)
        tidy(axes)
        figure.legend(loc="outside lower center", ncols=1, frameon=False)
        better = "higher" if ranks.higher_is_better else "lower"
        sides = "; ".join(
            f"{'searched' if side else 'the others'} {_number(ranks.tau(side))}"
            for side in (True, False)
            if (ranks.searched == side).any()
        )
        return Drawing(
            f"{kind}-{number}-{_slug(ranks.metric)}",
            figure,
            "",
            f"{ranks.metric} ({better} is better): mean over the subset against mean over the "
            f"full set of {len(ranks.variants)} variants; tau-b: {sides}",
            names,
        )

    return laid_out(draw)


def ties_plot(ties: Ties, *, number: int, said: str) -> Drawing:
    """Draw the rank by the subset over the ranks that the full set cannot tell apart.

    Args:
        ties: One metric's near ties.
        number: Which metric of the page it is.
        said: What they come to, in words.

    """

    def draw() -> Drawing:
        n = len(ties.full)
        ranks = np.arange(1, n + 1)
        figure, axes = new_figure(*_SIZE)
        # Solid steps: the ranks a variant might as well have, a column a variant.
        axes.bar(
            ranks,
            ties.worst - ties.best + 1,
            bottom=ties.best - 0.5,
            width=1.0,
            color=GREY,
            alpha=0.32,
            lw=0,
            label="ranks the full set cannot tell apart",
        )
        names = {}
        within = ties.within
        for inside, colour, marker in ((True, BLUE, "o"), (False, ORANGE, "D")):
            rows = np.flatnonzero(within == inside)
            if not rows.size:
                continue
            what = "among them" if inside else "outside them"
            key = "inside" if inside else "outside"
            axes.scatter(
                ranks[rows],
                ties.subset_rank[rows],
                s=24,
                marker=marker,
                color=colour,
                lw=0,
                gid=f"rank-{key}",
                label=f"rank by the subset, {what}: {len(rows)}",
            )
            names[f"rank-{key}"] = [
                f"{ties.variants[row]}: full set {row + 1}, subset {ties.subset_rank[row]:g}"
                for row in rows
            ]
        axes.set_xlabel("rank by the full set (1 = best)")
        axes.set_ylabel("rank by the subset (1 = best)")
        share = ties.tied_pairs / max(1, ties.pairs)
        metric = shortened(ties.metric, 24)
        axes.set_title(f"{metric}: {share:.1%} of pairs are ties", loc="left")
        axes.set_xlim(0, n + 1)
        axes.set_ylim(n + 1, 0)
        ticks = _rank_ticks(n)
        axes.set_xticks(ticks)
        axes.set_yticks(ticks)
        tidy(axes)
        figure.legend(loc="outside lower center", ncols=1, frameon=False)
        return Drawing(
            f"ties-{number}-{_slug(ties.metric)}",
            figure,
            f"{ties.metric}: {said}",
            f"{ties.metric}: rank by the subset against rank by the full set of {n} variants; "
            f"{int(within.sum())} lie among the ranks that the full set cannot tell apart; "
            f"{ties.tied_pairs:,} of {ties.pairs:,} pairs are ties",
            names,
        )

    return laid_out(draw)


def _draw_line(axes: Any, ranks: Ranks) -> None:
    """Draw the straight line through the variants searched."""
    rows = ranks.searched if ranks.searched.sum() >= 2 else np.ones(len(ranks.full), np.bool_)
    x, y = ranks.full[rows], ranks.subset[rows]
    spread = float(np.var(x))
    if spread == 0:
        return
    slope = float(np.mean((x - x.mean()) * (y - y.mean()))) / spread
    ends: NDArray[np.float64] = np.array([ranks.full.min(), ranks.full.max()])
    line = y.mean() + slope * (ends - x.mean())
    axes.plot(ends, line, color=GREY, lw=1.1, ls=":", zorder=1)


def _rank_ticks(n: int) -> list[int]:
    steps = (step * 10**power for power in range(9) for step in (1, 2, 5))
    step = next(step for step in steps if n / step <= 6)
    return [1, *(tick for tick in range(step, n + 1, step) if tick > 1)]


def _number(tau: float) -> str:
    return "-" if np.isnan(tau) else f"{tau:.3f}"


def _slug(name: str) -> str:
    return slug(name, allowed="", filler="-").strip("-") or "metric"
