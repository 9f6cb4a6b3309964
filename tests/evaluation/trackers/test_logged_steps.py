import json

import pytest

from flasheval.base.errors import DataError
from flasheval.evaluation.trackers.logged_steps import LoggedSteps


def test_what_is_noted_is_known_to_the_next_one(tmp_path):
    path = tmp_path / "new" / "steps.json"
    first = LoggedSteps(path)
    assert not path.exists()
    assert first.note("scalars", 10)
    assert not first.note("scalars", 10)
    assert first.note("reports", 10)
    assert first.note("subsets", "abc")
    again = LoggedSteps(path)
    assert not again.note("scalars", 10)
    assert not again.note("subsets", "abc")
    assert again.note("scalars", 5)
    assert again.count("scalars", "reports") == 3
    assert json.loads(path.read_text())["scalars"] == [10, 5]


@pytest.mark.parametrize("text", ["[1]", '{"scalars": 3}', "{", ""])
def test_another_file_is_refused(tmp_path, text):
    path = tmp_path / "steps.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"steps.json"):
        LoggedSteps(path)
