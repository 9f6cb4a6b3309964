import numpy as np
import pytest

from flasheval.base.drawing.svg import inline_svg
from flasheval.report.page.draw_portrait import portrait_plot


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
