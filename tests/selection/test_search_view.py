from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from flasheval.base.drawing.figures import drawn
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.search import SearchResult, search
from flasheval.selection.search_view import search_figure, search_view
from flasheval.subset import Subset
from flasheval.subset.evidence import EquivalentSize, RandomSize


@pytest.fixture(scope="module")
def found(make_table: Callable[..., ScoreTable]) -> SearchResult:
    table = make_table(24, 100, ("clip", "hps"))
    return search(table, size=10, method="balanced", splits="random:3", curve=[5, 20], draws=20)


@pytest.fixture(scope="module")
def measured(found: SearchResult) -> Measurement:
    assert found.measurement is not None
    return found.measurement


def with_equivalent(found: SearchResult, size: float) -> Subset:
    evidence = found.subset.record.evidence
    assert evidence is not None
    pooled = replace(evidence.pooled, equivalent_random_size=EquivalentSize(RandomSize(size)))
    record = replace(found.subset.record, evidence=replace(evidence, pooled=pooled))
    return replace(found.subset, record=record)


def figure_of(subset: Subset, measurement: Measurement) -> Figure:
    figure: Figure = drawn(search_figure(subset, measurement))
    figure.canvas.draw()
    return figure


def texts_of(figure: Figure) -> str:
    found = figure.findobj(Text)
    return "\n".join(text.get_text() for text in found)


def test_it_names_what_it_shows(found: SearchResult, measured: Measurement) -> None:
    figure = figure_of(with_equivalent(found, 40), measured)
    texts = texts_of(figure)
    for part in (
        "made-up-0, clip, hps",
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


def test_it_draws_the_numbers_measured(found: SearchResult, measured: Measurement) -> None:
    (axes,) = figure_of(found.subset, measured).axes
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
    found: SearchResult, measured: Measurement, equivalent: float
) -> None:
    figure = figure_of(with_equivalent(found, equivalent), measured)
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
    figure = figure_of(result.subset, result.measurement)
    (axes,) = figure.axes
    (bars,) = axes.containers
    assert bars.lines[0].get_linestyle() == "None"
    assert "mean over metrics" not in texts_of(figure)


def test_a_view_shows_the_subset_and_the_figure(found: SearchResult, measured: Measurement) -> None:
    view = search_view(found.subset, measured, 100, ["a note"])
    assert view.parts[:-1] == found.subset.view(100, ["a note"]).parts
    assert view.figures == (search_figure(found.subset, measured),)
    assert search_view(found.subset, None) == found.subset.view()
    assert found.view(100, ["a note"]) == view
    assert found.view().parts[1].text.endswith("chosen by balanced from the scores of 24 variants")
    assert str(found).splitlines()[0] == found.view().headline


def test_what_no_model_scored_is_said(found: SearchResult, measured: Measurement) -> None:
    name = found.subset.prompt_set_name
    record = replace(found.subset.record, notes=(f"{name} population: drawn $a$ $b$",))
    figure = figure_of(replace(found.subset, record=record), measured)
    assert f"{name} (drawn $a$ $b$), clip, hps" in texts_of(figure)
