from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from flasheval.base.drawing.figures import BLUE, drawn, save_png
from flasheval.base.drawing.view import Figure, Plot, Pointer, Series
from flasheval.base.errors import DataError

RANDOM = Series("random", (1, 10, 100), (0.1, 0.5, 1), (0, 0.4, 1), (0.2, 0.6, 1), "random", "band")
POINTS = Series("a $5_x$ name", (10, 20), (0.6, 0.7), (0.5, 0.7), (0.8, 0.9))
PLOT = Plot("costs $1", "size", "tau", (RANDOM, POINTS), (1, 100), (None, 1.02), x_log=True)


def test_names_with_a_dollar_are_drawn_as_they_are() -> None:
    figure = drawn(Figure([[PLOT]], "$all$"))
    figure.canvas.draw()
    texts = {one.get_text(): one for one in figure.findobj(Text)}
    for name in ("costs $1", "$all$", "a $5_x$ name"):
        assert texts[name].get_parse_math() is False


def test_points_have_bars_and_stand_beside_each_other() -> None:
    (axes,) = drawn(Figure([[PLOT]])).axes
    (bars,) = axes.containers
    np.testing.assert_allclose(bars.lines[0].get_xdata(), [10, 20])
    segments = bars.lines[2][0].get_segments()
    np.testing.assert_allclose([one[:, 1] for one in segments], [[0.5, 0.8], [0.7, 0.9]])
    both = replace(PLOT, series=(RANDOM, POINTS, replace(POINTS, name="b")))
    left, right = drawn(Figure([[both]])).axes[0].containers
    apart = right.lines[0].get_xdata()[0] / left.lines[0].get_xdata()[0]
    assert apart == pytest.approx(100**0.013)
    assert left.lines[0].get_color() == BLUE != right.lines[0].get_color()


def test_panels_share_one_legend_and_an_empty_place_has_no_axes() -> None:
    figure = drawn(Figure([[PLOT, PLOT], [PLOT, None]]))
    (legend,) = figure.legends
    names = [one.get_text() for one in legend.get_texts()]
    assert names == ["random", "band", "a $5_x$ name"]
    assert [one.axison for one in figure.axes] == [True, True, True, False]


@pytest.mark.parametrize(("to", "marks"), [(None, 1), (12, 1), (40, 3)])
def test_a_pointer_leads_where_there_is_room(to: float | None, marks: int) -> None:
    pointed = replace(PLOT, pointer=Pointer(10, 0.6, to, "10 = 40"))
    (axes,) = drawn(Figure([[pointed]])).axes
    bare = drawn(Figure([[PLOT]])).axes[0]
    assert len(axes.get_lines()) - len(bare.get_lines()) == marks
    assert [one.get_text() for one in axes.texts] == (["10 = 40"] if marks == 3 else [])


def test_a_guide_is_named_where_it_leaves_the_axes() -> None:
    ends = (1.0, 10.0)
    guides = [Series(f"{by}x", ends, (by, 10.0 * by), look="guide") for by in (1, 5)]
    plot = Plot("", "x", "y", guides, ends, (1, 20), x_log=True, y_log=True)
    one, five = drawn(Figure([[plot, None]])).axes[0].texts
    assert (one.get_text(), *one.xy) == ("1x", 10, 10)
    assert (five.get_text(), *five.xy) == ("5x", 4, 20)


def test_it_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = save_png(Figure([[PLOT]]), tmp_path / "a.png")
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot write"):
        save_png(Figure([[PLOT]]), tmp_path / "file/a.png")


def test_named_rows_stand_from_the_top_with_ranges_along_x() -> None:
    names = ["a $5_x$", "b", "c"]
    series = (
        Series("first", (0.9,), (0,), (0.8,), (1.0,)),
        Series("rest", (0.5, 0.4), (1, 2), (0.4, 0.3), (0.6, 0.5)),
    )
    rows = Plot("m", "mean", "", series, (0.3, 1.0), rows=names)
    (axes,) = drawn(Figure([[rows]])).axes
    assert [one.get_text() for one in axes.get_yticklabels()] == names
    assert axes.get_ylim() == (2.5, -0.5)
    segments = axes.containers[1].lines[2][0].get_segments()
    np.testing.assert_allclose([one[:, 0] for one in segments], [[0.4, 0.6], [0.3, 0.5]])
    many = replace(rows, rows=[str(row) for row in range(60)])
    assert drawn(Figure([[many]])).get_figheight() > drawn(Figure([[rows]])).get_figheight()


def _with_frontier(up: bool) -> Plot:
    y = (0.1, 0.11, 0.9) if up else (0.9, 0.89, 0.1)
    cloud = Series("v", (0.01, 0.02, 1.0, 1.0), (*y, 0.5), look="scatter", labels="abcd")
    best = Series("frontier", (0.01, 0.02, 1.0), y, look="frontier", labels=("a $1", "b" * 30, "c"))
    return Plot("m", "seconds", "mean", (cloud, best), (0.009, 1.1), x_log=True)


@pytest.mark.parametrize("up", [True, False])
def test_names_of_a_frontier_stand_apart_where_no_point_is(up: bool) -> None:
    figure = drawn(Figure([[_with_frontier(up)]]))
    figure.canvas.draw()
    (axes,) = figure.axes
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without the leader
    assert [text.get_text() for text in axes.texts] == ["a $1", "b" * 30, "c"]
    tops = [(box.y0, box.y1) for box in boxes]
    order = tops if up else tops[::-1]
    assert all(one[1] <= other[0] + 2 for one, other in pairwise(order))
    points = axes.transData.transform(list(zip(*(axes.lines[1].get_data()), strict=True)))
    for box, (x, y) in zip(boxes, points, strict=True):
        assert box.x1 <= x
        assert box.x0 >= axes.bbox.x0 - 1
        assert (box.y0 + box.y1) / 2 > y if up else (box.y0 + box.y1) / 2 < y
    assert axes.lines[0].get_drawstyle() == "steps-post"


def test_ticks_below_one_are_no_zeros() -> None:
    figure = drawn(Figure([[_with_frontier(True)]]))
    figure.canvas.draw()
    shown = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert shown == ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]
