from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from flasheval.base.drawing.figures import drawn
from flasheval.selection.held_out.report import ValidationReport
from flasheval.selection.validation_figure import validation_figure


def figure_of(report: ValidationReport) -> Figure:
    figure: Figure = drawn(validation_figure(report))
    figure.canvas.draw()
    return figure


def texts_of(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def test_it_names_what_it_shows(compared: ValidationReport) -> None:
    figure = figure_of(replace(compared, notes=("synthetic population: no model was run",)))
    texts = texts_of(figure)
    for part in (
        "synthetic (no model was run), mean over 2 metrics",
        "random:8: 8 splits, 12 variants searched, 12 held out",
        "group:scheduler: 3 splits, 16 variants searched, 8 held out",
        "bars: 5\N{EN DASH}95% of splits",
        "bars: least to greatest split",
        "bars: 90% over splits",
        "no interval",
        "prompts in the subset",
        "random prompts that agree as well",
        "variants searched",
        "balanced(passes=0)",
    ):
        assert part in texts, part
    assert len(figure.axes) == 6


def test_it_draws_the_numbers_measured(compared: ValidationReport) -> None:
    axes = figure_of(compared).axes
    (bars,) = [one for one in axes[0].containers if one.get_label() == "balanced"]
    expected = [compared.summary(method="balanced", size=k).held_out_tau for k in (10, 20)]
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [one.mean for one in expected])  # type: ignore[union-attr]
    (bars,) = [one for one in axes[1].containers if one.get_label() == "balanced"]
    sizes = [compared.summary(method="balanced", size=k).equivalent_random_size for k in (10, 20)]
    values = [one.estimate.value for one in sizes]  # type: ignore[union-attr]
    np.testing.assert_allclose(bars.lines[0].get_ydata(), values)
    (bars,) = [one for one in axes[2].containers if one.get_label() == "balanced"]
    assert len(bars.lines[0].get_ydata()) == 3


def test_the_legend_is_over_no_panel_and_on_the_page(compared: ValidationReport) -> None:
    figure = figure_of(compared)
    (legend,) = figure.legends
    box, page = legend.get_window_extent(), figure.bbox
    assert page.x0 <= box.x0 < box.x1 <= page.x1
    assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)
    labels = [text.get_text() for text in legend.get_texts()]
    assert len(labels) == len(set(labels)) == 5


def test_one_size_one_metric_and_nothing_measured(compared: ValidationReport) -> None:
    plain = replace(compared, learning=(), sizes=(10,))
    one = replace(plain, summaries=tuple(s for s in plain.summaries if s.size == 10))
    assert len(figure_of(one).axes) == 4
    nothing = replace(plain, summaries=(), curves=())
    assert len(figure_of(nothing).axes) == 4
