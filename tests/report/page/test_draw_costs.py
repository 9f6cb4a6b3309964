"""Quality against seconds on a page, where seconds are known, and nothing of it elsewhere."""

import pytest

from flasheval.generators.image_time import ImageTime
from flasheval.report.page.contents import contents_of
from flasheval.report.page.score_sources import scores_of
from flasheval.report.page.writing import page_html


@pytest.fixture(scope="module")
def timed(table):
    times = {name: ImageTime(0.5 + row, "A", 4) for row, name in enumerate(table.variant_names)}
    times.pop(table.variant_names[5])
    times[table.variant_names[6]] = ImageTime(20.0, "B", 4)
    return table.with_times(times)


def test_a_page_shows_quality_against_seconds(origin, timed):
    page = contents_of(origin, scores_of(origin.subset, timed))
    assert [plot.key for plot in page.costs] == ["seconds-0", "seconds-1"]
    assert [plot for plot in page.plots if plot in page.costs] == page.costs
    assert "1 have no seconds and are not shown." in page.costs[0].caption
    (names,) = page.costs[0].names.values()
    assert len(names) == 23
    assert any(name.endswith("20 s an image") for name in names)
    (note,) = page.cost_notes
    assert "2 devices" in note
    html = page_html(page)
    assert "<h2>Quality against seconds</h2>" in html
    assert 'href="#costs"' in html
    assert "<script>document" not in html
    assert all(table.rows for table in page.cost_tables)


def test_a_page_without_seconds_says_nothing_of_them(written):
    assert written.contents.costs == ()
    assert "Quality against seconds" not in written.page.read_text("utf-8")
