import csv
import io

import numpy as np
import pytest

from flasheval import load_scores
from flasheval.base.errors import DataError


def table_of(*rows):
    """The text of a file: a row is the index and the verdicts."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["index", "testpoint", "prompt", "img_path", "output", "result_json"])
    for index, verdicts in rows:
        writer.writerow([index, "['Style']", f"Thing {index}, it's", "x.png", "", verdicts])
    return out.getvalue()


def test_the_share_of_test_points_met(write):
    verdicts = "{'prompt': \"it's\", 'score': [1, 0]}"
    folder = write(
        {
            "a_output.csv": table_of((0, verdicts), (0, "{'score': [1, 1]}"), (1, "")),
            "b_output.csv": table_of((0, '{"score": [0, 0]}'), (1, "{'score': [1]}")),
        }
    )
    table = load_scores(folder)
    assert table.variant_names == ("a", "b")
    assert table.prompts.texts == ("Thing 0, it's", "Thing 1, it's")
    np.testing.assert_array_equal(table["testpoints"].values, [[0.75, np.nan], [0, 1]])


@pytest.mark.parametrize("verdicts", ["{'score': [1", "__import__('os')", "{'score': 'x'}"])
def test_what_is_no_dict_is_named_and_never_run(write, verdicts):
    folder = write({"a_output.csv": table_of((0, "{'score': [1]}"), (1, verdicts))})
    with pytest.raises(DataError, match=r"a_output\.csv row 2: result_json is .*; expected"):
        load_scores(folder)
