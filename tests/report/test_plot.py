from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from flasheval.base.errors import DataError
from flasheval.report.plot import agreement_figure, plot_agreement
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.search import search
from flasheval.subset.evidence import EquivalentSize, RandomSize


@pytest.fixture(scope="module")
def measured(make_table: Callable[..., ScoreTable]) -> Measurement:
    table = make_table(24, 100, ("clip", "hps"))
    result = search(table, size=10, splits="random:3", curve=[5, 20], draws=20)
    assert result.measurement is not None
    return result.measurement


def figure_of(measurement: Measurement, **more: object) -> Figure:
    figure: Figure = agreement_figure(
        measurement, method="balanced", size=10, prompt_set="pets", **more
    )
    figure.canvas.draw()
    return figure


def texts_of(figure: Figure) -> str:
    found = figure.findobj(Text)
    return "\n".join(text.get_text() for text in found)


def test_it_names_what_it_shows(measured: Measurement) -> None:
    figure = figure_of(measured, equivalent=EquivalentSize(RandomSize(40)))
    texts = texts_of(figure)
    for part in (
        "pets, clip, hps",
        "12 variants searched, 12 held out, 3 splits",
        "prompts in the subset",
        "Kendall tau-b with the full set, mean over metrics",
        "random prompts, held out: mean",
        "balanced, held out: mean and range over splits",
        "balanced, on the variants it searched",
        "10 chosen prompts\n= 40 random ones",
    ):
        assert part in texts
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"


def test_it_draws_the_numbers_measured(measured: Measurement) -> None:
    (axes,) = figure_of(measured).axes
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    search_line = lines["balanced, on the variants it searched"]
    expected = [measured.values(size, None, "search_tau").mean() for size in (5, 10, 20)]
    np.testing.assert_allclose(search_line.get_ydata(), expected)
    random_line = lines["random prompts, held out: mean"]
    curve = measured.random.curves(measured.metrics).mean(axis=0)
    np.testing.assert_allclose(random_line.get_ydata(), curve)
    (bars,) = axes.containers
    expected = [measured.values(size, None, "held_out_tau").mean() for size in (5, 10, 20)]
    np.testing.assert_allclose(bars.lines[0].get_ydata(), expected)


@pytest.mark.parametrize("equivalent", [11.0, 15.0, 40.0, 70.0, 99.0])
def test_its_words_stay_on_the_page_and_off_each_other(
    measured: Measurement, equivalent: float
) -> None:
    figure = figure_of(measured, equivalent=EquivalentSize(RandomSize(equivalent)))
    (axes,) = figure.axes
    (legend,) = figure.legends
    boxes = [legend.get_window_extent(), *(text.get_window_extent() for text in axes.texts)]
    title = axes.get_title(loc="left")
    (heading,) = figure.findobj(lambda one: isinstance(one, Text) and one.get_text() == title)
    boxes += [heading.get_window_extent(), axes.xaxis.label.get_window_extent()]
    page = figure.bbox
    for number, box in enumerate(boxes):
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert page.y0 <= box.y0 < box.y1 <= page.y1
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])


def test_one_size_is_a_point(make_table: Callable[..., ScoreTable]) -> None:
    result = search(make_table(24, 100), size=10, splits="random:2", draws=10)
    assert result.measurement is not None
    figure = figure_of(result.measurement)
    (axes,) = figure.axes
    (bars,) = axes.containers
    assert bars.lines[0].get_linestyle() == "None"
    assert "mean over metrics" not in texts_of(figure)


def test_it_is_written_whole_or_not_at_all(measured: Measurement, tmp_path: Path) -> None:
    path = plot_agreement(
        measured, tmp_path / "a.png", method="balanced", size=10, prompt_set="pets"
    )
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot write"):
        plot_agreement(
            measured, tmp_path / "file/a.png", method="balanced", size=10, prompt_set="pets"
        )
