import sys

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.ranking import tau_b_of_sets, tau_b_of_sets_torch


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def case(n_variants, seed, levels=4096, target_levels=1000):
    rng = np.random.default_rng(seed)
    matrix = (rng.integers(0, levels, (60, n_variants)) / 8192).astype(np.float32)
    return matrix, rng.integers(0, target_levels, n_variants) / 8, rng.integers(0, 60, (200, 9))


@pytest.mark.parametrize("n_variants", [0, 1, 2, 3, 17, 39])
@pytest.mark.parametrize(("levels", "target_levels"), [(4096, 1000), (2, 1000), (4096, 3), (1, 1)])
def test_equals_the_compiled_kernel_where_sums_are_exact(torch, n_variants, levels, target_levels):
    matrix, target, sets = case(n_variants, 0, levels, target_levels)
    taus = tau_b_of_sets_torch(torch.from_numpy(matrix), torch.from_numpy(target), sets)
    assert taus.dtype == torch.float64
    np.testing.assert_allclose(taus.numpy(), tau_b_of_sets(matrix, target, sets), atol=1e-12)


def test_base_margins_and_chunks(torch):
    matrix, target, sets = case(21, 1)
    options = {"base": matrix[3] * 4, "margin": 0.125, "target_margin": 2.0}
    expected = tau_b_of_sets(matrix, target, sets, **options)
    for chunk in (None, 1, 7, 1000):
        taus = tau_b_of_sets_torch(matrix, target, sets, chunk=chunk, **options)
        np.testing.assert_allclose(taus.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_scores_agree_up_to_sums_that_nearly_tie(torch, dtype):
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(500, 39)).astype(dtype)
    sets = rng.integers(0, 500, (300, 50)).astype(np.int32)
    target = rng.normal(size=39)
    taus = tau_b_of_sets_torch(matrix, target, sets).numpy()
    one_pair = 2 / (39 * 38 / 2)
    np.testing.assert_allclose(taus, tau_b_of_sets(matrix, target, sets), atol=1.01 * one_pair)


def test_nan_and_nothing(torch):
    matrix, target, sets = case(5, 3)
    matrix[4, 2] = np.nan
    taus = tau_b_of_sets_torch(matrix, target, np.array([[0, 1], [4, 1]]))
    assert taus.isnan().tolist() == [False, True]
    assert tau_b_of_sets_torch(matrix, target, sets[:0]).shape == (0,)
    target[0] = np.nan
    assert tau_b_of_sets_torch(matrix, target, sets).isnan().all()


def test_wrong_input_is_named(torch):
    matrix, target, sets = case(5, 4)
    with pytest.raises(DataError, match="matrix has shape"):
        tau_b_of_sets_torch(matrix, target[:4], sets)
    with pytest.raises(DataError, match="60 rows"):
        tau_b_of_sets_torch(matrix, target, sets + 30)
    with pytest.raises(DataError, match="one row of prompts a set"):
        tau_b_of_sets_torch(matrix, target, sets[0])
    with pytest.raises(SettingError, match="chunk"):
        tau_b_of_sets_torch(matrix, target, sets, chunk=0)


def test_without_torch_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    matrix, target, sets = case(5, 5)
    with pytest.raises(SettingError, match=r'pip install "flasheval\[generate\]"'):
        tau_b_of_sets_torch(matrix, target, sets)
