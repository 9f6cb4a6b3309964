"""Sixteen numbers handled as one, held to what numpy makes of them one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.lanes import (
    LANES,
    add,
    count_above,
    count_below,
    count_nan,
    load,
    share_of,
    store,
    subtract,
    total,
    zero_like,
)

DTYPES = [np.float32, np.float64]
AT = LANES + 3  # where the second operand starts: no multiple of anything


@compiled
def both(values, sums, differences, offset):
    """Add and subtract the lanes at 0 and at AT; write the results from the offset on."""
    left, right = load(values, 0), load(values, AT)
    store(sums, offset, add(left, right))
    store(differences, offset, subtract(left, right))


@compiled
def counts(values, offset, limit):
    """Count the lanes from the offset on."""
    lanes = load(values, offset)
    return count_above(lanes, limit), count_below(lanes, limit), count_nan(lanes)


@compiled
def shares(values, value, found, offset):
    """Write the value's share beside each of the lanes from the offset on."""
    store(found, 0, share_of(value, load(values, offset)))


@compiled
def in_all(values, offset):
    """Add the lanes from the offset on up, begun at zero."""
    lanes = load(values, offset)
    return total(lanes), total(zero_like(lanes)), total(add(zero_like(lanes), lanes))


def _numbers(dtype):
    return st.floats(width=np.dtype(dtype).itemsize * 8)  # NaN, infinities and subnormals too


def _rows(dtype, size=LANES):
    few = _numbers(dtype) | st.sampled_from([0.0, -0.0, 1.0, np.nan, np.inf])
    return st.lists(few, min_size=size, max_size=size).map(lambda row: np.array(row, dtype))


def _bits(array):
    """Give the bits, all NaN alike: which NaN comes out is the machine's own affair."""
    return np.where(np.isnan(array), np.nan, array).view(f"u{array.itemsize}").tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_lanes_are_added_and_subtracted_one_by_one_to_the_last_bit(dtype):
    @given(_rows(dtype), _rows(dtype), st.integers(0, 5))
    @settings(deadline=None)
    def check(left, right, offset):
        values = np.full(AT + LANES, 7, dtype)
        values[:LANES], values[AT:] = left, right
        sums, differences = np.full((2, LANES + 5), -1, dtype)
        both(values, sums, differences, offset)
        inside = slice(offset, offset + LANES)
        with np.errstate(all="ignore"):
            assert _bits(sums[inside]) == _bits(left + right)
            assert _bits(differences[inside]) == _bits(left - right)
        for found in (sums, differences):  # and not one number beside them is touched
            assert np.delete(found, np.r_[inside]).tolist() == [-1] * 5
        assert (_bits(values[:LANES]), _bits(values[AT:])) == (_bits(left), _bits(right))

    check()


@pytest.mark.parametrize("dtype", DTYPES)
def test_lanes_are_counted_as_numpy_compares(dtype):
    @given(_rows(dtype, LANES + 4), st.integers(0, 4), _numbers(dtype))
    @settings(deadline=None)
    def check(values, offset, limit):
        limit = dtype(limit)
        lanes = values[offset : offset + LANES]
        assert counts(values, offset, limit) == (
            (lanes > limit).sum(),
            (lanes < limit).sum(),
            np.isnan(lanes).sum(),
        )

    check()


@pytest.mark.parametrize("dtype", DTYPES)
def test_counts_by_hand(dtype):
    values = np.array([0.0, -0.0, 1, 1, 2, -1, np.nan, np.inf, -np.inf, *[3] * 7, 99], dtype)
    assert counts(values, 0, dtype(1)) == (9, 4, 1)  # 2, inf, seven 3 | 0, -0, -1, -inf | NaN
    assert counts(values, 0, dtype(0)) == (11, 2, 1)  # -0 is neither above nor below 0
    assert counts(values, 1, dtype(50)) == (2, 13, 1)
    assert counts(values, 0, dtype(np.nan)) == (0, 0, 1)
    assert counts(np.full(LANES, 2, dtype), 0, dtype(1)) == (16, 0, 0)
    assert counts(np.full(LANES, np.nan, dtype), 0, dtype(1)) == (0, 0, 16)


@pytest.mark.parametrize("dtype", DTYPES)
def test_shares_are_numpys_to_the_last_bit(dtype):
    @given(_rows(dtype, LANES + 4), st.integers(0, 4), _numbers(dtype))
    @settings(deadline=None)
    def check(values, offset, value):
        found, value = np.full(LANES, 7, dtype), dtype(value)
        shares(values, value, found, offset)
        with np.errstate(all="ignore"):
            assert _bits(found) == _bits(value / (value + values[offset : offset + LANES]))

    check()


@pytest.mark.parametrize("dtype", DTYPES)
def test_shares_by_hand(dtype):
    values = np.array([0, 1, 3, np.inf, np.nan, *[2] * 11], dtype)
    found = np.empty(LANES, dtype)
    shares(values, dtype(1), found, 0)
    np.testing.assert_array_equal(found[:5], np.array([1, 0.5, 0.25, 0, np.nan], dtype))
    np.testing.assert_array_equal(found[5:], dtype(1) / dtype(3))


@pytest.mark.parametrize("dtype", DTYPES)
def test_totals_run_from_the_first_lane_to_the_last(dtype):
    @given(_rows(dtype, LANES + 4), st.integers(0, 4))
    @settings(deadline=None)
    def check(values, offset):
        with np.errstate(all="ignore"):
            expected = values[offset]
            for value in values[offset + 1 : offset + LANES]:
                expected = expected + value
        found, nothing, _ = in_all(values, offset)
        assert _bits(np.array([found], dtype)) == _bits(np.array([expected], dtype))
        assert nothing == 0

    check()


def test_totals_by_hand():
    assert in_all(np.arange(LANES + 1.0), 1) == (136.0, 0.0, 136.0)
    assert in_all(np.full(LANES, -0.0), 0) == (0.0, 0.0, 0.0)
    # 2^24 + 1 is 2^24 in float32, so the order shows.
    late = np.array([2**24, *[1] * 15], np.float32)
    assert in_all(late, 0)[0] == 2**24
    assert in_all(late[::-1].copy(), 0)[0] == 2**24 + 15 + 1  # 2^24 + 15, rounded to even


def test_lanes_at_any_address():
    buffer = bytearray(8 * (LANES + 2))
    for skip in range(0, 16, 4):  # an element's alignment is all there is
        values = np.frombuffer(buffer, np.float32, LANES, skip)
        values[:] = np.arange(LANES)
        assert counts(values, 0, np.float32(11.5)) == (4, 12, 0)


def test_they_cannot_be_called_from_python():
    with pytest.raises((TypeError, NotImplementedError)):
        add(np.zeros(LANES), np.zeros(LANES))
