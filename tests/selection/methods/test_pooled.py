"""`pooled`: the balanced loss with near pairs, noise weights and borrowed metrics."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from flasheval.selection.methods.balance import BalanceSettings
from flasheval.selection.methods.balanced import Balanced
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.few import searched_size
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.nested import run_nested
from flasheval.selection.methods.pooled import Pooled, borrowed_share
from flasheval.selection.methods.problem import make_problem


def _find(selector, problem, seed=0):
    return drive(selector, problem, np.random.default_rng(seed)).selection


def _with_hints(a_problem, n=14, size=6, **rest):
    other = a_problem(n=n, size=size, seed=77).scores
    return a_problem(n=n, size=size, hints=Hints(other), **rest)


def test_its_loss_is_shaped_by_its_settings_and_the_problem(a_problem):
    found = Pooled(noise_weight=1.5, passes=3, screen=99, nearness=0.4, borrow=2.0).settings(
        a_problem(n=24, size=10)
    )
    share = 2.0 * (12 / 24) ** 1.5 * 10 / 50
    expected = BalanceSettings(1.5, 3, 99, nearness=0.4, weighted=True, borrow=share)
    assert replace(found, borrow=share) == expected
    assert found.borrow == pytest.approx(share)
    plain = Balanced(1.5, 3, 99).settings(a_problem())
    assert plain == BalanceSettings(1.5, 3, 99, nearness=1.0, weighted=False, borrow=0.0)


def test_unweighted_with_wide_pairs_and_nothing_borrowed_it_is_balanced(a_problem):
    class Plain(Pooled):
        def settings(self, problem):
            return replace(super().settings(problem), weighted=False)

    problem = _with_hints(a_problem, n_metrics=2, required=[8])
    found = drive(Plain(nearness=1.0, borrow=0.0), problem, np.random.default_rng(0))
    same = drive(Balanced(), problem, np.random.default_rng(0))
    np.testing.assert_array_equal(found.selection.indices, same.selection.indices)
    assert found.selection.weights is same.selection.weights is None
    assert found.history == same.history


def test_what_is_borrowed_changes_the_choice_and_only_then(a_problem):
    alone, hinted = a_problem(), _with_hints(a_problem)
    found = {
        (name, borrow): _find(Pooled(borrow=borrow), problem)
        for name, problem in (("alone", alone), ("hinted", hinted))
        for borrow in (0.0, 1.0, 50.0)
    }
    same = found["alone", 0.0]
    for key in (("alone", 1.0), ("alone", 50.0), ("hinted", 0.0)):
        np.testing.assert_array_equal(found[key].indices, same.indices)
        np.testing.assert_array_equal(found[key].weights, same.weights)
    assert set(found["hinted", 50.0].indices.tolist()) != set(same.indices.tolist())


def test_families_alone_change_nothing(a_problem):
    families = a_problem(hints=Hints(groups=tuple("ab" * 7)))
    there, back = _find(Pooled(), a_problem()), _find(Pooled(), families)
    np.testing.assert_array_equal(there.indices, back.indices)


def test_a_hint_in_which_all_variants_tie_changes_nothing(a_problem):
    other = a_problem(seed=77).scores[0]
    flat = np.tile(other[:1], (14, 1))
    there = _find(Pooled(borrow=9.0), a_problem(hints=Hints((other,))))
    back = _find(Pooled(borrow=9.0), a_problem(hints=Hints((flat, other))))
    np.testing.assert_array_equal(there.indices, back.indices)
    np.testing.assert_array_equal(there.weights, back.weights)


def _few_variants_and_prompts_noisy_in_every_metric(seed, n_unseen=40):
    """Scores [variants, prompts] of a served metric and of two others; the first 8 are searched."""
    rng = np.random.default_rng(seed)
    noise = np.where(np.arange(200) < 100, 0.4, 3.0)
    quality = rng.normal(size=(8 + n_unseen, 1))
    return [
        (quality + noise * rng.normal(size=(8 + n_unseen, 200))).astype(np.float32)
        for _ in range(3)
    ]


def test_other_metrics_tell_the_noisy_prompts_and_so_help_unseen_variants():
    noisy, tau = {0.0: 0, 1.0: 0}, {0.0: 0.0, 1.0: 0.0}
    for seed in range(6):
        served, *others = _few_variants_and_prompts_noisy_in_every_metric(seed)
        hints = Hints(tuple(others)).take(np.arange(8))
        problem = make_problem([served[:8]], ["m"], 50, hints=hints)
        for borrow in noisy:
            found = _find(Pooled(borrow=borrow), problem)
            chosen = found.indices[: searched_size(problem)]  # the others are drawn at random
            noisy[borrow] += int((chosen >= 100).sum())
            means = np.average(served[8:, found.indices], axis=1, weights=found.weights)
            tau[borrow] += kendalltau(means, served[8:].mean(axis=1)).statistic / 6
    assert noisy[1.0] < 0.8 * noisy[0.0]
    assert tau[1.0] > tau[0.0]


def test_the_borrowed_share_by_hand():
    assert borrowed_share(12, 50) == borrowed_share(2, 1000) == 1.0
    assert borrowed_share(48, 50) == pytest.approx(1 / 8)
    assert borrowed_share(12, 5) == pytest.approx(0.1)
    assert borrowed_share(27, 25) == pytest.approx((4 / 9) ** 1.5 / 2)


@given(st.integers(2, 500), st.integers(1, 1000))
def test_the_borrowed_share_falls_with_variants_and_grows_with_the_size(n, size):
    share = borrowed_share(n, size)
    assert 0.0 < share <= 1.0
    assert borrowed_share(n + 1, size) <= share <= borrowed_share(n, size + 1)


@pytest.mark.parametrize("n", [2, 3, 5, 14])
def test_it_runs_with_all_that_a_search_may_ask_for(a_problem, n):
    start = [5, 6, 7, 0]
    problem = _with_hints(a_problem, n=n, required=[41, 7], forbidden=[0, 1], warm_start=start)
    found = _find(Pooled(), problem)
    assert found.indices[:2].tolist() == [41, 7]
    assert not np.isin(found.indices, [0, 1]).any()
    assert len(np.unique(found.indices)) == len(found.weights) == 6
    assert found.weights.mean() == pytest.approx(1.0, abs=1e-5)
    greedy = _find(Pooled(passes=0), problem)
    assert greedy.indices[2:4].tolist() == [5, 6]  # the warm start, but what is required already


def test_prefixes_of_a_nested_search_keep_their_weights_in_proportion(a_problem):
    nested = run_nested(Pooled(), _with_hints(a_problem), (3, 6), np.random.default_rng(0))
    small = _find(Pooled(), _with_hints(a_problem, size=3))
    first = nested.selection.first(3)
    np.testing.assert_array_equal(first.indices, small.indices)
    np.testing.assert_allclose(first.weights / first.weights.mean(), small.weights, rtol=1e-5)


def test_offsets_scales_and_directions_change_nothing(a_problem):
    problem = _with_hints(a_problem)
    there = _find(Pooled(borrow=9.0), problem)
    turned = replace(
        problem,
        scores=tuple(-4.0 * block for block in problem.scores),
        hints=Hints(tuple(-8.0 * block for block in problem.hints.scores)),
    )
    back = _find(Pooled(borrow=9.0), turned)
    np.testing.assert_array_equal(there.indices, back.indices)
    np.testing.assert_allclose(there.weights, back.weights, rtol=2e-6)
