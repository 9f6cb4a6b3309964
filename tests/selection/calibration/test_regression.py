"""The shrunken regression against its normal equations."""

import numpy as np
import pytest

from flasheval.selection.calibration.regression import PRIOR, cross_predictions, shrunken_weights


def test_it_minimises_error_plus_distance_from_its_prior() -> None:
    rng = np.random.default_rng(0)
    standard, full = rng.normal(size=(3, 25)), rng.normal(size=25)
    prior = np.array([0.0, 1.0, 0.0])
    stacked = np.vstack([standard.T, np.sqrt(PRIOR) * np.eye(3)])
    wanted = np.concatenate([full, np.sqrt(PRIOR) * prior])
    expected = np.linalg.lstsq(stacked, wanted, rcond=None)[0]
    np.testing.assert_allclose(shrunken_weights(standard, full, 1), expected)


def test_few_variants_leave_it_near_the_prior_and_many_near_the_data() -> None:
    rng = np.random.default_rng(1)
    standard = rng.normal(size=(2, 2000))
    full = 1.5 * standard[0] + 0.5 * standard[1]
    assert shrunken_weights(standard, full, 0) == pytest.approx([1.5, 0.5], abs=0.01)
    assert shrunken_weights(standard[:, :2], full[:2], 0) == pytest.approx([1.0, 0.0], abs=0.35)
    assert shrunken_weights(np.zeros((2, 5)), np.zeros(5), 1) == pytest.approx([0.0, 1.0])


def test_a_fold_does_not_see_itself() -> None:
    rng = np.random.default_rng(2)
    standard = [rng.normal(size=(2, n)) for n in (4, 5, 3)]
    full = [rng.normal(size=n) for n in (4, 5, 3)]
    before = cross_predictions(standard, full, 0)
    weights = shrunken_weights(np.concatenate(standard[1:], axis=1), np.concatenate(full[1:]), 0)
    np.testing.assert_allclose(before[0], weights @ standard[0])
    full[0] = full[0] + 100.0
    np.testing.assert_array_equal(cross_predictions(standard, full, 0)[0], before[0])
