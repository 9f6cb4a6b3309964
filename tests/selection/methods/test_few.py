"""With few search variants a part of the prompts is drawn."""

import numpy as np
import pytest

from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.few import drawn_after, searched_size
from flasheval.selection.methods.nested import run_nested
from flasheval.selection.methods.pooled import Pooled
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.saved_state import load_state, save_state
from flasheval.selection.methods.shared import Shared

METHODS = [Pooled(), Shared(), Anneal(swaps=2000)]


def _problem(n, size, seed=0, **rest):
    scores = np.random.default_rng(seed).normal(size=(n, 120)).astype(np.float32)
    return make_problem([scores], ["m"], size, **rest)


@pytest.mark.parametrize(
    ("n", "size", "searched"),
    [(2, 50, 14), (5, 50, 20), (19, 50, 48), (20, 50, 50), (5, 10, 10), (5, 11, 10), (12, 30, 22)],
)
def test_the_share_by_hand(n, size, searched):
    assert searched_size(_problem(n, size)) == searched


def test_required_prompts_are_searched_for_and_all_prompts_leave_no_choice():
    assert searched_size(_problem(2, 50, required=range(30))) == 30
    assert searched_size(_problem(2, 120)) == 120


@pytest.mark.parametrize("method", METHODS, ids=[one.name for one in METHODS])
def test_a_subset_is_whole_and_what_is_drawn_does_not_go_by_scores(method):
    found = [
        drive(method, _problem(6, 40, seed, required=[3], forbidden=[7, 8]), rng).selection
        for seed, rng in ((0, np.random.default_rng(5)), (1, np.random.default_rng(5)))
    ]
    for one in found:
        assert len(set(one.indices.tolist())) == 40
        assert one.indices[0] == 3
        assert not {7, 8} & set(one.indices.tolist())
    chosen = {*found[0].indices[:19].tolist(), *found[1].indices[:19].tolist()}
    drawn = [[p for p in one.indices[19:].tolist() if p not in chosen] for one in found]
    both = min(map(len, drawn))
    assert both > 10
    assert drawn[0][:both] == drawn[1][:both]


def test_prompts_drawn_count_as_much_as_those_chosen_on_average():
    found = drive(Pooled(), _problem(6, 40), np.random.default_rng(0)).selection
    assert found.weights is not None
    np.testing.assert_allclose(found.weights[19:], found.weights[:19].mean(), atol=1e-5)
    assert found.weights.mean() == pytest.approx(1.0)


@pytest.mark.parametrize("method", METHODS, ids=[one.name for one in METHODS])
def test_nested_sizes_stay_prefixes(method):
    nested = run_nested(method, _problem(6, 40), (10, 40), np.random.default_rng(0)).selection
    small = run_nested(method, _problem(6, 10), (10, 40), np.random.default_rng(0)).selection
    assert nested.indices[:10].tolist() == small.indices[:10].tolist()
    assert len(set(nested.indices.tolist())) == 40


def test_an_interrupted_search_goes_on_to_the_same_prompts(tmp_path):
    problem, method = _problem(6, 40), Pooled()
    whole = drive(method, problem, np.random.default_rng(0)).selection
    work = method.prepare(problem)
    state = method.start(work, np.random.default_rng(0))
    while not state.done:
        method.step(work, state)
        save_state(state, tmp_path / "state.npz", key="k")
        state = load_state(tmp_path / "state.npz", key="k")
    assert method.best(work, state).indices.tolist() == whole.indices.tolist()


def test_what_is_drawn_keeps_kinds_in_balance():
    kinds = np.eye(4)[np.repeat(np.arange(4), 50)].T
    kinds -= kinds.mean(axis=1, keepdims=True)
    order = np.random.default_rng(0).permutation(200)
    chosen = np.arange(10)  # all of the first kind
    drawn = drawn_after(chosen, 30, order, kinds)
    counts = np.bincount(np.concatenate([chosen, drawn]) // 50, minlength=4)
    assert counts.tolist() == [10, 10, 10, 10]
    assert len(set(drawn.tolist())) == 30


def test_no_more_is_drawn_than_there_is():
    assert drawn_after(np.array([0]), 5, np.array([0, 2, 1])).tolist() == [2, 1]
    few = drawn_after(np.array([0]), 5, np.array([0, 2, 1]), np.zeros((2, 3)))
    assert few.tolist() == [2, 1]
