from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.errors import SettingError
from flasheval.generators.populations.grid import expand_grids

AXES = st.dictionaries(
    st.sampled_from(["scheduler", "steps", "guidance", "dtype"]),
    st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True),
    min_size=1,
)


@given(AXES)
def test_a_grid_is_the_product_of_its_lists(axes):
    found = expand_grids([axes])
    assert found == [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


@given(AXES, st.data())
def test_an_exclusion_takes_what_matches_all_of_its_keys(axes, data):
    key = data.draw(st.sampled_from(sorted(axes)))
    rule = {key: axes[key][0]}
    kept = expand_grids([axes], [rule])
    assert kept == [entry for entry in expand_grids([axes]) if entry[key] != axes[key][0]]


def test_grids_follow_each_other_and_single_values_stand_for_lists():
    found = expand_grids([{"a": 1, "b": [1, 2]}, {"a": 2}])
    assert found == [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2}]


def test_an_exclusion_may_list_values():
    kept = expand_grids([{"a": [1, 2, 3], "b": [1, 2]}], [{"a": [1, 2], "b": 2}])
    assert [(e["a"], e["b"]) for e in kept] == [(1, 1), (2, 1), (3, 1), (3, 2)]


@pytest.mark.parametrize(
    ("grids", "exclude", "message"),
    [
        ([3], [], r"population.grid\[0\] is 3; expected a mapping"),
        ([{"a": []}], [], r"population.grid\[0\].a is an empty list"),
        ([{"a": 1}], ["a"], r"population.exclude\[0\] is 'a'; expected a mapping"),
        ([{"a": 1}], [{}], r"population.exclude\[0\]"),
        ([{"a": 1}], [{"a": 2}], r"population.exclude\[0\] excludes nothing"),
        ([{"steps": 1}], [{"step": 1}], "names 'step', which no grid has; did you mean 'steps'"),
    ],
)
def test_a_grid_that_cannot_be_is_told_in_a_line(grids, exclude, message):
    with pytest.raises(SettingError, match=message):
        expand_grids(grids, exclude)
