"""Plots that are read on a telephone: one look, drawn into SVG for the page and into PNG beside it.

On the page text stays text, in the reader's own font, and the colours of ink, paper and lines
follow its light or dark theme.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "BLUE",
    "GREY",
    "ORANGE",
    "Plot",
    "drawn",
    "inline_svg",
    "new_figure",
    "png_bytes",
    "tidy",
]

# Okabe and Ito's, as in the other plots of the house; shapes tell the sides apart as well.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8A8A8A"
GRID = "#DDDDDD"

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.labelsize": 10.5,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "flasheval",
    "text.parse_math": False,  # names are data: a dollar in one is a dollar
}
_THEME = {
    "#000000": "currentColor",
    "#ffffff": "var(--paper)",
    GRID.lower(): "var(--line)",
    BLUE.lower(): "var(--blue)",
    ORANGE.lower(): "var(--orange)",
    GREY.lower(): "var(--grey)",
}


@dataclass(frozen=True, eq=False)
class Plot:
    """A figure and the words around it.

    Attributes:
        key: Its name: that of its PNG, unique on a page.
        figure: A matplotlib figure.
        caption: What to see in it.
        label: What it is, for who cannot see it.
        names: By the id of a group of points, a text for each, shown when it is pointed at.

    """

    key: str
    figure: Any
    caption: str
    label: str
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)


def drawn(draw: Callable[[], Plot]) -> Plot:
    """Draw with the page's look, and lay it out once for both kinds of file."""
    with _style():
        plot = draw()
        plot.figure.draw_without_rendering()
        plot.figure.set_layout_engine("none")
        return plot


@contextmanager
def _style() -> Iterator[None]:
    from matplotlib import rc_context

    with rc_context(_RC), warnings.catch_warnings():
        # A letter that matplotlib's font lacks is drawn by the browser all the same.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        yield


def new_figure(width: float, height: float) -> tuple[Any, Any]:
    """Return a figure of this size in inches, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def tidy(axes: Any, *, both: bool = True) -> None:
    """Take away what is not read, and lay a faint grid behind the rest."""
    axes.grid(True, axis="both" if both else "x", color=GRID, lw=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def png_bytes(plot: Plot) -> bytes:
    """Return a plot as a PNG, the same bytes each time."""
    buffer = io.BytesIO()
    with _style():
        plot.figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return buffer.getvalue()


def inline_svg(plot: Plot) -> str:
    """Return a plot as an SVG element for a page; the same text each time."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with _style():
        plot.figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    # Ids are unique on a page, not in a figure alone.
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{plot.key}-\1"', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{plot.key}-", svg)
    for group, names in plot.names.items():
        svg = _named(svg, f"{plot.key}-{group}", names)
    for colour, themed in _THEME.items():
        svg = re.sub(rf"(fill|stroke): {colour}\b", rf"\1: {themed}", svg)
    head, _, rest = svg.partition(">")
    head = re.sub(r' (width|height|version|xmlns)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{html.escape(plot.label)}">{rest}'


def _named(svg: str, group: str, names: Sequence[str]) -> str:
    """Give each point of a group a title."""
    start = svg.find(f'id="{group}"')
    if start < 0:
        return svg
    texts = iter(names)

    def with_title(match: re.Match[str]) -> str:
        name = next(texts, None)
        title = "" if name is None else f"<title>{html.escape(name)}</title>"
        return f"<use{match[1]}>{title}</use>"

    points = re.sub(r"<use([^>]*?)\s*/>", with_title, svg[start:], count=len(names))
    return svg[:start] + points
