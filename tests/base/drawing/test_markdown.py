from flasheval.base.drawing.markdown import inline, markdown, markdown_table
from flasheval.base.drawing.view import Figure, Line, Table, View


def test_a_bar_in_a_cell_is_escaped() -> None:
    assert markdown_table(["a"], [[inline("x|y")]])[2] == "| x\\|y |"


def test_a_bar_in_a_title_too() -> None:
    view = View((Table(("a|b",), ()),))
    assert markdown(view) == "| a\\|b |\n| --- |\n"


def test_a_view_is_blocks_parted_by_one_empty_line():
    table = Table(("\nmetric", "held-out\ntau"), [("a|b", "0.5")], caption="random:8")
    shown = markdown(
        View(
            (
                Line("a is best", "headline"),
                Line("a note", "note"),
                Line(""),
                table,
                Figure([[None]], caption="agreement"),
                Line("two\nlines", "item"),
                Line("another", "item"),
                Line("mind this", "warning"),
            )
        ),
        image="a.png",
    )
    assert shown.split("\n\n") == [
        "**a is best**",
        "*a note*",
        "### random:8",
        "| metric | held-out tau |\n| --- | --- |\n| a\\|b | 0.5 |",
        "![agreement](a.png)",
        "- two lines\n- another",
        "Warnings:",
        "- mind this\n",
    ]


def test_warnings_under_their_chapter_need_no_heading_and_no_image_no_figure():
    view = View((Line("Warnings", "chapter"), Line("a", "warning"), Figure([[None]])))
    assert markdown(view) == "## Warnings\n\n- a\n"
