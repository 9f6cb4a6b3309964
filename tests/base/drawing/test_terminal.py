from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from flasheval.base.drawing.terminal import Terminal, as_text, drawn, plain_table, warning_lines
from flasheval.base.drawing.view import Figure, Line, Table, View


def test_text_for_files_has_no_colour_and_does_not_break_paths() -> None:
    assert "\x1b" not in as_text(*warning_lines(["mind this"]))
    assert as_text("files: " + "x" * 200).count("\n") == 1
    assert as_text("[bold]kept[/bold]") == "[bold]kept[/bold]\n"


def test_names_that_look_like_markup_are_printed_as_they_are() -> None:
    table = Table(("[red]metric", "a\nb"), [("[bold]x[/bold]", ":smile:")], caption="[c]")
    text = as_text(View((Line("[i]said", "headline"), table, Line("[w]", "warning"))))
    assert text.splitlines() == [
        "[i]said",
        "[c]",
        "                      a",
        "[red]metric           b",
        "[bold]x[/bold]  :smile:",
        "warning: [w]",
    ]


def test_the_column_that_counts_is_bold_and_figures_are_not_printed() -> None:
    stream = StringIO()
    view = View((Table(("a", "b"), [("1", "2")], strong=1), Figure([[None]])))
    Console(file=stream, force_terminal=True, color_system="standard").print(drawn(view))
    assert stream.getvalue().count("\x1b[1m2") == 1
    assert len(stream.getvalue().splitlines()) == 2


def test_a_cell_may_bring_its_own_style() -> None:
    table = plain_table(("a",), [(Text("[red]", style="red"),), ("[x]",)])
    assert as_text(table) == "a\n[red]\n[x]\n"


NAME = "stabilityai/stable-diffusion-xl-base-1.0/DPM25-fp16"
LONG = (NAME, "0.9312", "as good as 248 random ones")
TABLE = plain_table(("variant", "held-out tau", "what it is worth"), [LONG, ("b", "0.1", "-")])


def test_where_there_is_no_terminal_no_line_is_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    stream = StringIO()
    Terminal(file=stream).print(TABLE, Text("word " * 60))
    assert [line.split("  ")[0] for line in stream.getvalue().splitlines()[:2]] == [
        "variant",
        LONG[0],
    ]
    assert len(stream.getvalue().splitlines()) == 4


def test_the_environment_says_how_wide_a_pipe_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = StringIO()
    Terminal(file=stream).print(Text("word " * 60))
    assert max(map(len, stream.getvalue().splitlines())) <= 40


@pytest.mark.parametrize("width", range(30, 110, 4))
def test_no_name_and_no_number_is_cut_at_any_width(width: int) -> None:
    text = as_text(TABLE, width=width)
    for word in " ".join(LONG).split():
        assert len(word) > width or word in text.split()
    assert all(len(line) <= max(width, len(LONG[0])) for line in text.splitlines())


@pytest.mark.parametrize("width", [20, 40, 60, 100])
def test_lines_break_between_words_only(width: int) -> None:
    said = f"CLIP: {NAME} leads,\nbut   is not told apart from [b] nor {NAME}."
    for one in (Text(said, "bold"), said, View((Line(said, "headline"),))):
        text = as_text(*([] if isinstance(one, str) else [one]), width=width)
        stream = StringIO()
        if isinstance(one, str):
            Terminal(file=stream, width=width).print(one)
            text = stream.getvalue()
        assert text.split() == said.split()
        assert all(len(line) <= width or " " not in line.strip() for line in text.splitlines())


def test_what_ends_a_line_and_colours_stay_where_a_word_is_too_long() -> None:
    stream = StringIO()
    console = Terminal(file=stream, force_terminal=True, color_system="standard", width=20)
    console.print(Text(f"a {NAME}", "bold"), end="!")
    assert stream.getvalue() == f"\x1b[1ma\x1b[0m\n\x1b[1m{NAME}\x1b[0m!"


def test_the_head_of_a_list_has_the_rank_and_the_name() -> None:
    table = plain_table(
        ("rank", "variant", "mean"), [("1", NAME, "0.5"), ("2", "b", "0.1")], left=2
    )
    assert as_text(table, width=40).splitlines()[:2] == [f"1  {NAME}", "  mean  0.5"]


def test_a_table_that_folds_gives_away_what_is_widest() -> None:
    lines = as_text(TABLE, width=85).splitlines()
    assert [" ".join(line.split()) for line in lines[:3]] == [
        "variant held-out tau what it is worth",
        f"{LONG[0]} 0.9312 as good as 248",
        "random ones",
    ]


def test_a_narrow_terminal_gets_a_list() -> None:
    assert as_text(TABLE, width=55).splitlines() == [
        LONG[0],
        "  held-out tau  0.9312",
        "  what it is worth  as good as 248 random ones",
        "b",
        "  held-out tau  0.1",
        "  what it is worth  -",
    ]
