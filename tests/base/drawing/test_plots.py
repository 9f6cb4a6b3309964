import numpy as np
import pytest

from flasheval.base.drawing.plots import Plot, drawn, inline_svg, new_figure
from flasheval.report.page.draw_portrait import portrait_plot


def _plot(names, label="a label"):
    def draw():
        figure, axes = new_figure(3, 2)
        axes.scatter([1, 2], [1, 2], gid="points", color="#0072B2")
        axes.set_title("costs $5_a$ & <more>")
        return Plot("key", figure, "", label, {"points": names})

    return drawn(draw)


def test_points_are_named_and_all_is_escaped():
    svg = inline_svg(_plot(["a <b>", 'c "d"'], 'say "what" & why'))
    assert svg.startswith("<svg ")
    assert 'role="img" aria-label="say &quot;what&quot; &amp; why"' in svg
    assert svg.count("<title>") == 2
    assert "<title>a &lt;b&gt;</title></use>" in svg
    assert ">costs $5_a$ &amp; &lt;more&gt;</text>" in svg
    assert "width=" not in svg.partition(">")[0]
    assert "var(--blue)" in svg
    assert "#0072b2" not in svg


def test_fewer_names_than_points_leave_the_rest_alone():
    assert inline_svg(_plot(["only one"])).count("<title>") == 1


@pytest.mark.parametrize("values", [np.ones(50), np.arange(50) % 7, np.geomspace(1e-6, 1e6, 500)])
def test_any_spread_can_be_drawn(values):
    plot = portrait_plot("key", values, np.array([0, 3, 9]), title="what", unit="unit")
    assert f"of {len(values):,} prompts as a histogram, the 3 chosen" in plot.label
    assert "<svg" in inline_svg(plot)


def test_far_prompts_are_counted_in_the_last_bin():
    values = np.concatenate([np.linspace(0, 1, 5000) ** 2, [1e9]])
    plot = portrait_plot("key", values, np.array([3]), title="what", unit="unit")
    (axes,) = plot.figure.axes
    assert axes.get_xlim()[1] < 2
    counted = axes.patches[0].get_data().values
    assert counted.sum() == pytest.approx(100)
