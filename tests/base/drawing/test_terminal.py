from io import StringIO

from rich.console import Console
from rich.text import Text

from flasheval.base.drawing.terminal import as_text, drawn, plain_table, warning_lines
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
