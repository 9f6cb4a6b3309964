"""The frontier against its definition, point by point."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.scores.ranking.frontier import frontier

# Few values make ties; NaN, infinity and both zeros are among them.
NUMBERS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.0, np.nan, np.inf, -np.inf]), st.floats(width=32)
)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12)


def by_definition(quality, cost, higher_is_better):
    sign = 1 if higher_is_better else -1
    found = []
    for q, c in zip(quality, cost, strict=True):
        beaten = any(
            sign * other >= sign * q and price <= c and (other != q or price != c)
            for other, price in zip(quality, cost, strict=True)
        )
        found.append(not beaten and not np.isnan(q) and not np.isnan(c))
    return found


@given(POINTS, st.booleans())
@settings(max_examples=200, deadline=None)
def test_it_is_what_no_other_point_beats(points, higher):
    quality, cost = [list(one) for one in zip(*points, strict=True)] if points else ([], [])
    found = frontier(quality, cost, higher_is_better=higher)
    assert found.tolist() == by_definition(quality, cost, higher)


@given(POINTS, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_order_and_what_is_beaten_do_not_count(points, random):
    array = np.array(points, dtype=float).reshape(-1, 2)
    found = frontier(*array.T)
    order = list(range(len(array)))
    random.shuffle(order)
    assert frontier(*array[order].T).tolist() == found[order].tolist()
    assert frontier(*array[found].T).all()  # without the others the members stay
    if len(array) and not np.isnan(array).any():
        assert found.any()


@given(POINTS)
@settings(max_examples=50, deadline=None)
def test_along_it_dearer_is_better(points):
    array = np.array(points, dtype=float).reshape(-1, 2)
    members = array[frontier(*array.T)]
    members = np.unique(members, axis=0)  # by quality
    assert (np.diff(members[:, 0]) > 0).all()
    assert (members[1:, 1] > members[:-1, 1]).all()


def test_many_points_without_ties():
    rng = np.random.default_rng(0)
    quality, cost = rng.normal(size=300), rng.lognormal(size=300)
    assert frontier(quality, cost).tolist() == by_definition(quality, cost, True)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match=r"quality has shape \(2,\) and cost \(3,\)"):
        frontier([1, 2], [1, 2, 3])
