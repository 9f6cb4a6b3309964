import numpy as np

from flasheval.base.drawing.terminal import as_text
from flasheval.base.drawing.text_plot import text_plot
from flasheval.base.drawing.view import Figure, Plot, Series, View

POINTS = Series("models", (0.1, 1, 10, 10), (1, 2, 3, 1), look="scatter")
BEST = Series("frontier", (0.1, 1, 10), (1, 2, 3), look="frontier", labels="abc")
PLOT = Plot("CLIP", "seconds", "mean", (POINTS, BEST), (0.05, 20), x_log=True)


def _places(lines, signs):
    field = [line.partition("|")[2] for line in lines[1:-3]]
    return {s: (row, line.index(s)) for row, line in enumerate(field) for s in signs if s in line}


def test_points_stand_where_their_numbers_are():
    at = _places(text_plot(PLOT), "ABCo")
    (low, a), (middle, b), (high, c) = (at[sign] for sign in "ABC")
    assert (high, middle, low) == (0, 6, 12)
    assert abs((b - a) - (c - b)) <= 1  # the same factor twice
    assert at["o"] == (12, c)


def test_a_plain_axis_and_equal_scores():
    plain = Plot("m", "x", "y", (POINTS, BEST), (0, 10))
    at = _places(text_plot(plain), "AC")
    assert (at["A"][1], at["C"][1]) == (0, 61)
    flat = Series("models", (1, 2), (5, 5), look="scatter")
    best = Series("frontier", (1,), (5,), look="frontier", labels="a")
    lines = text_plot(Plot("m", "x", "y", (flat, best), (0.5, 4), x_log=True))
    assert lines[-1].split() == ["o", "models", "A", "frontier"]
    assert _places(lines, "A")["A"][0] == 6


def test_only_frontiers_are_drawn_in_a_terminal():
    other = Plot("tau", "x", "y", (Series("s", (1,), (1,), (1,), (1,)),), (1, 2))
    assert text_plot(other) == []
    assert as_text(View((Figure([[other]]),))) == ""
    text = as_text(View((Figure([[PLOT, None]]),)))
    assert "A to C frontier" in text
    assert max(map(len, text.splitlines())) <= 80


def test_more_points_than_letters():
    x = np.arange(1.0, 41.0).tolist()
    best = Series("frontier", x, x, look="frontier", labels=list(map(str, x)))
    lines = text_plot(Plot("m", "x", "y", (Series("v", x, x, look="scatter"), best), (1, 40)))
    assert "A to Z frontier" in lines[-1]
    assert any("*" in line for line in lines[1:-3])
