import json

import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.selection.methods.saved_state import load_state, save_state
from flasheval.selection.methods.selector import State


def _state(generator=np.random.PCG64):
    rng = np.random.Generator(generator(5))
    rng.random(3)
    rng.integers(0, 9, 3)  # leaves half a word buffered in some generators
    arrays = {
        "chosen": np.array([3, 1, 2]),
        "taus": np.array([0.1, -np.inf]),
        "key": np.array([2**64 - 1], dtype=np.uint64),
        "empty": np.empty((0, 3), dtype=np.float32),
    }
    return State(rng, arrays, step=2, steps=7, sets=40, history=[{"step": 1, "tau": 0.1 + 0.2}])


@pytest.mark.parametrize("generator", ["PCG64", "PCG64DXSM", "Philox", "SFC64", "MT19937"])
def test_a_state_comes_back_whole(tmp_path, generator):
    state = _state(getattr(np.random, generator))
    save_state(state, tmp_path / "s.npz", key="k")
    back = load_state(tmp_path / "s.npz", key="k")
    assert (back.step, back.steps, back.sets, back.history) == (2, 7, 40, state.history)
    assert list(back.arrays) == list(state.arrays)
    for name, array in state.arrays.items():
        assert back.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(back.arrays[name], array)
    np.testing.assert_array_equal(back.rng.random(9), state.rng.random(9))
    np.testing.assert_array_equal(back.rng.integers(0, 99, 9), state.rng.integers(0, 99, 9))


def test_no_file_and_another_key_are_no_state(tmp_path):
    assert load_state(tmp_path / "s.npz", key="k") is None
    save_state(_state(), tmp_path / "s.npz", key="k")
    assert load_state(tmp_path / "s.npz", key="another") is None


def test_a_file_in_place_of_the_folder_holds_no_state(tmp_path):
    (tmp_path / "file").write_text("x")
    assert load_state(tmp_path / "file" / "s.npz", key="k") is None
    with pytest.raises(DataError, match="cannot write"):
        save_state(_state(), tmp_path / "file" / "s.npz", key="k")


def test_the_folder_is_made_and_nothing_else_is_left_behind(tmp_path):
    save_state(_state(), tmp_path / "new" / "s.npz", key="k")
    save_state(_state(), tmp_path / "new" / "s.npz", key="k")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["s.npz"]


def _refused(path):
    """Whether reading fails, and then in one line."""
    try:
        load_state(path, key="k")
    except DataError as error:
        return "not a saved search" in str(error) and "\n" not in str(error)
    return False


def test_a_file_cut_short_is_one_line(tmp_path):
    path = tmp_path / "s.npz"
    save_state(_state(), path, key="k")
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert _refused(path)


def test_any_byte_changed_is_found_or_harmless(tmp_path):
    path = tmp_path / "s.npz"
    save_state(_state(), path, key="k")
    whole = path.read_bytes()
    found = 0
    for place in range(0, len(whole), 3):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        found += _refused(path)
    assert found > len(whole) / 3 * 0.5


@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04", b"\x93NUMPY", b"\x80\x04."])
def test_another_file_is_one_line(tmp_path, content):
    (tmp_path / "s.npz").write_bytes(content)
    assert _refused(tmp_path / "s.npz")


def test_a_folder_is_one_line(tmp_path):
    assert _refused(tmp_path)


FACTS = {
    "key": "k",
    "step": 1,
    "steps": 2,
    "sets": 3,
    "history": [],
    "generator": np.random.PCG64(0).state,
}


@pytest.mark.parametrize(
    "facts",
    [
        [],
        "k",
        {},
        {name: value for name, value in FACTS.items() if name != "step"},
        FACTS | {"generator": None},
        FACTS | {"generator": {"bit_generator": "default_rng"}},
        FACTS | {"generator": {"bit_generator": "PCG64"}},
        FACTS | {"generator": {"bit_generator": "PCG64", "state": 3}},
        FACTS | {"step": "one"},
        FACTS | {"step": None},
        FACTS | {"sets": float("inf")},
        FACTS | {"history": 5},
    ],
)
def test_facts_that_make_no_sense_are_one_line(tmp_path, facts):
    text = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    np.savez(tmp_path / "s.npz", __facts__=text)
    assert _refused(tmp_path / "s.npz")


def test_pickled_arrays_are_refused(tmp_path):
    text = np.frombuffer(json.dumps(FACTS).encode(), dtype=np.uint8)
    np.savez(tmp_path / "s.npz", __facts__=text, evil=np.array([{}], dtype=object))
    assert _refused(tmp_path / "s.npz")


def test_arrays_without_facts_are_one_line(tmp_path):
    np.savez(tmp_path / "s.npz", chosen=np.arange(3))
    assert _refused(tmp_path / "s.npz")
