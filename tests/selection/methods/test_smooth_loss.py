import math

import numba
import numpy as np
import pytest

from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.smooth_loss import smooth_loss
from flasheval.selection.methods.statistics import prompt_statistics


def _by_hand(problem, chosen, inflation):
    total = []
    for block, target in zip(problem.scores, problem.targets(), strict=True):
        sums = block[:, chosen].sum(axis=1, dtype=np.float64)
        sd = math.sqrt(2 * inflation * prompt_statistics(block).noise[chosen].sum())
        wrong = [
            1 / (1 + math.exp(1.702 * (sums[i] - sums[j]) / sd))
            for i in range(len(target))
            for j in range(len(target))
            if target[i] > target[j]
        ]
        total.append(np.mean(wrong))
    return np.mean(total)


@pytest.mark.parametrize("inflation", [1.0, 2.0, 7.5])
@pytest.mark.parametrize("n_metrics", [1, 3])
@pytest.mark.parametrize("n", [2, 3, 5, 17])
def test_kernel_is_the_formula(a_problem, n, n_metrics, inflation):
    problem = a_problem(n=n, n_metrics=n_metrics)
    sets = np.random.default_rng(1).permuted(np.tile(np.arange(60), (20, 1)), axis=1)[:, :7]
    expected = [_by_hand(problem, chosen, inflation) for chosen in sets]
    found = smooth_loss(problem, inflation=inflation).of_sets(sets)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_pairs_that_tie_in_the_full_set_are_left_out():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 8, (5, 12)).astype(np.float32)
    scores = np.stack([rows[0], rows[1], rows[0][::-1], rows[2], rows[1][::-1], rows[3]])
    problem = make_problem([scores], ["m"], 3)
    assert len(np.unique(problem.targets()[0])) == 4
    sets = np.array([[0, 1, 2], [3, 9, 11], [5, 6, 7]])
    expected = [_by_hand(problem, chosen, 2.0) for chosen in sets]
    np.testing.assert_allclose(smooth_loss(problem, inflation=2.0).of_sets(sets), expected)


def test_the_mean_of_all_prompts_is_ordered_right_and_its_reverse_wrong(a_problem):
    problem = a_problem(n_prompts=400)
    everything = np.arange(400)[None]
    right = smooth_loss(problem, inflation=1.0).of_sets(everything)[0]
    assert 0 < right < 0.2


def test_hopeless_margins_do_not_overflow():
    scores = np.array([[0.0] * 3 + [2e6], [1.0] * 3 + [0.0], [2.0] * 3 + [1e6]], dtype=np.float32)
    problem = make_problem([scores], ["m"], 1)
    with np.errstate(all="raise"):
        loss = smooth_loss(problem, inflation=1e-9).of_sets(np.array([[0]]))
    assert 0 <= loss[0] <= 1


def test_any_number_of_threads_gives_the_same_bits(a_problem):
    loss = smooth_loss(a_problem(), inflation=2.0)
    sets = np.random.default_rng(0).integers(0, 60, (300, 5))
    before = numba.get_num_threads()
    found = []
    try:
        for threads in {1, before}:
            numba.set_num_threads(threads)
            found.append(loss.of_sets(sets))
    finally:
        numba.set_num_threads(before)
    assert all(np.array_equal(one, found[0]) for one in found)
