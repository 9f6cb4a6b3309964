"""`ridge`: weights by ridge regression, against the normal equations and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.nested import run_nested
from flasheval.selection.methods.problem import make_problem
from flasheval.selection.methods.random import Random
from flasheval.selection.methods.ridge import Ridge, ridge_weights


def _find(selector, problem, seed=0):
    return drive(selector, problem, np.random.default_rng(seed)).selection


def _data(n, size, n_metrics=1, seed=0):
    rng = np.random.default_rng(seed)
    targets = [rng.normal(size=n) for _ in range(n_metrics)]
    noise = np.exp(rng.normal(size=size))
    chosen = [
        target[:, None] + noise * rng.normal(size=(n, size)) + rng.normal(size=size)
        for target in targets
    ]
    return chosen, targets


def _by_hand(chosen, targets):
    """Refit without each row in turn, for every strength, by the normal equations."""
    size = chosen[0].shape[1]
    rows, rest = [], []
    for scores, target in zip(chosen, targets, strict=True):
        mean = scores.mean(axis=1)
        slope, intercept = np.polyfit(mean, (target - target.mean()) / target.std(), 1)
        rows.append(slope * (scores - scores.mean(axis=0)) / size)
        rest.append((target - target.mean()) / target.std() - intercept - slope * mean)
    matrix, residual = np.vstack(rows), np.concatenate(rest)
    unit = np.sum(matrix**2) / min(matrix.shape)

    def fit(kept, strength):
        part = matrix[kept]
        normal = part.T @ part + strength * unit * np.eye(size)
        return np.linalg.solve(normal, part.T @ residual[kept])

    everyone = np.arange(len(matrix))
    strengths = np.geomspace(1e-2, 1e4, 25)
    errors = [
        sum((residual[i] - matrix[i] @ fit(everyone != i, one)) ** 2 for i in everyone)
        for one in strengths
    ]
    weights = np.maximum(1.0 + fit(everyone >= 0, strengths[int(np.argmin(errors))]), 0.0)
    return weights / weights.mean()


@pytest.mark.parametrize(
    ("n", "size", "n_metrics"), [(12, 5, 1), (12, 30, 1), (9, 20, 3), (40, 10, 2), (5, 4, 1)]
)
@pytest.mark.parametrize("seed", range(3))
def test_weights_are_those_of_the_best_leave_one_out_fit(n, size, n_metrics, seed):
    chosen, targets = _data(n, size, n_metrics, seed)
    expected = _by_hand(chosen, targets)
    np.testing.assert_allclose(ridge_weights(chosen, targets), expected, rtol=1e-6, atol=1e-7)
    if n > 5:  # not the trivial answer
        assert np.abs(expected - 1.0).max() > 5e-5


def test_nothing_that_differs_leaves_every_weight_at_one():
    target = np.array([0.0, 1.0, 5.0])
    np.testing.assert_array_equal(ridge_weights([np.full((3, 4), 0.1)], [target]), np.ones(4))
    opposed = np.array([[1.0, -1.0], [2.0, -2.0], [-3.0, 3.0]])  # every subset mean is the same
    np.testing.assert_array_equal(ridge_weights([opposed], [target]), np.ones(2))


def test_a_subset_that_follows_exactly_is_left_alone():
    target = np.array([0.3, -1.0, 2.5, 0.0, 0.7])
    weights = ridge_weights([np.outer(target, np.ones(6))], [target])
    np.testing.assert_allclose(weights, np.ones(6), atol=1e-9)


def test_a_noisy_prompt_gets_less_weight():
    rng = np.random.default_rng(0)
    target = rng.normal(size=60)
    noise = np.array([0.3] * 5 + [3.0] * 5)
    weights = ridge_weights([target[:, None] + noise * rng.normal(size=(60, 10))], [target])
    assert weights[:5].min() > 1.0 > weights[5:].max()


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 12), st.integers(1, 12), st.integers(1, 2), st.integers(0, 999))
def test_weights_are_finite_with_mean_one_and_follow_the_prompts(n, size, n_metrics, seed):
    chosen, targets = _data(n, size, n_metrics, seed)
    weights = ridge_weights(chosen, targets)
    assert weights.shape == (size,)
    assert np.isfinite(weights).all()
    assert weights.mean() == pytest.approx(1.0)
    order = np.random.default_rng(seed).permutation(size)
    turned = ridge_weights([block[:, order] for block in chosen], targets)
    np.testing.assert_allclose(turned, weights[order], rtol=1e-6, atol=1e-6)


def test_offsets_scales_directions_and_the_order_of_metrics_change_nothing():
    chosen, targets = _data(20, 8, 2)
    weights = ridge_weights(chosen, targets)
    moved = ridge_weights(
        [-4.0 * chosen[1] + np.arange(8), 8.0 * chosen[0]],
        [-4.0 * targets[1] + 3, 8.0 * targets[0]],
    )
    np.testing.assert_allclose(moved, weights, rtol=1e-9)


def test_the_prompts_are_those_that_random_draws(a_problem):
    problem = a_problem(n_metrics=2, required=[3, 40], forbidden=[1])
    for seed in range(3):
        found = _find(Ridge(), problem, seed)
        np.testing.assert_array_equal(found.indices, _find(Random(), problem, seed).indices)
        chosen = [block[:, found.indices].astype(np.float64) for block in problem.scores]
        expected = ridge_weights(chosen, problem.targets())
        np.testing.assert_allclose(found.weights, expected, rtol=6e-6)
        assert [float(f"{weight:.6g}") for weight in found.weights] == found.weights.tolist()


def test_hints_change_nothing(a_problem):
    hints = Hints(a_problem(seed=77).scores, tuple("ab" * 7))
    there, back = _find(Ridge(), a_problem()), _find(Ridge(), a_problem(hints=hints))
    np.testing.assert_array_equal(there.weights, back.weights)


def test_a_nested_search_has_weights_for_every_prompt(a_problem):
    found = run_nested(Ridge(), a_problem(size=9), (3, 9), np.random.default_rng(0)).selection
    assert len(found.weights) == 9
    part = found.first(3)
    np.testing.assert_array_equal(part.weights, found.weights[:3])


def test_unseen_variants_are_ranked_better_than_by_plain_random_prompts():
    rng = np.random.default_rng(5)
    noise = np.exp(rng.normal(size=400))
    values = rng.normal(size=(120, 1)) + 2.0 * noise * rng.normal(size=(120, 400))
    unseen = values[60:].mean(axis=1)
    problem = make_problem([values[:60]], ["m"], 20)
    gains = []
    for seed in range(20):
        found = _find(Ridge(), problem, seed)
        taus = [
            kendalltau(np.average(values[60:, found.indices], axis=1, weights=w), unseen).statistic
            for w in (found.weights, None)
        ]
        gains.append(taus[0] - taus[1])
    assert np.mean(gains) > 3 * np.std(gains) / np.sqrt(len(gains))
