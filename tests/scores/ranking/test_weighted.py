import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import weightedtau

from flasheval.base.errors import DataError
from flasheval.scores.ranking import weighted_tau, weighted_tau_many

UNHURRIED = settings(deadline=None, max_examples=50)


def direct_weighted_tau(x, y):
    """Vigna's definition: weighted signs of pairs over the norms of either side."""
    n = len(x)
    rank = np.empty(n)
    rank[np.lexsort((x, y))[::-1]] = np.arange(n)
    weight = 1 / (rank[:, None] + 1) + 1 / (rank[None] + 1)
    a, b = np.sign(x[:, None] - x[None]), np.sign(y[:, None] - y[None])
    norm = math.sqrt((weight * a * a).sum() * (weight * b * b).sum())
    return (weight * a * b).sum() / norm if norm else math.nan


@UNHURRIED
@given(
    st.integers(2, 40),
    st.sampled_from([1, 2, 5, 1000]),
    st.sampled_from([1, 3, 1000]),
    st.integers(0),
)
def test_equals_the_definition(n, levels, target_levels, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (3, n)).astype(float)
    y = rng.integers(0, target_levels, n).astype(float)
    expected = [direct_weighted_tau(row, y) for row in scores]
    np.testing.assert_allclose(weighted_tau_many(scores, y), expected, rtol=0, atol=1e-12)


def test_equals_scipy_ranked_by_the_full_scores():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=39), rng.normal(size=39)
    expected = weightedtau(y, x, rank=None).statistic
    assert weighted_tau(x, y) == pytest.approx(expected, abs=1e-12)


def test_the_top_weighs_more():
    y = [5.0, 4.0, 3.0, 2.0, 1.0]
    assert weighted_tau([4, 5, 3, 2, 1], y) < weighted_tau([5, 4, 3, 1, 2], y)


def test_conventions():
    assert math.isnan(weighted_tau([], []))
    assert math.isnan(weighted_tau([1], [1]))
    assert math.isnan(weighted_tau([1, 1], [1, 2]))
    assert math.isnan(weighted_tau([1, 2], [1, 1]))
    assert math.isnan(weighted_tau([1, np.nan, 2], [1, 2, 3]))
    assert math.isnan(weighted_tau([1, 2, 3], [1, 2, np.nan]))
    assert weighted_tau_many(np.empty((0, 3)), [1, 2, 3]).shape == (0,)


def test_shapes_are_checked():
    with pytest.raises(DataError):
        weighted_tau([1, 2], [1, 2, 3])
    with pytest.raises(DataError):
        weighted_tau_many([1, 2], [1, 2])
