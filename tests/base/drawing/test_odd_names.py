"""Whatever a name holds, a drawing shows it as text, each at the one place where it draws."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.text import Text

from flasheval.base.drawing.figures import drawn
from flasheval.base.drawing.markdown import inline, markdown
from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.drawing.svg import Drawing, inline_svg, laid_out
from flasheval.base.drawing.terminal import Terminal, as_text
from flasheval.base.drawing.view import Figure, Line, Plot, Series, Table, View
from flasheval.base.progress import ProgressBar
from flasheval.base.text import visible

# What a terminal, rich, matplotlib, HTML, Markdown or a spreadsheet would read as its own.
ODD_NAMES = (
    "[/oops]",
    "[bold]",
    ":warning:",
    "c\x1b[31m",
    "\x9b31m",
    "price$x_{$",
    "=1+1",
    "@x",
    "_hidden",
    "nul\0",
    "gpj.\u202ereversed",
    "two\nlines\r",
    "<b>a</b><script>",
    "&lt;",
    "`code` *b* [x](javascript:y)",
    "a|b",
    "{x}%s",
    "# head",
    "1. one",
    "\\",
)
ODD = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SIGNS = "[]/\\`*_~<>&;#!|$=+-@.()1ab \n\r\t\0\x1b\x9b\u202e\ud800"
names = st.one_of(
    st.sampled_from(ODD_NAMES),
    st.text(st.sampled_from(SIGNS), max_size=9),
    st.text(max_size=9),
)
LOOKS = ("headline", "text", "faint", "note", "warning", "alert", "item", "chapter", "section")


@given(names)
def test_what_a_screen_would_obey_is_seen_once_and_for_all(name):
    shown = visible(name)
    assert not ODD.search(shown)
    assert visible(shown) == shown
    assert ODD.search(name) or shown == name
    shown.encode()


@given(names, st.sampled_from(LOOKS))
def test_a_terminal_prints_a_name_as_it_is(name, look):
    table = Table((f"{name}\nof", "n"), [(name, "1")], strong=0, caption=name)
    shown = as_text(View((Line(name, look), table)), name, Text(name), width=200)
    assert not ODD.search(shown)
    if name and name == visible(name).strip() and not set("\n\t") & set(name):
        assert shown.count(name) >= 5


def test_a_console_of_ours_reads_no_markup_even_where_a_command_forgets_to_say_so():
    stream = io.StringIO()
    console = Terminal(file=stream, force_terminal=True, color_system="standard", width=80)
    console.print("[bold]x[/oops] :warning:\x1b[31m", style="bold")
    assert stream.getvalue() == "\x1b[1m[bold]x[/oops] :warning:\\x1b[31m\x1b[0m\n"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_shows_any_label(is_terminal):
    stream = io.StringIO()
    stream.isatty = lambda: is_terminal
    with ProgressBar(stream, after=0, every=0.01) as report:
        report("[/oops]\x1b[31m", 1, 4)
        while "oops" not in stream.getvalue():
            assert report._thread.is_alive()
    assert "[/oops]\\x1b[31m" in stream.getvalue()


@given(names)
def test_markdown_shows_the_text_it_was_given(name):
    wanted = visible(" ".join(name.split()))
    (block,) = MarkdownIt("commonmark").enable("strikethrough").parseInline(inline(name))
    assert {one.type for one in block.children} <= {"text", "text_special"}
    assert "".join(one.content for one in block.children) == wanted


@given(names, st.sampled_from(LOOKS))
def test_a_view_in_markdown_has_the_blocks_that_are_ours_alone(name, look):
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    def kinds(text):
        view = View((Line(text, look), Table((text, "n"), [(text, "1")], caption=text)))
        parts = reader.parse(markdown(view))
        flat = [one for part in parts for one in (part, *(part.children or ()))]
        return [one.type for one in flat if not one.type.startswith("text")]

    if visible(" ".join(name.split())):
        assert kinds(f"x{name}x") == kinds("x")
        assert kinds(name) == kinds("x")


def test_code_in_markdown_cannot_leave_its_fence():
    (block,) = MarkdownIt("commonmark").parse(markdown(View((Line("a\n```\n<b>", "code"),))))
    assert block.content == "a\n```\n<b>\n"


@given(st.lists(names, min_size=1, max_size=3))
def test_no_cell_of_csv_for_people_is_a_formula(row):
    ((*read,),) = csv.reader(io.StringIO(csv_for_people([row]), newline=""))
    for cell, name in zip(read, row, strict=True):
        assert cell.removeprefix("'") == visible(name).removeprefix("'")
        assert len(cell) < 2 or cell[0] not in "=+-@\t" or float(cell) is not None


def test_numbers_of_csv_for_people_stay_numbers():
    assert csv_for_people([(-1, -0.5, "-0.5", "+inf", "-", None)]) == "-1,-0.5,-0.5,+inf,-,\n"


def test_a_plot_shows_every_name_as_it_is():
    name = "".join(ODD_NAMES)
    series = [Series(one, [1], [0], [0], [2]) for one in ODD_NAMES[-3:]]
    plot = Plot(name, name, name, series, (0, 3), rows=ODD_NAMES)
    figure = Figure([[plot]], title=name)

    def draw():
        return Drawing("odd", drawn(figure), "", "label\0<b>", {})

    svg = inline_svg(laid_out(draw))
    assert not ODD.search(svg)
    assert "<b>" not in svg
    assert "price$x_{$" in svg


def test_a_legend_has_names_that_begin_with_an_underscore():
    series = [Series("_hidden", [1], [0], [0], [2])]
    shown = drawn(Figure([[Plot("", "", "", series, (1, 3))]]))
    assert [text.get_text() for text in shown.legends[0].get_texts()] == ["_hidden"]
