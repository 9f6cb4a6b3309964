"""Means, covariances and paired errors, against numpy, scipy and sums by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from flasheval.base.errors import DataError
from flasheval.scores.ranking.moments import cross_products, paired_moments, squares_of


def _scores(n, n_prompts, seed):
    rng = np.random.default_rng(seed)
    return (rng.normal(5, 1, (n, n_prompts)) + rng.normal(size=n_prompts)).astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(2, 50), st.integers(0, 10**6))
def test_without_clusters_it_is_the_covariance_over_the_prompts(n, n_prompts, seed):
    values = _scores(n, n_prompts, seed)
    found = paired_moments(values)
    wide = values.astype(np.float64)
    np.testing.assert_allclose(found.means, wide.mean(axis=1), rtol=1e-12)
    wanted = np.atleast_2d(np.cov(wide)) / n_prompts
    np.testing.assert_allclose(found.covariance, wanted, atol=1e-13)
    assert found.units == n_prompts


def test_a_pair_by_its_errors_is_the_paired_t_test():
    values = _scores(3, 40, 0).astype(np.float64)
    found = paired_moments(values)
    t = (found.means[0] - found.means[2]) / found.pair_errors[0, 2]
    assert t == pytest.approx(ttest_rel(values[0], values[2]).statistic)


def _by_hand(values, labels):
    wide = values.astype(np.float64)
    off = wide - wide.mean(axis=1, keepdims=True)
    sums = np.array([off[:, labels == label].sum(axis=1) for label in np.unique(labels)])
    groups = len(sums)
    return groups / (groups - 1) * sums.T @ sums / values.shape[1] ** 2


def test_clusters_are_summed_before_they_are_squared_in_any_block(monkeypatch):
    values = _scores(4, 300, 1)
    labels = np.random.default_rng(2).integers(0, 40, 300)
    wanted = _by_hand(values, labels)
    names = np.array([f"image {label}" for label in labels])
    np.testing.assert_allclose(paired_moments(values, names).covariance, wanted, rtol=1e-10)
    monkeypatch.setattr("flasheval.scores.ranking.moments.BLOCK", 4)
    monkeypatch.setattr("flasheval.scores.ranking.moments._LEAST_WIDE", 1)
    found = paired_moments(values, labels)
    np.testing.assert_allclose(found.covariance, wanted, rtol=1e-10)
    assert found.units == len(np.unique(labels))


def test_clusters_of_one_change_nothing_and_pairs_of_copies_double_the_variance():
    values = _scores(3, 60, 3)
    alone, single = paired_moments(values), paired_moments(values, np.arange(60))
    np.testing.assert_allclose(single.covariance, alone.covariance, rtol=1e-12)
    copied = paired_moments(np.repeat(values, 2, axis=1), np.repeat(np.arange(60), 2))
    np.testing.assert_allclose(copied.covariance, alone.covariance, rtol=1e-10)


def test_cross_products_are_those_of_the_stacked_scores(monkeypatch):
    first, second = _scores(3, 90, 4), _scores(2, 90, 5)
    labels = np.random.default_rng(6).integers(0, 20, 90)
    both = np.concatenate([first, second])
    wide = both.astype(np.float64) - both.mean(axis=1, dtype=np.float64)[:, None]
    np.testing.assert_allclose(cross_products(first, second), (wide @ wide.T)[:3, 3:], atol=1e-9)
    wanted = paired_moments(both, labels)
    scale = wanted.units / (wanted.units - 1) / 90**2
    np.testing.assert_allclose(
        cross_products(first, second, labels) * scale, wanted.covariance[:3, 3:], atol=1e-12
    )


def test_variants_a_constant_apart_have_no_error_between_them():
    row = np.random.default_rng(7).normal(size=500).astype(np.float32)
    found = paired_moments(np.stack([row, row, row + 2]))
    assert not found.pair_errors.any()


def test_one_prompt_says_nothing_of_errors():
    found = paired_moments([[1.0], [2.0]])
    assert np.isinf(found.covariance).all()
    assert np.isinf(found.pair_errors).all()
    assert found.means.tolist() == [1.0, 2.0]


def test_rounding_leaves_no_square_below_zero():
    products = np.array([[1.0, 1.0 + 1e-15], [1.0 + 1e-15, 1.0]])
    assert squares_of(products).min() == 0


def test_what_cannot_be_is_said():
    with pytest.raises(DataError, match=r"shape \(3,\); expected"):
        paired_moments([1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="a score is NaN"):
        paired_moments([[1.0, np.nan]])
    with pytest.raises(DataError, match="clusters have shape"):
        paired_moments([[1.0, 2.0]], ["a"])
