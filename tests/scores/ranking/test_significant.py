import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.ranking import (
    kendall_tau_b,
    near_tie_share,
    significant_pairs,
    tau_on_pairs,
    tau_on_pairs_many,
)

UNHURRIED = settings(deadline=None, max_examples=50)


def direct_significant(values, z):
    x = values.astype(np.float64)
    gap = x[:, None] - x[None]
    error = gap.std(axis=2, ddof=1) / math.sqrt(x.shape[1])
    return np.abs(gap.mean(axis=2)) > z * error


@UNHURRIED
@given(
    st.integers(1, 12), st.integers(2, 60), st.sampled_from([0.5, 1.0, 2.0, 3.0]), st.integers(0)
)
def test_equals_the_definition(n, n_prompts, z, seed):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=n_prompts)
    values = (rng.normal(0, 0.3, (n, 1)) + shared + rng.normal(size=(n, n_prompts))).astype("f4")
    np.testing.assert_array_equal(significant_pairs(values, z=z), direct_significant(values, z))


def test_many_blocks_equal_one(monkeypatch):
    rng = np.random.default_rng(0)
    values = (rng.normal(0, 0.05, (30, 1)) + rng.normal(size=(30, 5000))).astype(np.float32)
    whole = significant_pairs(values)
    monkeypatch.setattr("flasheval.scores.ranking.moments.BLOCK", 30 * 7)
    monkeypatch.setattr("flasheval.scores.ranking.moments._LEAST_WIDE", 1)
    np.testing.assert_array_equal(significant_pairs(values), whole)
    assert 0 < whole.sum() < whole.size


def test_scores_far_from_zero_keep_their_small_differences():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1e-3, (8, 4000)) + rng.normal(0, 3e-5, (8, 1))
    values = (1000 + rng.normal(size=4000) + noise).astype(np.float64)
    np.testing.assert_array_equal(significant_pairs(values), direct_significant(values, 2.0))


def test_equal_variants_are_not_significant_and_shifted_ones_are():
    row = np.random.default_rng(2).integers(0, 64, 500).astype(np.float32)
    found = significant_pairs(np.stack([row, row, row + 1]))
    assert found.tolist() == [[False, False, True], [False, False, True], [True, True, False]]


def test_nan_and_too_few_prompts():
    values = np.array([[0.0, 0.1, 0.0], [5.0, np.nan, 5.1], [9.0, 9.0, 9.1]])
    assert significant_pairs(values).tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert not significant_pairs([[1.0], [2.0]]).any()
    assert significant_pairs(np.empty((2, 0))).shape == (2, 2)
    assert significant_pairs(np.empty((0, 5))).shape == (0, 0)


def test_tau_on_every_pair_without_ties_is_tau():
    rng = np.random.default_rng(3)
    scores, target = rng.normal(size=(20, 15)), rng.normal(size=15)
    taus = tau_on_pairs_many(scores, target, np.ones((15, 15), dtype=bool))
    np.testing.assert_allclose(
        taus, [kendall_tau_b(row, target) for row in scores], rtol=0, atol=1e-12
    )


@UNHURRIED
@given(st.integers(0, 12), st.sampled_from([2, 1000]), st.integers(0))
def test_tau_on_pairs_equals_the_definition(n, levels, seed):
    rng = np.random.default_rng(seed)
    scores, target = rng.integers(0, levels, n), rng.integers(0, levels, n)
    pairs = rng.random((n, n)) < 0.3
    marked = [(i, j) for i in range(n) for j in range(i) if pairs[i, j] or pairs[j, i]]
    signs = [np.sign((scores[i] - scores[j]) * (target[i] - target[j])) for i, j in marked]
    expected = float(np.mean(signs)) if marked else math.nan
    found = tau_on_pairs(scores, target, pairs)
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_tau_on_pairs_conventions():
    first = np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]], dtype=bool)
    assert tau_on_pairs([1, 2, np.nan], [1, 2, 3], first) == 1.0
    assert math.isnan(tau_on_pairs([1, np.nan, 3], [1, 2, 3], first))
    assert tau_on_pairs([1, 1, 3], [1, 2, 3], first) == 0.0
    assert tau_on_pairs([np.inf, np.inf, 3], [1, 2, 3], first) == 0.0
    assert math.isnan(tau_on_pairs([1, 2, 3], [1, 2, 3], np.eye(3, dtype=bool)))


def test_wrong_input_is_named():
    with pytest.raises(DataError):
        significant_pairs([1.0, 2.0])
    with pytest.raises(SettingError):
        significant_pairs([[1.0, 2.0]], z=-1)
    with pytest.raises(DataError):
        tau_on_pairs([1, 2], [1, 2], np.ones((3, 3), dtype=bool))
    with pytest.raises(DataError):
        tau_on_pairs([[1, 2]], [1, 2], np.ones((2, 2), dtype=bool))


def test_near_ties_are_the_pairs_within_two_standard_errors():
    noise = np.tile([-1.0, 1.0], 50)
    values = np.stack([noise, -noise + 0.01, noise + 5, noise + 9]).astype(np.float32)
    assert near_tie_share(values) == pytest.approx(1 / 6)
    assert near_tie_share(np.stack([noise, noise])) == 1.0
    assert math.isnan(near_tie_share(noise[None]))
