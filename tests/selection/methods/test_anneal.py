from itertools import combinations

import numpy as np
import pytest

from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.smooth_loss import smooth_loss


@pytest.mark.parametrize("n_metrics", [1, 2])
def test_the_loss_reported_is_that_of_the_subset(a_problem, n_metrics):
    problem = a_problem(n_metrics=n_metrics, required=[3])
    found = drive(Anneal(swaps=5_000), problem, np.random.default_rng(0))
    loss = smooth_loss(problem, inflation=2.0)
    expected = loss.of_sets(found.selection.indices[None])[0]
    assert found.history[-1]["loss"] == pytest.approx(expected, rel=1e-9)
    losses = [row["loss"] for row in found.history]
    assert losses == sorted(losses, reverse=True)
    assert [row["swaps"] for row in found.history] == [2_000, 4_000, 5_000]
    assert found.sets == 5_000


def test_the_current_sums_do_not_drift_away(a_problem):
    problem = a_problem()
    selector = Anneal(swaps=6_000, hot=1.0, cold=1.0)  # nearly every swap is accepted
    work = selector.prepare(problem)
    state = selector.start(work, np.random.default_rng(0))
    while not state.done:
        selector.step(work, state)
        chosen = state.arrays["chosen"]
        assert len(set(chosen.tolist())) == problem.size
        assert state.arrays["best_loss"][0] <= work.loss.of_sets(chosen[None])[0]
        best = work.loss.of_sets(state.arrays["best"][None])[0]
        assert state.arrays["best_loss"][0] == pytest.approx(best, rel=1e-9)
    accepted = sum(row["accepted"] for row in state.history)
    assert accepted > 4_000


def test_cold_it_only_goes_down(a_problem):
    problem = a_problem()
    selector = Anneal(swaps=4_000, hot=1e-12, cold=1e-12)
    work = selector.prepare(problem)
    state = selector.start(work, np.random.default_rng(0))
    while not state.done:
        selector.step(work, state)
        np.testing.assert_array_equal(state.arrays["chosen"], state.arrays["best"])


def test_small_problems_are_solved(a_problem):
    problem = a_problem(n_prompts=14, size=3)
    every = np.array(list(combinations(range(14), 3)))
    best = smooth_loss(problem, inflation=2.0).of_sets(every).min()
    found = drive(Anneal(), problem, np.random.default_rng(0))
    assert found.history[-1]["loss"] == pytest.approx(best, rel=1e-9)


def test_a_set_of_all_prompts_has_no_steps(a_problem):
    found = drive(Anneal(), a_problem(size=60), np.random.default_rng(0))
    assert (found.history, found.sets) == ([], 0)
    assert sorted(found.selection.indices.tolist()) == list(range(60))
