import numpy as np
import pytest

from flasheval.base.errors import DataError
from flasheval.scores.ranking.prepare import prepare_base, prepare_rows, prepare_target


def test_rows_are_ordered_padded_and_aligned():
    matrix = np.arange(10, dtype=np.float32).reshape(2, 5)
    target = prepare_target([0.0, 4.0, 1.0, 3.0, 2.0])
    rows = prepare_rows(matrix, target)
    assert rows.shape == (2, 16)
    assert rows[:, :5].tolist() == [[1, 3, 4, 2, 0], [6, 8, 9, 7, 5]]
    assert np.isnan(rows[:, 5:]).all()
    assert rows.flags.c_contiguous
    assert rows.ctypes.data % 64 == 0


def test_target_ties_with_a_margin_need_not_be_transitive():
    target = prepare_target([0.0, 1.0, 2.0, 9.0], margin=1.0)
    assert target.order.tolist() == [3, 2, 1, 0]
    assert target.tied_until.tolist() == [1, 3, 4, 4]  # 9 | 2 ~ 1, 1 ~ 0, not 2 ~ 0
    assert target.target_ties == 2
    assert target.pairs == 6


def test_a_target_without_ties_says_so_by_an_empty_array():
    target = prepare_target([1.0, 3.0, 2.0])
    assert target.tied_until.shape == (0,)
    assert target.target_ties == 0


def test_infinite_targets_of_one_sign_tie():
    target = prepare_target([np.inf, 0.0, np.inf, -np.inf])
    assert target.tied_until.tolist() == [2, 2, 3, 4]


def test_a_target_with_nan_is_refused():
    with pytest.raises(DataError, match="NaN for variant 1"):
        prepare_target([1.0, np.nan])


def test_base_is_padded_like_the_rows():
    target = prepare_target([1.0, 2.0])
    assert prepare_base(None, target, np.float32)[:2].tolist() == [0, 0]
    base = prepare_base([5, 6], target, np.float64)
    assert base[:2].tolist() == [6, 5]
    assert base.shape == (16,)
    assert np.isnan(base[2:]).all()


def test_the_first_variant_below_is_known_with_and_without_ties():
    assert prepare_target([0.1, 0.3, 0.2, 0.3]).first_below.tolist() == [2, 2, 3, 4]
    assert prepare_target([0.1, 0.3, 0.2]).first_below.tolist() == [1, 2, 3]
