"""Plots that are read on a telephone: one look, drawn into SVG for the page and into PNG beside it.

On the page text stays text, in the reader's own font, and the colours of ink, paper and lines
follow its light or dark theme.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flasheval.base.drawing.figures import BLUE, GREY, GRID, ORANGE, style
from flasheval.base.drawing.fonts import fit
from flasheval.base.text import visible

__all__ = ["Drawing", "inline_svg", "laid_out", "png_bytes"]

_style = partial(
    style,
    {
        "font.size": 10.5,
        "axes.titlesize": 11,
        "axes.labelsize": 10.5,
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
        "legend.fontsize": 10,
        "svg.fonttype": "none",
        "svg.hashsalt": "flasheval",
    },
)
_THEME = {
    "#000000": "currentColor",
    "#ffffff": "var(--paper)",
    GRID.lower(): "var(--line)",
    BLUE.lower(): "var(--blue)",
    ORANGE.lower(): "var(--orange)",
    GREY.lower(): "var(--grey)",
}

_STYLE = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
_LINES = 'stroke-linejoin="round" stroke-linecap="butt"'


@dataclass(frozen=True, eq=False)
class Drawing:
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


def laid_out(draw: Callable[[], Drawing]) -> Drawing:
    """Draw with the page's look, and lay it out once for both kinds of file."""
    with _style():
        plot = draw()
        fit(plot.figure, f"the plot {plot.key}")
        plot.figure.draw_without_rendering()
        plot.figure.set_layout_engine("none")
        return plot


def png_bytes(plot: Drawing) -> bytes:
    """Return a plot as a PNG, the same bytes each time."""
    buffer = io.BytesIO()
    with _style():
        plot.figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return buffer.getvalue()


def inline_svg(plot: Drawing) -> str:
    """Return a plot as an SVG element for a page; the same text each time."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with _style():
        plot.figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = _STYLE.sub("", svg)  # which would be that of the whole page
    svg = re.sub(r"<[^>]+>", partial(_on_a_page, plot.key), svg)
    for group, names in plot.names.items():
        svg = _named(svg, f"{plot.key}-{group}", names)
    head, _, rest = svg.partition(">")
    head = re.sub(r' (width|height|version|xmlns)="[^"]*"', "", head)
    return f'{head} {_LINES} role="img" aria-label="{html.escape(visible(plot.label))}">{rest}'


def _on_a_page(key: str, tag: re.Match[str]) -> str:
    """Return a tag with its ids, unique on a page and not in a figure alone, in its colours."""
    text = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', tag[0])
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{key}-", text)
    for colour, themed in _THEME.items():
        text = re.sub(rf"(fill|stroke): {colour}\b", rf"\1: {themed}", text)
    return text


def _named(svg: str, group: str, names: Sequence[str]) -> str:
    """Give each point of a group a title."""
    start = svg.find(f'id="{group}"')
    if start < 0:
        return svg
    texts = iter(names)

    def with_title(match: re.Match[str]) -> str:
        name = next(texts, None)
        title = "" if name is None else f"<title>{html.escape(visible(name))}</title>"
        return f"<use{match[1]}>{title}</use>"

    points = re.sub(r"<use([^>]*?)\s*/>", with_title, svg[start:], count=len(names))
    return svg[:start] + points
