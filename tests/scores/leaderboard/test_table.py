"""What a leaderboard shows: the answer, tables of any width of names, tags, and its plot."""

import numpy as np
import pytest

import flasheval
from flasheval.base.drawing.markdown import markdown
from flasheval.base.drawing.terminal import as_text
from flasheval.scores import ScoreTable

ODD = ["a [bold]b[/bold]", "c|d", "e $x_1$ f", "g"]


def _scores(n, n_prompts=200, seed=0):
    rng = np.random.default_rng(seed)
    return np.arange(n)[:, None] + rng.normal(size=(n, n_prompts))


def _board(names, metrics=("m",), **settings):
    scores = {metric: _scores(len(names), seed=k) for k, metric in enumerate(metrics)}
    table = ScoreTable.from_arrays(scores, variants=names, prompts=list(range(200)))
    return flasheval.rank(table, draws=500, **settings)


def test_the_answer_comes_first():
    view = _board(["x", "y"]).view()
    assert view.headline == "m: y leads, told apart from all others."
    tied = np.random.default_rng(0).normal(size=(5, 100))
    table = ScoreTable.from_arrays(tied, variants=list("abcde"), prompts=list(range(100)))
    said = flasheval.rank(table).view().headline
    assert "is first, but not told apart from" in said
    assert said.endswith("and 2 more.")
    assert _board(["x"]).view().headline == "m: x is the only variant."


def test_rows_say_rank_mean_interval_ranks_and_groups():
    board = _board(["x", "y", "z"])
    one = board["m"]
    (table,) = board.view().tables
    assert table.titles == ("rank", "variant", "mean", "95%", "ranks", "ties")
    assert [row[:2] for row in table.rows] == [("1", "z"), ("2", "y"), ("3", "x")]
    assert [row[4:] for row in table.rows] == [("1", "a"), ("2", "b"), ("3", "c")]
    assert table.rows[0][3] == f"{one.low[0]:.4g} to {one.high[0]:.4g}"


@pytest.mark.parametrize("length", [2, 20, 60])
def test_metrics_stand_side_by_side_as_far_as_80_columns_hold(length):
    names = [letter * length for letter in "wxyz"]
    board = _board(names, metrics=("first", "second", "third", "fourth"))
    assert max(map(len, as_text(board.view(), width=80).splitlines())) <= 80
    tables = board.view().tables
    sides = [table for table in tables if table.one_line_titles[0] == "variant"]
    assert sum(len(table.titles) - 1 for table in sides) == 8  # mean and ranks of each metric
    assert len(tables) == len(sides) + 1  # and their agreement
    assert len(board.view(detail=True).tables) == 5


def test_names_stand_as_they_are_in_every_drawing():
    board = _board(ODD)
    assert "a [bold]b[/bold]" in str(board)
    assert "c\\|d" in markdown(board.view())
    (figure,) = board.view().figures
    assert list(figure.panels[0][0].rows) == ODD[::-1]
    assert "e $x_1$ f" in board.to_csv()


def test_many_variants_are_cut_in_the_terminal_alone():
    board = _board([f"v{k}" for k in range(130)])
    assert "... 30 more; out=FOLDER writes all" in str(board)
    assert len(board.view().tables[0].rows) == 100
    assert len(board.view(detail=True).tables[0].rows) == 130
    plot = board.view().figures[0].panels[0][0]
    assert len(plot.rows) == 60
    assert plot.title == "m, the first 60 of 130"
    assert board.view().tables[0].rows[0][5] == "1"  # groups have numbers where letters run out


def test_a_tag_has_a_row_a_value():
    table = ScoreTable.from_arrays(_scores(3), variants=list("xyz"), prompts=list(range(200)))
    kinds = {"kind": ("[cat]", "dog") * 100}
    prompts = flasheval.PromptSet("pets", table.prompts.ids, extras=kinds)
    board = flasheval.rank(ScoreTable(prompts, table.variants, table.matrices), by="kind")
    rows = board.view().tables[-1].rows
    assert [row[:3] for row in rows] == [("[cat]", "100", "z"), ("dog", "100", "z")]
    assert [row[3:] for row in rows] == [("100%", "1.00")] * 2
    assert "[cat]" in str(board)


def test_the_plot_tells_the_first_ones_ties_from_the_rest():
    scores = np.random.default_rng(1).normal(size=(4, 200)) + np.array([[0], [5], [0], [5]])
    table = ScoreTable.from_arrays(scores, variants=list("wxyz"), prompts=list(range(200)))
    board = flasheval.rank(table)
    plot = board.view().figures[0].panels[0][0]
    tied, rest = plot.series
    assert (list(tied.y), list(rest.y)) == ([0, 1], [2, 3])
    np.testing.assert_allclose(tied.low, board["score"].low[:2])
    np.testing.assert_allclose(rest.high, board["score"].high[2:])
