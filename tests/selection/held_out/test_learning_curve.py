from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.errors import SettingError
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.learning_curve import (
    check_search_variants,
    learning_curves,
    smaller_searches,
)
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.records import ValidationCell
from flasheval.selection.held_out.splits import Split

HALVES = tuple(Split(f"random:{k}", np.arange(10), np.arange(10, 20)) for k in range(9))
KIND = Kind("random:9", "random:9", HALVES)
GROUPS = Kind("group:x", "group:x", (Split("x=a", np.arange(10), np.arange(10, 20), ("a",)),))


def cell(split, method, tau, n_search=10, metric="clip"):
    values = (0.9, tau, tau, tau, tau, 0.1)
    return ValidationCell(KIND.name, split, method, 5, metric, *values, n_search, 10, 0.1)


@given(st.lists(st.integers(2, 9), min_size=1, max_size=4), st.integers(0, 99))
def test_each_number_is_among_the_next_and_the_held_out_stay(counts, seed):
    split = Split("s", np.array([1, 3, 4, 5, 7, 8, 10, 11, 12]), np.array([0, 2]))
    found = smaller_searches(split, counts, seed)
    assert [len(one.search) for one in found] == sorted({*counts, 9})
    for one, more in pairwise(found):
        assert set(one.search) < set(more.search)
    for one in found:
        assert (np.diff(one.search) > 0).all()
        np.testing.assert_array_equal(one.held_out, split.held_out)
    np.testing.assert_array_equal(found[-1].search, split.search)
    again = smaller_searches(split, counts, seed)
    assert all((a.search == b.search).all() for a, b in zip(found, again, strict=True))


def test_numbers_are_checked():
    assert check_search_variants(None, [KIND]) == ()
    assert check_search_variants([8, 4, 8], [KIND, GROUPS]) == (4, 8)
    assert check_search_variants(4, [KIND]) == (4,)
    for wrong in ([], "8", [1], [2.5], [True], {"n": 3}):
        with pytest.raises(SettingError, match="numbers of at least 2"):
            check_search_variants(wrong, [KIND])
    with pytest.raises(SettingError, match="11 is above the 10 search variants of split 'random:0"):
        check_search_variants([11], [KIND])
    with pytest.raises(SettingError, match="add random:10"):
        check_search_variants([4], [GROUPS])


def curve_of(gains):
    """The curve of a method with these gains over random, by number of search variants."""
    measured = Measurement((KIND,), ("clip",), ("random", "m"), (5,), {}, seed=0)
    rng = np.random.default_rng(0)
    for split in HALVES:
        base = rng.uniform(0.4, 0.6)
        measured.add(cell(split.name, "random", base), None)
        noise = rng.normal(0, 0.02)
        measured.smaller += [cell(split.name, "m", base + g + noise, n) for n, g in gains.items()]
    (curve,) = learning_curves(measured)
    return curve


def test_enough_is_where_every_number_from_there_on_is_clear():
    assert curve_of({4: -0.1, 6: 0.1, 10: 0.2}).enough_from == 6
    assert curve_of({4: 0.1, 6: -0.1, 10: 0.2}).enough_from == 10
    assert curve_of({4: 0.1, 6: 0.1, 10: 0.2}).enough_from == 4
    assert curve_of({4: 0.1, 6: 0.1, 10: 0.0}).enough_from is None
    curve = curve_of({10: 0.2, 4: -0.1})
    assert [point.n_search for point in curve.points] == [4, 10]
    assert curve.points[0].over_random.mean == pytest.approx(-0.1, abs=0.03)
    assert curve.points[0].over_random.high < 0


def test_few_splits_say_nothing():
    few = Kind(KIND.name, KIND.spec, HALVES[:3])
    measured = Measurement((few,), ("clip",), ("random", "m"), (5,), {}, seed=0)
    for split in few.splits:
        measured.add(cell(split.name, "random", 0.4), None)
    measured.smaller += [cell(split.name, "m", 0.9, 10) for split in few.splits]
    (curve,) = learning_curves(measured)
    assert curve.enough_from is None
    assert curve.points[0].over_random.low is None
    assert curve.points[0].over_random.mean == pytest.approx(0.5)
