import json

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.methods.driver import SearchOutcome
from flasheval.selection.methods.selector import Selection

OUTCOME = SearchOutcome(
    Selection(np.array([5, 2, 9]), np.array([1.0, 1 / 3, 1e-17])),
    [{"step": 1, "tau": 0.1 + 0.2}, {"step": 2, "tau": -1.0}],
    sets=300,
    seconds=0.123,
)


def _same(first, second):
    np.testing.assert_array_equal(first.selection.indices, second.selection.indices)
    np.testing.assert_array_equal(first.selection.weights, second.selection.weights)
    assert (first.history, first.sets, first.seconds) == (
        second.history,
        second.sets,
        second.seconds,
    )


@pytest.mark.parametrize("weights", [None, OUTCOME.selection.weights])
def test_a_finished_search_comes_back_whole(tmp_path, weights):
    store = FinishedSearches(tmp_path / "units", "context")
    outcome = SearchOutcome(Selection(np.array([5, 2, 9]), weights), OUTCOME.history, 300, 0.123)
    assert store.read("a" * 32) is None
    store.write("a" * 32, outcome)
    _same(store.read("a" * 32), outcome)
    assert store.read("a" * 32).selection.indices.dtype == np.int64


def test_keys_tell_every_search_apart(tmp_path):
    store, other = FinishedSearches(tmp_path, "context"), FinishedSearches(tmp_path, "another")
    keys = {
        store.key([0, 1], [10]),
        store.key([0, 2], [10]),
        store.key([0, 1], [20]),
        store.key([0, 1], [10, 20]),
        store.key([0], [1, 10]),
        other.key([0, 1], [10]),
    }
    assert len(keys) == 6
    assert all(len(key) == 32 and key.isalnum() for key in keys)
    assert store.key((0, 1), (10,)) == store.key([0, 1], [10])
    assert store.state_file("k").parent == tmp_path


def test_numbers_json_has_no_word_for_are_left_out(tmp_path):
    store = FinishedSearches(tmp_path, "context")
    row = {"step": 1, "loss": np.inf, "tau": float("nan")}
    store.write("k", SearchOutcome(OUTCOME.selection, [row]))
    assert store.read("k").history == [{"step": 1}]


def test_a_damaged_unit_is_no_unit(tmp_path):
    store = FinishedSearches(tmp_path, "context")
    store.write("k", OUTCOME)
    path = tmp_path / "k.json"
    whole = path.read_text()
    for length in range(len(whole)):
        path.write_text(whole[:length])
        assert store.read("k") is None
    for changed in (
        whole.replace("300", "301"),
        whole.replace("[5, 2, 9]", "[5, 2, 8]"),
        "[]",
        "null",
        json.dumps({"check": "x"}),
        whole.replace('"check"', '"chuck"'),
        "[" * 100_000,
    ):
        assert changed != whole
        path.write_text(changed)
        assert store.read("k") is None
    path.write_bytes(b"\xff")
    assert store.read("k") is None
    path.write_text(whole)
    _same(store.read("k"), OUTCOME)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot write") as caught:
        FinishedSearches(tmp_path / "file", "context").write("k", OUTCOME)
    assert "\n" not in str(caught.value)
    assert FinishedSearches(tmp_path / "file", "context").read("k") is None
    with pytest.raises(DataError, match=r"folder=.*file: File exists; name a folder"):
        FinishedSearches(tmp_path / "file", "context").ready()


def test_a_store_can_be_made_ready_before_any_work(tmp_path):
    store = FinishedSearches(tmp_path / "new" / "units", "context")
    assert store.ready() is store
    assert store.ready().folder.is_dir()


def test_only_the_states_of_a_finished_search_are_dropped(tmp_path):
    store = FinishedSearches(tmp_path, "context")
    mine, other = "a" * 32, "b" * 32
    for name in (f"{mine}.npz", f"{mine}-10.npz", f"{mine}.json", f"{other}.npz"):
        (tmp_path / name).write_text("")
    store.drop_states(mine)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{mine}.json", f"{other}.npz"]
