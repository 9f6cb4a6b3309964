"""Views as HTML: every name stays text, tables are tables, figures are drawn in place."""

from html.parser import HTMLParser
from xml.etree.ElementTree import Element
from xml.etree.ElementTree import fromstring as parsed

import pytest

from flasheval.base.drawing.html import html
from flasheval.base.drawing.view import Figure, Line, Plot, Series, Table, View
from flasheval.base.text import visible

NASTY = [
    "<script>alert(1)</script>",
    'a" onmouseover="x',
    "it's & that &amp; <b>",
    "[red]x[/red] :smile:",
    "$x_1$ $$",
    'id="f1" fill: #000000',
    "{} {0} %s",
    "\x1b[31mred\u202e",
]


class Page(HTMLParser):
    """The elements of a page, its texts, and that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _element(text: str) -> Element:
    return parsed(text)  # noqa: S314 - our own


def _view(name: str) -> View:
    table = Table((name, "mean\nscore"), [(name, "0.5"), ("b", name)], strong=1, caption=name)
    looks = ("headline", "text", "faint", "note", "warning", "alert", "item", "code", "section")
    return View((*(Line(name, look) for look in looks), Line(""), table))


@pytest.mark.parametrize("name", NASTY)
def test_a_name_stays_text_wherever_it_stands(name: str) -> None:
    text = html(_view(name))
    page = Page(text)
    assert page.tags == Page(html(_view("plain"))).tags  # it adds no element
    assert page.attributes == Page(html(_view("plain"))).attributes
    assert sum(visible(name) in one for one in page.texts) == 9 + 4
    _element(text)  # all that is opened is closed


def test_a_table_is_one_that_can_be_read_aloud() -> None:
    root = _element(html(_view("CLIP")))
    (table,) = root.iter("table")
    assert [one.tag for one in table] == ["caption", "thead", "tbody"]
    assert [one.get("scope") for one in table.iter("th")] == ["col", "col", "row", "row"]
    told = [" ".join(one.itertext()) for one in table.iter("th")]
    assert told == ["CLIP", "mean score", "CLIP", "b"]
    assert [one.get("class") for one in table.iter("td")] == ["strong", "strong"]


@pytest.mark.parametrize("name", NASTY[:6])
def test_a_figure_is_drawn_with_its_names_as_they_are(name: str) -> None:
    series = [Series(name, [1.0, 2.0], [0.0, 1.0], [0.5, 1.5], [1.5, 2.5])]
    plot = Plot(name, "x", "", series, (0.5, 2.5), rows=[name, "b"])
    text = html(View((Figure([[plot]], name, name),)))
    assert "<script" not in text
    root = _element(text.replace("xlink:", ""))
    (svg,) = root.iter("svg")
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == name
    told = ["".join(one.itertext()).strip() for one in svg.iter("text")]
    assert told.count(name) >= 3  # its title, its row, and the legend
    assert text == html(View((Figure([[plot]], name, name),)))  # the same each time
    ids = [one.get("id") for one in svg.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    assert "currentColor" in text
    assert len(text) < 40_000


def test_warnings_of_one_look_are_one_list() -> None:
    page = html(View((Line("a", "warning"), Line("b", "warning"), Line("c", "item"))))
    assert page.count("<ul") == 2
    assert page.count("<li>") == 3
