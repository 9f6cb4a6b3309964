import warnings

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.set_metrics.frechet import FrechetReference, frechet_distance, roots_of


def _by_sqrtm(x, y):
    """The formula as it is published, with scipy's root of a matrix."""
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of singular products
        root = scipy.linalg.sqrtm(s @ t).real
    shift = x.mean(axis=0) - y.mean(axis=0)
    return shift @ shift + np.trace(s) + np.trace(t) - 2 * np.trace(root)


def _features(rng, n, width, shift=0.0):
    mixing = np.eye(width) + 0.3 * rng.normal(size=(width, width)) / np.sqrt(width)
    return rng.normal(size=(n, width)) @ mixing + shift


@pytest.mark.parametrize(("n", "n_reference"), [(60, 300), (300, 60), (200, 300), (17, 300)])
def test_equal_to_the_root_of_the_matrix(n, n_reference):
    rng = np.random.default_rng(n)
    x, y = _features(rng, n, 16, 0.2), _features(rng, n_reference, 16)
    found = frechet_distance(x, FrechetReference.of(y))
    assert found.value == pytest.approx(_by_sqrtm(x, y), rel=1e-6)
    assert found.warning is None


@pytest.mark.parametrize(("n", "n_reference"), [(10, 300), (300, 10), (10, 12), (24, 25)])
def test_few_images_agree_with_the_root_as_far_as_it_goes(n, n_reference):
    rng = np.random.default_rng(n)
    x, y = _features(rng, n, 24, 0.2), _features(rng, n_reference, 24)
    found = frechet_distance(x, FrechetReference.of(y))
    # sqrtm loses half the digits of eigenvalues that are 0
    assert found.value == pytest.approx(_by_sqrtm(x, y), rel=1e-4)
    assert str(min(n, n_reference)) in found.warning


def test_a_closed_form():
    """Gaussians with diagonal covariances: the sum of (shift^2 + (sd1 - sd2)^2)."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(500, 3))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False)).T)  # covariance exactly 1
    sd1, sd2, shift = np.array([1.0, 2, 3]), np.array([2.0, 2, 0.5]), np.array([0.5, 0, -1])
    reference = FrechetReference.of_moments(shift, np.diag(sd2**2))
    found = frechet_distance(z * sd1, reference)
    assert found.value == pytest.approx(1.25 + 1 + 0 + 6.25, rel=1e-12)
    assert found.of_means == pytest.approx(1.25)
    assert found.n_reference is None


@pytest.mark.parametrize("n", [2, 5, 20, 21, 100])
def test_a_set_is_at_no_distance_from_itself(n):
    x = _features(np.random.default_rng(n), n, 20)
    assert frechet_distance(x, FrechetReference.of(x)).value < 1e-9 * 20
    assert frechet_distance(x, FrechetReference.of(x[::-1])).value < 1e-9 * 20


@pytest.mark.parametrize("n", [5, 100])
def test_it_grows_with_a_shift(n):
    rng = np.random.default_rng(1)
    reference = FrechetReference.of(rng.normal(size=(200, 20)))
    x = rng.normal(size=(n, 20))
    x -= x.mean(axis=0) - reference.mean
    distances = [frechet_distance(x + shift, reference).value for shift in (0, 0.1, 0.5, 2, 10)]
    assert np.isfinite(distances).all()
    np.testing.assert_allclose(np.diff(distances), np.diff([0, 0.2, 5, 80, 2000]), rtol=1e-9)


@pytest.mark.parametrize(("n", "n_reference"), [(4, 5), (4, 50), (50, 4), (50, 60)])
def test_constant_features_have_no_covariance(n, n_reference):
    x, y = np.full((n, 8), 3.0), np.full((n_reference, 8), 1.0)
    assert frechet_distance(x, FrechetReference.of(y)).value == pytest.approx(32)
    spread = np.random.default_rng(0).normal(size=(n_reference, 8))
    expected = ((3 - spread.mean(axis=0)) ** 2).sum() + np.trace(np.cov(spread, rowvar=False))
    assert frechet_distance(x, FrechetReference.of(spread)).value == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 30),
    m=st.integers(2, 30),
    width=st.integers(1, 12),
)
def test_invariances(seed, n, m, width):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, width)), 2 * rng.normal(size=(m, width)) + 1
    value = frechet_distance(x, FrechetReference.of(y)).value
    close = pytest.approx(value, rel=1e-6, abs=1e-6)
    assert value >= 0
    assert frechet_distance(y, FrechetReference.of(x)).value == close
    shift = 10 * rng.normal(size=width)
    assert frechet_distance(x + shift, FrechetReference.of(y + shift)).value == close
    turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
    assert frechet_distance(x @ turn, FrechetReference.of(y @ turn)).value == close
    assert frechet_distance(rng.permutation(x), FrechetReference.of(rng.permutation(y))).value == (
        close
    )
    scaled = frechet_distance(3 * x, FrechetReference.of(3 * y)).value
    assert scaled == pytest.approx(9 * value, rel=1e-6, abs=1e-5)


def test_statistics_are_kept(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 6))
    for n in (5, 50):
        reference = FrechetReference.of(rng.normal(size=(n, 6)))
        reference.save(tmp_path / "a.npz")
        loaded = FrechetReference.load(tmp_path / "a.npz")
        assert loaded.n == n
        value = frechet_distance(x, reference).value
        assert frechet_distance(x, loaded).value == pytest.approx(value, rel=1e-9)
    np.savez(tmp_path / "b.npz", mu=np.zeros(6), sigma=np.eye(6))  # as pytorch-fid writes it
    assert FrechetReference.load(tmp_path / "b.npz").n is None


def test_damaged_statistics_are_told_in_one_line(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK not a zip")
    with pytest.raises(DataError, match=r"a\.npz cannot be read"):
        FrechetReference.load(path)
    np.savez(path, mean=np.zeros(2))
    with pytest.raises(DataError, match="expected mu and sigma"):
        FrechetReference.load(path)
    for sigma, said in (
        (np.eye(3), r"expected \[d\] and \[d, d\]"),
        (np.diag([1.0, -1.0]), "negative eigenvalue"),
        (np.array([[1.0, 0.5], [0.0, 1.0]]), "not symmetric"),
        (np.diag([1.0, np.nan]), "NaN or infinite"),
    ):
        np.savez(path, mu=np.zeros(2), sigma=sigma)
        with pytest.raises(DataError, match=said) as caught:
            FrechetReference.load(path)
        assert str(path) in str(caught.value)


def test_bad_features_are_told():
    reference = FrechetReference.of(np.eye(3))
    with pytest.raises(DataError, match="are 2 wide, and the reference 3"):
        frechet_distance(np.eye(2), reference)
    with pytest.raises(DataError, match="of 1 images"):
        FrechetReference.of(np.ones((1, 3)))
    with pytest.raises(DataError, match="the reference's features: row 1 has a NaN"):
        FrechetReference.of([[1.0, 2.0], [np.nan, 1.0]])


def test_roots_of_many_matrices():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 5, 9))
    expected = np.linalg.svd(a, compute_uv=False).sum(axis=1)
    np.testing.assert_allclose(roots_of(a @ a.transpose(0, 2, 1)), expected, rtol=1e-12)
    assert roots_of(np.zeros((2, 3, 3))).tolist() == [0, 0]


def test_roots_of_rounding_errors_do_not_add_up():
    a = np.random.default_rng(0).normal(size=(300, 2))
    expected = np.linalg.svd(a, compute_uv=False).sum()
    assert roots_of(a @ a.T) == pytest.approx(expected, rel=1e-12)
