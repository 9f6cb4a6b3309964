"""Tests of all pairs at once, rank intervals and groups, against scipy and brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from flasheval.base.errors import SettingError
from flasheval.base.threads import crew
from flasheval.scores.ranking.moments import Moments, paired_moments
from flasheval.scores.ranking.simultaneous import (
    mean_intervals,
    normal_draws,
    rank_intervals,
    separated_pairs,
    separation,
    tie_groups,
)


def _rng():
    return np.random.default_rng(0)


def test_mean_intervals_are_students():
    values = _rng().normal(3, 1, (2, 25))
    low, high = mean_intervals(paired_moments(values), 0.9)
    for row in range(2):
        wanted = stats.t.interval(0.9, 24, values[row].mean(), stats.sem(values[row]))
        np.testing.assert_allclose((low[row], high[row]), wanted)


def test_mean_intervals_are_the_bootstraps_where_prompts_are_many():
    values = _rng().exponential(size=(1, 2000))
    low, high = mean_intervals(paired_moments(values))
    drawn = stats.bootstrap((values[0],), np.mean, method="percentile", random_state=1)
    wanted = drawn.confidence_interval
    np.testing.assert_allclose((low[0], high[0]), wanted, atol=0.1 * (wanted[1] - wanted[0]))


def test_one_pair_is_students_t():
    values = _rng().normal(size=(2, 31))
    found = separation(paired_moments(values), draws=200_000, rng=_rng())
    assert found == pytest.approx(stats.t.ppf(0.975, 30), rel=0.02)


def test_independent_variants_are_tukeys_range():
    moments = Moments(np.zeros(6), np.eye(6), 10**6)
    found = separation(moments, 0.95, draws=200_000, rng=_rng())
    wanted = stats.studentized_range.ppf(0.95, 6, np.inf) / np.sqrt(2)
    assert found == pytest.approx(wanted, rel=0.005)


def test_it_is_a_multiplier_bootstrap_over_prompts():
    rng = _rng()
    values = rng.normal(size=(5, 400)) * rng.uniform(0.2, 2, (5, 1)) + rng.normal(size=400)
    moments = paired_moments(values)
    off = values - values.mean(axis=1, keepdims=True)
    weights = rng.standard_normal((40_000, 400))
    means = weights @ off.T / 400
    first, second = np.triu_indices(5, 1)
    t = np.abs(means[:, first] - means[:, second]) / moments.pair_errors[first, second]
    wanted = np.quantile(t.max(axis=1), 0.95)
    found = separation(moments, draws=40_000, rng=rng)
    assert found == pytest.approx(-stats.t.ppf(stats.norm.cdf(-wanted), 399), rel=0.01)


def test_the_same_on_any_number_of_threads():
    moments = paired_moments(_rng().normal(size=(20, 50)))
    found = set()
    for workers in (1, 2):
        with crew(workers):
            found.add(separation(moments, draws=1000, rng=_rng()))
    assert len(found) == 1


def test_copies_and_constants_do_not_count():
    values = _rng().normal(size=(2, 80)).astype(np.float32)
    plain = separation(paired_moments(values), draws=5000, rng=_rng())
    more = np.concatenate([values, values[:1], values[:1] + 4])
    moments = paired_moments(more)
    found = separation(moments, draws=5000, rng=_rng())
    assert found == pytest.approx(plain, rel=0.05)
    apart = separated_pairs(moments, found)
    assert not apart[0, 2]
    assert apart[0, 3]
    assert apart[2, 3]
    constant = paired_moments(np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]]))
    critical = separation(constant, rng=_rng())
    assert np.isnan(critical)
    assert separated_pairs(constant, critical)[0].tolist() == [False, False, True]


def test_two_prompts_tell_hardly_anything_apart_and_one_nothing():
    few = paired_moments(_rng().normal(size=(4, 20)))
    bound = stats.t.ppf(1 - 0.05 / 2 / 6, 19)
    assert separation(few, rng=_rng()) == pytest.approx(bound)
    two = paired_moments([[0.0, 1.0], [5.0, 6.1]])
    assert separation(two, rng=_rng()) > 10
    one = paired_moments([[0.0], [5.0]])
    critical = separation(one, rng=_rng())
    assert np.isinf(critical)
    assert not separated_pairs(one, critical).any()
    assert np.isnan(mean_intervals(one)[0]).all()
    assert np.isnan(separation(paired_moments([[0.0, 1.0]]), rng=_rng()))  # one variant


def test_draws_have_the_covariance_where_scales_lie_far_apart():
    scale = np.array([1e-4, 1.0, 1e5, 0.0])
    covariance = np.array([[1, 0.9, 0, 0], [0.9, 1, 0.5, 0], [0, 0.5, 1, 0], [0, 0, 0, 0]])
    found = normal_draws(covariance * scale[:, None] * scale, 100_000, _rng())
    assert not found[3].any()
    drawn = np.cov(found[:3]) / scale[:3, None] / scale[:3]
    np.testing.assert_allclose(drawn, covariance[:3, :3], atol=0.02)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 9), st.floats(0, 3), st.integers(0, 10**6))
def test_ranks_and_groups_equal_brute_force(n, limit, seed):
    means = np.sort(np.random.default_rng(seed).integers(0, 9, n) / 2)[::-1]
    noise = np.random.default_rng(seed).random((n, n))
    apart = np.abs(means[:, None] - means) > limit * (noise + noise.T)
    best, worst = rank_intervals(means, apart)
    for i in range(n):
        assert best[i] == 1 + sum(apart[i, j] and means[j] > means[i] for j in range(n))
        assert worst[i] == n - sum(apart[i, j] and means[j] < means[i] for j in range(n))
    runs = [
        (a, b)
        for a in range(n)
        for b in range(a, n)
        if not any(apart[i, j] for i, j in itertools.combinations(range(a, b + 1), 2))
    ]
    longest = [
        (a, b) for a, b in runs if not any((c, d) != (a, b) and c <= a and b <= d for c, d in runs)
    ]
    assert tie_groups(apart) == longest


def test_ranks_hold_in_nineteen_of_twenty_tables_with_ties():
    truth = np.repeat([3.0, 2.0, 2.0, 2.0, 1.0], 2)
    best_true = 1 + (truth[None] > truth[:, None]).sum(axis=1)
    worst_true = len(truth) - (truth[None] < truth[:, None]).sum(axis=1)
    held = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        scores = truth[:, None] / 10 + rng.normal(size=(10, 100)) + rng.normal(size=100)
        moments = paired_moments(scores)
        apart = separated_pairs(moments, separation(moments, draws=1000, rng=rng))
        best, worst = rank_intervals(moments.means, apart)
        held += bool(np.all(best <= best_true) and np.all(worst >= worst_true))
    assert held >= 270  # .90; nominal .95 is 285


def test_what_cannot_be_is_said():
    moments = paired_moments([[0.0, 1.0], [1.0, 0.5]])
    for level in (0, 1, 95, float("nan")):
        with pytest.raises(SettingError, match=r"level=.*expected a number between 0 and 1"):
            separation(moments, level, rng=_rng())
    with pytest.raises(SettingError, match="draws=0"):
        separation(moments, draws=0, rng=_rng())
    assert tie_groups(np.zeros((0, 0), dtype=bool)) == []
