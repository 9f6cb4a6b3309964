from flasheval.base.text import markdown_table


def test_a_bar_in_a_cell_is_escaped() -> None:
    assert markdown_table(["a"], [["x|y"]])[2] == "| x\\|y |"


def test_a_bar_in_a_title_too() -> None:
    assert markdown_table(["a|b"], []) == ["| a\\|b |", "| --- |"]
