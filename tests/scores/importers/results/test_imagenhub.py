import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError
from flasheval.scores.importers import import_scores


def test_the_mean_over_the_raters(write):
    folder = write(
        {
            "T2I/T2I_rater1.tsv": "uid\ta\tb\nx.jpg\t[0.5, 1]\t[0,0]\ny.jpg\t[1,1]\t\n",
            "T2I/T2I_rater2.tsv": "uid\ta\nx.jpg\t[1,0]\ny.jpg\t[0,1]\n",
            "T2I/notes.txt": "x",
        }
    )
    result = import_scores("imagenhub", folder)
    table = result.table
    assert table.metrics == ("SC", "PQ")
    np.testing.assert_array_equal(table["SC"].values, [[0.75, 0.5], [0, np.nan]])
    np.testing.assert_array_equal(table["PQ"].values, [[0.5, 1], [0, np.nan]])
    assert "1 to 2 raters a prompt; 2 of 8 scores are missing" in result.how
    assert load_scores(folder / "T2I" / "T2I_rater1.tsv")["SC"].values[0].tolist() == [0.5, 1]


def test_a_damaged_cell_and_several_tasks_are_named(write):
    folder = write({"T_rater1.tsv": "uid\ta\nx\t[0.5,1]\ny\t[0.5\n"})
    with pytest.raises(DataError, match=r"T_rater1\.tsv row 2: column 'a' is '\[0\.5'; expected a"):
        load_scores(folder)
    write({"T_rater1.tsv": "uid\ta\nx\t[0,1]\n", "more/U_rater1.tsv": "uid\ta\nx\t[0,1]\n"})
    with pytest.raises(DataError, match=r"2 tasks, each of other prompts \(T, U\); name the"):
        load_scores(folder)
