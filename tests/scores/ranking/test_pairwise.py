import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.scores.ranking import kendall_tau_b, pairwise_accuracy, pairwise_accuracy_many

FIRST_CALL_COMPILES = settings(deadline=None, max_examples=50)


def direct_accuracy(scores, target):
    credits = [
        1.0 if (a > b) == (s > t) and a != b else 0.5 if a == b else 0.0
        for i, (a, s) in enumerate(zip(scores, target, strict=True))
        for b, t in list(zip(scores, target, strict=True))[:i]
        if s != t
    ]
    return float(np.mean(credits)) if credits else math.nan


@FIRST_CALL_COMPILES
@given(
    st.integers(0, 40), st.sampled_from([1, 2, 1000]), st.sampled_from([1, 3, 1000]), st.integers(0)
)
def test_equals_the_definition(n, levels, target_levels, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, (3, n)).astype(float)
    target = rng.integers(0, target_levels, n).astype(float)
    expected = [direct_accuracy(row, target) for row in scores]
    np.testing.assert_allclose(pairwise_accuracy_many(scores, target), expected, rtol=0, atol=1e-12)


def test_without_ties_it_is_tau_on_another_scale():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=39), rng.normal(size=39)
    assert pairwise_accuracy(x, y) == pytest.approx((1 + kendall_tau_b(x, y)) / 2, abs=1e-12)


def test_conventions():
    assert pairwise_accuracy([1, 1, 1], [1, 2, 3]) == 0.5
    assert math.isnan(pairwise_accuracy([1, 2, 3], [1, 1, 1]))
    assert math.isnan(pairwise_accuracy([1, np.nan, 3], [1, 2, 3]))
    assert math.isnan(pairwise_accuracy([1, 2, 3], [1, np.nan, 3]))
    assert math.isnan(pairwise_accuracy([1], [1]))


def test_shapes_are_checked():
    with pytest.raises(DataError):
        pairwise_accuracy([[1]], [1])
    with pytest.raises(DataError):
        pairwise_accuracy([1, 2], [1, 2, 3])
