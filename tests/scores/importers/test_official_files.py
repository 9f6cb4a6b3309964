import json

import numpy as np
import pytest

from flasheval.prompts import PromptSet
from flasheval.scores.importers.official_files import (
    Rejected,
    check_owner,
    place_scores,
    read_score_file,
)


def _file(tmp_path, content, name="a.json"):
    path = tmp_path / name
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "problem", "detail"),
    [
        (b"", "empty", "no bytes"),
        (b"{}", "empty", "no scores"),
        (b'{"1": 0.5, "2', "not readable", "cut short"),
        (b"[0.5]", "not readable", "expected a JSON object"),
        (b'{"1": 0.5, "2": "\xe9"}', "not readable", "not UTF-8"),
        (b'{"1": 0.5, "2": "0.5"}', "not numeric", "prompt '2' is '0.5'"),
        (b'{"1": true}', "not numeric", "prompt '1' is True"),
        (b'{"1": {"score": 1}}', "not numeric", "prompt '1' is an object"),
        (b'{"1": [1]}', "not numeric", r"prompt '1' is \[1\]"),
        (b'{"1": 1, "2": 2, "1": 3}', "repeated prompts", "prompt '1' has more than one"),
    ],
)
def test_files_that_give_nothing(tmp_path, content, problem, detail):
    with pytest.raises(Rejected, match=detail) as caught:
        read_score_file(_file(tmp_path, content))
    assert caught.value.problem == problem


def test_a_folder_in_place_of_a_file(tmp_path):
    (tmp_path / "a.json").mkdir()
    with pytest.raises(Rejected, match="is a folder"):
        read_score_file(tmp_path / "a.json")


def test_scores_go_to_the_places_of_their_prompts(tmp_path):
    prompts = PromptSet("set", ("1", "2", "3"))
    for content, expected in (
        ({"1": 1, "2": 2.5, "3": 3}, [1, 2.5, 3]),
        ({"3": 3, "1": 1, "2": 2.5}, [1, 2.5, 3]),
        ({"2": 2.5}, [np.nan, 2.5, np.nan]),
    ):
        out = np.full(3, np.nan, dtype=np.float32)
        assert place_scores(read_score_file(_file(tmp_path, content)), prompts, out) == []
        np.testing.assert_array_equal(out, np.array(expected, dtype=np.float32))


def test_scores_that_are_no_finite_numbers_are_not_measured(tmp_path):
    path = _file(tmp_path, '{"1": NaN, "2": 1, "3": -Infinity, "4": null, "5": 1e300}')
    out = np.full(5, np.nan, dtype=np.float32)
    problems = place_scores(read_score_file(path), PromptSet("set", tuple("12345")), out)
    assert problems[0][0] == "not finite"
    assert "4 scores are NaN, null or infinite, first that of prompt '1'" in problems[0][1]
    np.testing.assert_array_equal(out, np.array([np.nan, 1, np.nan, np.nan, np.nan], np.float32))


def test_strangers_are_left_out_and_said(tmp_path):
    scores = read_score_file(_file(tmp_path, {"1": 1, "9": 9, "2": 2}))
    out = np.full(2, np.nan, dtype=np.float32)
    problems = place_scores(scores, PromptSet("set", ("1", "2")), out)
    assert problems[0][0] == "unknown prompts"
    assert "1 of its 3 prompt ids are not in prompt set 'set', first '9'" in problems[0][1]
    assert out.tolist() == [1, 2]


def test_an_owner_is_told_by_ids(tmp_path):
    prompts = PromptSet("set", tuple(str(i) for i in range(100, 200)))
    strangers = read_score_file(_file(tmp_path, {str(i): 0.5 for i in range(60, 110)}))
    with pytest.raises(Rejected, match="only 10 of its 50 prompt ids are among the 100"):
        check_owner(strangers, prompts, lambda: None)
    own = read_score_file(_file(tmp_path, {str(i): 0.5 for i in range(90, 150)}))
    check_owner(own, prompts, lambda: None)


def test_an_owner_is_told_by_values_where_ids_collide(tmp_path):
    prompts = PromptSet("set", tuple(str(i) for i in range(1, 101)))
    content = {str(i): i / 7 for i in range(1, 51)}
    scores = read_score_file(_file(tmp_path, content))
    check_owner(scores, prompts, lambda: None)
    changed = {**content, "1": 99.0, "2": 98.0}
    twin = _file(tmp_path, changed, "twin.json")
    with pytest.raises(Rejected, match="48 of its scores are those of") as caught:
        check_owner(scores, prompts, lambda: twin)
    assert caught.value.problem == "another data set"
    by_chance = _file(tmp_path, {str(i): (1 if i > 5 else i / 7) for i in range(1, 51)}, "b.json")
    check_owner(scores, prompts, lambda: by_chance)
    check_owner(scores, prompts, lambda: _file(tmp_path, b"{}", "c.json"))


def test_a_file_that_fits_exactly_is_its_own_owner(tmp_path):
    # The other data set's tree holds a copy of it: that is the other tree's fault.
    prompts = PromptSet("set", ("1", "2"))
    scores = read_score_file(_file(tmp_path, {"2": 2, "1": 1}))
    twin = _file(tmp_path, {"2": 2, "1": 1}, "twin.json")
    check_owner(scores, prompts, lambda: twin)
