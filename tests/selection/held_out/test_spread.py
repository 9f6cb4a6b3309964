import numpy as np
import pytest

from flasheval.selection.held_out.splits import Split
from flasheval.selection.held_out.spread import ENOUGH, enough_splits, spread_of


def test_spread_of_skips_what_is_missing():
    values = np.array([0.1, np.nan, 0.5, 0.3])
    found = spread_of(values, quantiles=False)
    assert (found.mean, found.low, found.high, found.kind) == (
        pytest.approx(0.3),
        0.1,
        0.5,
        "min-max",
    )
    quantiles = spread_of(values, quantiles=True)
    assert (quantiles.low, quantiles.high) == pytest.approx((0.12, 0.48))


def test_eight_splits_are_enough():
    splits = [Split(str(k), np.arange(4), np.arange(4, 8)) for k in range(12)]
    assert ENOUGH == 8
    assert enough_splits(splits, 8)
    assert not enough_splits(splits, 7)  # after Ctrl-C, say


@pytest.mark.parametrize(("n_groups", "enough"), [(7, False), (8, True)])
def test_where_groups_are_held_out_it_takes_eight_of_them_however_they_are_paired(n_groups, enough):
    splits = [
        Split(
            str(k),
            np.arange(4),
            np.arange(4, 8),
            (f"m{k % n_groups}", f"m{(k + 1) % n_groups}"),
        )
        for k in range(12)
    ]
    assert enough_splits(splits, 12) == enough
    assert not enough_splits(splits, 7)
