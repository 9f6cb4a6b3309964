"""Tau between two metrics' orders and the pairs that flip, against scipy and brute force."""

import math

import numpy as np
import pytest
from scipy.stats import kendalltau

from flasheval.base.errors import DataError
from flasheval.scores.ranking.moments import cross_products, paired_moments
from flasheval.scores.ranking.two_orders import flipped_pairs, tau_interval


def _both(first, second, seed=0, **settings):
    n_prompts = first.shape[1]
    crossed = cross_products(first, second) / max(n_prompts - 1, 1) / n_prompts
    rng = np.random.default_rng(seed)
    return tau_interval(paired_moments(first), paired_moments(second), crossed, rng=rng, **settings)


def test_tau_is_scipys_with_ties():
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, 3, (2, 9, 4)).astype(np.float64)
    tau, low, high = _both(first, second)
    wanted = kendalltau(first.mean(axis=1), second.mean(axis=1)).statistic
    assert tau == pytest.approx(wanted)
    assert low <= tau <= high


def test_the_interval_holds_the_true_tau_and_shrinks_with_prompts():
    held, widths = 0, {200: 0.0, 3000: 0.0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=(2, 20))
        truth[1] = 0.7 * truth[0] + 0.7 * truth[1]
        wanted = kendalltau(*truth).statistic
        for n_prompts in widths:
            shared = rng.normal(size=(20, n_prompts))
            scores = truth[:, :, None] / 3 + shared + rng.normal(size=(2, 20, n_prompts))
            _, low, high = _both(*scores, draws=400)
            widths[n_prompts] += high - low
            held += low <= wanted <= high
    assert held >= 0.85 * 120
    assert widths[3000] < 0.5 * widths[200]


def test_a_ranking_agrees_with_itself_and_not_with_its_reverse():
    values = np.random.default_rng(2).normal(size=(5, 100))
    assert _both(values, values) == (1.0, 1.0, 1.0)
    assert _both(values, -values) == (-1.0, -1.0, -1.0)


def test_where_nothing_can_be_said():
    values = np.random.default_rng(3).normal(size=(3, 20))
    for found in (_both(values, np.ones((3, 20))), _both(values[:1], values[1:2])):
        assert all(math.isnan(one) for one in found)
    tau, low, high = _both(values[:, :1], values[:, :1])
    assert tau == 1.0
    assert math.isnan(low)
    assert math.isnan(high)
    with pytest.raises(DataError, match="expected the same variants in both"):
        tau_interval(
            paired_moments(values),
            paired_moments(values[:2]),
            np.zeros((3, 2)),
            rng=np.random.default_rng(0),
        )


def test_copies_of_a_variant_stay_tied():
    rng = np.random.default_rng(4)
    first = rng.normal(size=(4, 50)) + np.arange(4)[:, None] * 9
    second = first + rng.normal(size=(4, 50))
    first[1] = first[0]
    tau, low, high = _both(first, second)
    assert tau == pytest.approx(5 / math.sqrt(5 * 6))
    assert (low, high) == (tau, tau)


def test_flips_equal_brute_force():
    rng = np.random.default_rng(5)
    first, second = rng.integers(0, 5, (2, 8)).astype(np.float64)
    upper = [np.triu(rng.random((8, 8)) < 0.7, 1) for _ in range(2)]
    apart, others = (one | one.T for one in upper)
    wanted = [
        [i, j]
        for i in range(8)
        for j in range(8)
        if apart[i, j] and others[i, j] and first[i] > first[j] and second[i] < second[j]
    ]
    assert wanted
    assert flipped_pairs(first, second, apart, others).tolist() == wanted
