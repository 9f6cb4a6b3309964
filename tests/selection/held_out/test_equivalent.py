import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.selection.held_out.equivalent import (
    equivalent_random_size,
    equivalent_size_with_interval,
)
from flasheval.subset.evidence import RandomSize

SIZES = (10, 100, 1000)


@pytest.mark.parametrize(
    ("tau", "curve", "expected"),
    [
        (0.6, [0.5, 0.7, 0.9], RandomSize(10 * 10**0.5)),
        (0.8, [0.5, 0.7, 0.9], RandomSize(100 * 10**0.5)),
        (0.75, [0.5, 0.7, 0.9], RandomSize(100 * 10**0.25)),
        (0.5, [0.5, 0.7, 0.9], RandomSize(10.0)),
        (0.7, [0.5, 0.7, 0.9], RandomSize(100.0)),
        (0.9, [0.5, 0.7, 0.9], RandomSize(1000.0)),
        (0.499, [0.5, 0.7, 0.9], RandomSize(10.0, "<")),
        (0.901, [0.5, 0.7, 0.9], RandomSize(1000.0, ">")),
        (-1.0, [0.5, 0.7, 0.9], RandomSize(10.0, "<")),
        # A curve that falls is first made level: 0.7 is reached at 10 already.
        (0.7, [0.7, 0.6, 0.9], RandomSize(10.0)),
        (0.8, [0.7, 0.6, 0.9], RandomSize(100 * 10**0.5)),
        (0.7, [0.5, 0.7, 0.6], RandomSize(100.0)),
        (0.71, [0.5, 0.7, 0.6], RandomSize(1000.0, ">")),
        # On a level stretch the first size that reaches it counts.
        (0.7, [0.5, 0.7, 0.7], RandomSize(100.0)),
    ],
)
def test_sizes_by_hand(tau, curve, expected):
    found = equivalent_random_size(tau, SIZES, np.array(curve))
    assert found.relation == expected.relation
    assert found.value == pytest.approx(expected.value)


def test_nothing_is_said_where_an_agreement_is_missing():
    assert equivalent_random_size(np.nan, SIZES, np.array([0.5, 0.7, 0.9])) is None
    assert equivalent_random_size(0.6, SIZES, np.array([0.5, np.nan, 0.9])) is None
    taus, curves = np.array([0.6, np.nan]), np.tile([0.5, 0.7, 0.9], (2, 1))
    assert equivalent_size_with_interval(taus, SIZES, curves, np.random.default_rng(0)) is None


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3), st.floats(-1, 1), st.floats(0, 1))
def test_a_higher_agreement_is_never_worth_less(curve, tau, more):
    order = {"<": 0, "=": 1, ">": 2}
    low, high = (equivalent_random_size(one, SIZES, np.array(curve)) for one in (tau, tau + more))
    assert (high.value * (1 + 1e-9), order[high.relation]) >= (low.value, order[low.relation])


def test_one_split_has_no_interval():
    found = equivalent_size_with_interval(
        np.array([0.6]), SIZES, np.array([[0.5, 0.7, 0.9]]), np.random.default_rng(0)
    )
    assert (found.low, found.high) == (None, None)
    assert str(found) == "32"


def test_the_estimate_averages_before_it_looks_up():
    taus = np.array([0.5, 0.8])
    curves = np.array([[0.3, 0.5, 0.7], [0.5, 0.7, 0.9]])
    found = equivalent_size_with_interval(taus, SIZES, curves, np.random.default_rng(0))
    expected = equivalent_random_size(0.65, SIZES, np.array([0.4, 0.6, 0.8]))
    assert found.estimate == expected


def test_the_bootstrap_takes_method_and_random_of_the_same_splits():
    # Every split shifts method and random alike, so paired resamples all give exactly 100.
    shift = np.linspace(-0.2, 0.2, 9)
    taus = 0.7 + shift
    curves = np.array([0.5, 0.7, 0.9]) + shift[:, None]
    rng = np.random.default_rng(0)
    found = equivalent_size_with_interval(taus, SIZES, curves, rng)
    assert found.low.value == pytest.approx(100)
    assert found.high.value == pytest.approx(100)
    # Were the curves of other splits used, the interval would be wide.
    unpaired = equivalent_size_with_interval(taus, SIZES, curves[::-1], np.random.default_rng(0))
    assert unpaired.high.value / unpaired.low.value > 2


def test_the_interval_holds_the_percentiles_of_the_resamples():
    rng = np.random.default_rng(1)
    taus = 0.7 + 0.1 * rng.normal(size=8)
    curves = np.tile([0.5, 0.7, 0.9], (8, 1))
    found = equivalent_size_with_interval(taus, SIZES, curves, np.random.default_rng(2), level=0.8)
    picks = np.random.default_rng(2).integers(0, 8, (1000, 8))
    sizes = [10 ** (1 + (taus[pick].mean() - 0.5) / 0.2) for pick in picks]
    low, high = np.quantile(sizes, [0.1, 0.9])
    assert found.low.value == pytest.approx(low, rel=0.02)
    assert found.high.value == pytest.approx(high, rel=0.02)
    assert found.low.value < found.estimate.value < found.high.value


def test_ends_beyond_the_curve_are_told_as_such():
    taus = np.array([0.2, 0.95, 0.95, 0.2, 0.7])
    curves = np.tile([0.5, 0.7, 0.9], (5, 1))
    found = equivalent_size_with_interval(taus, SIZES, curves, np.random.default_rng(0))
    assert str(found.low) == "<10"
    level = equivalent_size_with_interval(
        np.full(4, 0.99), SIZES, curves[:4], np.random.default_rng(0)
    )
    assert str(level) == ">1000 (>1000 to >1000)"
