"""Plots of points and their frontier as lines of text, for terminals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flasheval.base.drawing.view import Plot, Series

__all__ = ["text_plot"]

_WIDE, _HIGH = 62, 13  # signs of the field
_SIGNS = "o+x^v"  # of series
_NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of points on the frontier, the cheapest first


def text_plot(plot: Plot) -> list[str]:
    """Return a plot of a scatter and its frontier as lines; none for any other plot.

    The frontier's points are letters, in its order. x is logarithmic where the plot's is.

    Example:
        >>> points = Series("models", (1, 10, 100), (0.1, 0.5, 0.2), look="scatter")
        >>> best = Series("frontier", (1, 10), (0.1, 0.5), look="frontier", labels=("a", "b"))
        >>> lines = text_plot(Plot("CLIP", "s", "mean", (points, best), (1, 100), x_log=True))
        >>> lines[0], lines[1].index("B") - lines[-4].index("A"), lines[-1].split()
        ('CLIP: mean', 31, ['o', 'models', 'A,', 'B', 'frontier'])

    """
    frontier = [one for one in plot.series if one.look == "frontier"]
    clouds = [one for one in plot.series if one.look == "scatter" and one.x]
    if not frontier or not clouds:
        return []
    field = [[" "] * _WIDE for _ in range(_HIGH)]
    y = [value for one in clouds for value in one.y]
    ends = min(y), max(y)
    for number, one in enumerate(clouds):
        _put(field, plot, one, ends, _SIGNS[number % len(_SIGNS)] * len(one.x))
    names = _NAMES[: len(frontier[0].x)]
    _put(field, plot, frontier[0], ends, names + "*" * (len(frontier[0].x) - len(names)))
    marks = [f"{ends[1]:.4g}", *[""] * (_HIGH - 2), f"{ends[0]:.4g}"]
    margin = max(map(len, marks))
    rows = [f"{m:>{margin}} |{''.join(r)}".rstrip() for m, r in zip(marks, field, strict=True)]
    left, right = (f"{end:.3g}" for end in plot.x_ends)
    middle = plot.x_label + (" (logarithmic)" if plot.x_log else "")
    axis = f"{left}{middle:^{_WIDE - len(left) - len(right)}}{right}"
    indent = " " * (margin + 2)
    key = [f"{_SIGNS[n % len(_SIGNS)]} {one.name}" for n, one in enumerate(clouds)]
    shown = ", ".join(names) if len(names) < 3 else f"{names[0]} to {names[-1]}"
    key.append(f"{shown} {frontier[0].name}")
    head = f"{plot.title}: {plot.y_label}"
    return [head, *rows, f"{indent[:-1]}+{'-' * _WIDE}", indent + axis, indent + "  ".join(key)]


def _put(
    field: list[list[str]], plot: Plot, one: Series, ends: tuple[float, float], signs: Sequence[str]
) -> None:
    along = math.log if plot.x_log else float
    low, high = map(along, plot.x_ends)
    for x, y, sign in zip(one.x, one.y, signs, strict=True):
        share = (along(x) - low) / (high - low)
        column = min(int(share * _WIDE), _WIDE - 1)
        tall = 0.5 if ends[0] == ends[1] else (ends[1] - y) / (ends[1] - ends[0])
        field[round(tall * (_HIGH - 1))][column] = sign
