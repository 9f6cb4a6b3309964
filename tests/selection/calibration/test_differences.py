"""Errors of differences, learnt from pairs whose errors are known."""

from functools import partial

import numpy as np
import pytest

from flasheval.selection.calibration.differences import difference_errors
from flasheval.selection.calibration.scale import mean_square, t_scale


def _folds(count, size, effect, rng):
    """Folds whose pairs err by sqrt(effect) times their paired standard error."""
    full, predicted, errors = [], [], []
    for _ in range(count):
        spread = rng.uniform(0.1, 1.0, size)
        full.append(rng.normal(size=size))
        predicted.append(full[-1] - np.sqrt(effect) * spread * rng.normal(size=size))
        squares = spread[:, None] ** 2 + spread[None] ** 2
        np.fill_diagonal(squares, 0.0)
        errors.append(np.sqrt(squares))
    return full, predicted, errors


@pytest.mark.parametrize("effect", [0.2, 1.0])
def test_the_design_effect_is_found(effect):
    folds = _folds(60, 8, effect, np.random.default_rng(0))
    found = difference_errors(*folds, mean_square, equal_folds=False)
    assert found.by_error == pytest.approx(effect, rel=0.15)
    robust = difference_errors(*folds, partial(t_scale, dof=8), equal_folds=False)
    assert robust.by_error == pytest.approx(0.8 * effect, rel=0.2)


def test_by_hand():
    full, predicted = [np.array([1.0, 0.0])], [np.array([0.5, 0.3])]
    errors = [np.array([[0.0, 0.4], [0.4, 0.0]])]
    found = difference_errors(full, predicted, errors, mean_square, equal_folds=False)
    assert found.by_error == pytest.approx(0.8**2 / 0.4**2)
    assert found.typical_difference == pytest.approx(0.2)
    assert found.by_size == pytest.approx(0.8**2)


def test_folds_of_one_variant_have_no_pairs():
    one = [np.zeros(1)] * 3
    found = difference_errors(one, one, [np.zeros((1, 1))] * 3, mean_square, equal_folds=True)
    assert (found.by_error, found.by_size, found.typical_difference) == (None, None, 1.0)


def test_twins_and_single_prompts_are_passed_over():
    full, predicted = [np.array([1.0, 0.0])], [np.array([0.5, 0.5])]
    for error in (0.0, np.nan):
        errors = [np.full((2, 2), error)]
        found = difference_errors(full, predicted, errors, mean_square, equal_folds=False)
        assert found.by_error is None
        assert found.by_size == pytest.approx(1.0)


def test_equal_folds_count_the_same_however_many_pairs_they_have():
    rng = np.random.default_rng(1)
    big, small = _folds(1, 30, 0.1, rng), _folds(1, 2, 25.0, rng)
    folds = [a + b for a, b in zip(big, small, strict=True)]
    by_fold = difference_errors(*folds, mean_square, equal_folds=True)
    by_pair = difference_errors(*folds, mean_square, equal_folds=False)
    alone = [
        difference_errors(*part, mean_square, equal_folds=True).by_error for part in (big, small)
    ]
    assert by_fold.by_error == pytest.approx(np.mean(alone))
    assert by_pair.by_error < by_fold.by_error
