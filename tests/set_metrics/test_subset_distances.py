import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.set_metrics.frechet import FrechetReference, frechet_distance
from flasheval.set_metrics.subset_distances import SubsetDistances


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(2, 25),
    width=st.integers(1, 20),
    n_reference=st.integers(2, 40),
)
def test_every_way_gives_the_frechet_distance(seed, size, width, n_reference):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(25, width)) + 1
    reference = FrechetReference.of(rng.normal(size=(n_reference, width)))
    sets = np.stack([rng.permutation(25)[:size] for _ in range(6)])
    expected = [frechet_distance(features[one], reference).value for one in sets]
    distances = SubsetDistances(features, reference)
    for tables in (True, False, None):
        found = distances.of_sets(sets, tables=tables)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_far_from_the_origin_no_digits_are_lost():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 30)) + 1000
    reference = FrechetReference.of(rng.normal(size=(200, 30)) + 1000)
    sets = np.stack([rng.permutation(40)[:10] for _ in range(5)])
    expected = [frechet_distance(features[one], reference).value for one in sets]
    for tables in (True, False):
        found = SubsetDistances(features, reference).of_sets(sets, tables=tables)
        np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_batches_do_not_matter(monkeypatch):
    rng = np.random.default_rng(1)
    distances = SubsetDistances(
        rng.normal(size=(30, 8)), FrechetReference.of(rng.normal(size=(50, 8)))
    )
    sets = np.stack([rng.permutation(30)[:5] for _ in range(17)])
    whole = distances.of_sets(sets)
    monkeypatch.setattr("flasheval.set_metrics.subset_distances._BATCH", 3 * 8 * 5 * 8)
    np.testing.assert_array_equal(distances.of_sets(sets), whole)


def test_constant_features_have_no_covariance():
    reference = FrechetReference.of(np.random.default_rng(0).normal(size=(9, 4)))
    sets = np.array([[0, 1, 2], [3, 4, 5]])
    for tables in (True, False):
        found = SubsetDistances(np.ones((6, 4)), reference).of_sets(sets, tables=tables)
        expected = ((1 - reference.mean) ** 2).sum() + reference.trace
        np.testing.assert_allclose(found, expected)


def test_mistakes_are_told():
    reference = FrechetReference.of(np.eye(4))
    with pytest.raises(DataError, match="row 2 has a NaN"):
        SubsetDistances([[0] * 4, [1] * 4, [np.nan] * 4], reference)
    distances = SubsetDistances(np.eye(4), reference)
    with pytest.raises(DataError, match="N from 2"):
        distances.of_sets(np.array([[0], [1]]))
    for outside in (-1, 4):
        with pytest.raises(DataError, match="prompts outside 0 to 3"):
            distances.of_sets(np.array([[0, outside]]))
