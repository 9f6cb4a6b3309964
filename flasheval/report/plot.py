"""The picture of a search: held-out agreement against subset size, beside random prompts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.files import atomic_write

if TYPE_CHECKING:
    from flasheval.selection.held_out.measurement import Measurement
    from flasheval.subset.evidence import EquivalentSize

__all__ = ["agreement_figure", "plot_agreement"]

# Okabe and Ito's blue and vermilion: told apart by every kind of colour vision, and in grey.
_METHOD, _SEARCH, _RANDOM = "#0072B2", "#D55E00", "#8A8A8A"
_TICKS = (1, 2, 5)


def plot_agreement(
    measurement: Measurement,
    path: str | Path,
    *,
    method: str,
    size: int,
    prompt_set: str,
    equivalent: EquivalentSize | None = None,
) -> Path:
    """Draw `agreement_figure` into a PNG of 1600 x 1040 pixels and return its path.

    Raises DataError when the file cannot be written.
    """
    figure = agreement_figure(
        measurement, method=method, size=size, prompt_set=prompt_set, equivalent=equivalent
    )
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=200)
    return Path(path)


def agreement_figure(
    measurement: Measurement,
    *,
    method: str,
    size: int,
    prompt_set: str,
    equivalent: EquivalentSize | None = None,
) -> Any:
    """Return a matplotlib figure of tau-b against subset size, averaged over the metrics.

    The method's held-out mean with its range over splits, its search tau, and random prompts
    with their 5-95% band. The size asked for is marked; a dotted line leads from it to where
    random prompts agree as well.

    Args:
        measurement: From `flasheval.selection.held_out.engine.measure`.
        method: The method's name.
        size: The size asked for.
        prompt_set: Name of the prompt set.
        equivalent: Equivalent random size at `size`, averaged over the metrics.

    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw_random(axes, measurement)
    _draw_method(axes, measurement, method, size)
    if equivalent is not None and equivalent.estimate.relation == "=":
        _draw_equivalent(axes, measurement, size, equivalent.estimate.value)
    axes.set_title(_title(measurement, prompt_set), fontsize=10.5, loc="left")
    axes.set_xlabel("prompts in the subset")
    over = "" if len(measurement.metrics) == 1 else ", mean over metrics"
    axes.set_ylabel(f"Kendall tau-b with the full set{over}")
    _tidy_size_axis(axes, measurement)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return figure


def _draw_random(axes: Any, measurement: Measurement) -> None:
    random = measurement.random
    taus = np.mean([random.tau[metric] for metric in measurement.metrics], axis=0)
    flat = taus.reshape(-1, taus.shape[-1])
    low, high = np.nanquantile(flat, [0.05, 0.95], axis=0)
    mean = np.nanmean(flat, axis=0)
    axes.plot(random.sizes, mean, color=_RANDOM, lw=1.8, label="random prompts, held out: mean")
    label = "random prompts: 5\N{EN DASH}95% of draws and splits"
    axes.fill_between(random.sizes, low, high, color=_RANDOM, alpha=0.22, lw=0, label=label)


def _draw_method(axes: Any, measurement: Measurement, method: str, size: int) -> None:
    sizes = measurement.judged_sizes
    held_out = [_known(measurement.values(k, None, "held_out_tau")) for k in sizes]
    search = [_known(measurement.values(k, None, "search_tau")) for k in sizes]
    means = np.array([taus.mean() if taus.size else np.nan for taus in held_out])
    below = np.array(
        [m - taus.min() if taus.size else 0 for m, taus in zip(means, held_out, strict=True)]
    )
    above = np.array(
        [taus.max() - m if taus.size else 0 for m, taus in zip(means, held_out, strict=True)]
    )
    axes.plot(
        sizes,
        [taus.mean() if taus.size else np.nan for taus in search],
        color=_SEARCH,
        ls="--",
        lw=1.4,
        marker="_" if len(sizes) == 1 else None,
        ms=14,
        label=f"{method}, on the variants it searched",
    )
    axes.errorbar(
        sizes,
        means,
        yerr=[below, above],
        color=_METHOD,
        marker="o",
        ms=5.5,
        lw=1.8,
        elinewidth=1.1,
        capsize=3,
        ls="" if len(sizes) == 1 else "-",
        label=f"{method}, held out: mean and range over splits",
    )
    if size in sizes:
        chosen = means[sizes.index(size)]
        axes.plot([size], [chosen], "o", ms=11, mfc="none", mec=_METHOD, mew=1.6)


def _draw_equivalent(axes: Any, measurement: Measurement, size: int, equivalent: float) -> None:
    if equivalent <= size * 1.3:  # no room for a line, and nothing to boast of
        return
    from matplotlib.patheffects import withStroke

    tau = float(_known(measurement.values(size, None, "held_out_tau")).mean())
    axes.plot([size, equivalent], [tau, tau], color=_METHOD, ls=":", lw=1.4)
    axes.plot([equivalent], [tau], "s", ms=5.5, mfc="white", mec=_METHOD, mew=1.4)
    sizes = measurement.random.sizes
    room = 1 - np.log(equivalent / sizes[0]) / np.log(sizes[-1] / sizes[0])
    far = room < 0.21  # the label would leave the axes: hang it on their right end
    label = axes.annotate(
        f"{size:,} chosen prompts\n= {equivalent:,.0f} random ones",
        (sizes[-1] if far else equivalent, tau),
        xytext=(0, -24) if far else (8, -12),
        textcoords="offset points",
        color=_METHOD,
        fontsize=9,
        ha="right" if far else "left",
        va="top",
    )
    label.set_path_effects([withStroke(linewidth=3, foreground="white", alpha=0.8)])


def _title(measurement: Measurement, prompt_set: str) -> str:
    counts = {(len(split.search), len(split.held_out)) for split in measurement.splits}
    search = sorted({a for a, _ in counts})
    held = sorted({b for _, b in counts})
    n = len(measurement.splits)
    metrics = ", ".join(measurement.metrics)
    metrics = metrics if len(metrics) <= 48 else f"{len(measurement.metrics)} metrics"
    return (
        f"{prompt_set}, {metrics}\n{_span(search)} variants searched, {_span(held)} held out, "
        f"{n} split{'' if n == 1 else 's'}"
    )


def _span(counts: list[int]) -> str:
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]}\N{EN DASH}{counts[-1]}"


def _tidy_size_axis(axes: Any, measurement: Measurement) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    sizes = (*measurement.random.sizes, *measurement.judged_sizes)
    least, most = min(sizes), max(sizes)
    ticks = [step * 10**power for power in range(9) for step in _TICKS]
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([t for t in ticks if least <= t <= most]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlim(least / 1.08, most * 1.08)
    axes.set_ylim(top=1.02)
    axes.grid(True, axis="y", color="#DDDDDD", lw=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[~np.isnan(values)]
