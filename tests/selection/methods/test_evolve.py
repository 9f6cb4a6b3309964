from itertools import combinations, pairwise

import numpy as np
import pytest

from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.evolve import Evolve, _cross, _fill, _fill_all, _first_of_each
from flasheval.selection.methods.set_scores import set_scores
from flasheval.selection.methods.smooth_loss import smooth_loss
from flasheval.selection.methods.statistics import prompt_statistics

SMALL = Evolve(population=20, generations=15)


def _walk(selector, problem, seed=0):
    work = selector.prepare(problem)
    state = selector.start(work, np.random.default_rng(seed))
    yield work, state
    while not state.done:
        selector.step(work, state)
        yield work, state


@pytest.mark.parametrize("n_metrics", [1, 2])
def test_the_population_is_legal_sorted_and_scored_right(a_problem, n_metrics):
    problem = a_problem(n_metrics=n_metrics, required=[4, 9], forbidden=[5])
    scores, loss = set_scores(problem), smooth_loss(problem, inflation=2.0)
    for _, state in _walk(SMALL, problem):
        members, tau = state.arrays["members"], state.arrays["tau"]
        assert members.shape == (20, 4)
        assert (np.diff(members, axis=1) > 0).all()
        assert np.isin(members, problem.allowed).all()
        np.testing.assert_array_equal(tau, scores.of_sets(members.astype(np.int32)))
        whole = np.hstack([np.tile([4, 9], (20, 1)), members])
        np.testing.assert_allclose(state.arrays["loss"], loss.of_sets(whole), rtol=1e-12)
        order = np.lexsort((state.arrays["loss"], -tau))
        assert (order == np.arange(20)).all()


def test_the_best_set_is_never_lost(a_problem):
    history = drive(SMALL, a_problem(), np.random.default_rng(0)).history
    fitness = [(row["best_tau"], -row["best_loss"]) for row in history]
    assert all(later >= earlier for earlier, later in pairwise(fitness))
    assert fitness[-1] > fitness[0]


def test_it_stops_when_nothing_gets_better(a_problem):
    problem = a_problem(n_prompts=6, size=2)
    found = drive(Evolve(population=30, stagnation=4), problem, np.random.default_rng(0))
    assert len(found.history) < 30
    tail = found.history[-5:]
    assert len({(row["best_tau"], row["best_loss"]) for row in tail}) == 1


def test_small_problems_are_solved(a_problem):
    problem = a_problem(n_prompts=12, size=3)
    every = np.array(list(combinations(range(12), 3)), dtype=np.int32)
    best = set_scores(problem).of_sets(every).max()
    found = drive(Evolve(population=50), problem, np.random.default_rng(0)).selection
    assert set_scores(problem).of_sets(found.indices[None].astype(np.int32))[0] == best


def test_new_prompts_come_by_discrimination(a_problem):
    problem = a_problem(n_prompts=40, size=1)
    work = SMALL.prepare(problem)
    rng = np.random.default_rng(0)
    empty = np.empty(0, np.int64)
    drawn = np.bincount([_fill(work, empty, rng)[0] for _ in range(20_000)], minlength=40)
    sharpness = np.maximum(prompt_statistics(problem.scores[0]).discrimination, 0)
    expected = sharpness / sharpness.mean()
    expected = (expected + 1e-3 * expected.mean()) / (40 * 1.001)
    np.testing.assert_allclose(drawn / 20_000, expected, atol=0.006)


@pytest.mark.parametrize("size", [58, 59, 60])
def test_sets_of_nearly_all_prompts_are_filled_without_end(a_problem, size):
    problem = a_problem(size=size)
    work = SMALL.prepare(problem)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        kept = np.array([3, 8])
        full = _fill(work, kept, rng)
        assert len(np.unique(full)) == size
        assert np.isin(kept, full).all()


def test_first_of_each_distinct_row():
    rows = np.array([[1, 2], [3, 4], [1, 2], [0, 9], [3, 4]])
    assert _first_of_each(rows).tolist() == [0, 1, 3]


def test_a_child_takes_its_prompts_evenly_from_the_union_of_its_parents():
    mothers, fathers = np.tile([1, 2, 3], (20_000, 1)), np.tile([9, 3, 4], (20_000, 1))
    children = _cross(mothers, fathers, np.random.default_rng(0))
    assert all(len(set(child)) == 3 for child in children.tolist())
    counts = np.bincount(children.ravel(), minlength=10)
    assert counts[[0, 5, 6, 7, 8]].sum() == 0
    np.testing.assert_allclose(counts[[1, 2, 3, 4, 9]] / 20_000, 3 / 5, atol=0.02)


def test_filling_keeps_what_is_there_and_adds_distinct_prompts(a_problem):
    work = SMALL.prepare(a_problem(size=5, forbidden=[7]))
    rows = np.tile([3, -1, 8, -1, -1], (500, 1))
    full = _fill_all(work, rows, np.random.default_rng(0))
    assert (np.diff(full, axis=1) > 0).all()
    assert all({3, 8} <= set(row) and 7 not in row for row in full.tolist())
