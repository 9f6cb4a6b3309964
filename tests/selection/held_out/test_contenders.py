import pytest

from flasheval.base.errors import SettingError
from flasheval.selection.held_out.contenders import RANDOM, find_contender, read_methods
from flasheval.selection.methods.registry import METHODS, selector_settings


def test_random_is_there_once_named_or_not():
    for methods in (["balanced"], ["balanced", "random"], ["random", "balanced"], "balanced"):
        assert [one.label for one in read_methods(methods)] == ["random", "balanced"]
    assert read_methods("random") == (RANDOM,)


def test_entries_of_one_method_are_told_apart_by_their_settings():
    entries = [
        "frequency",
        {"name": "frequency", "n_sets": 300, "pools": [20, 10]},
        {"name": "frequency", "n_sets": 300},
    ]
    _, plain, both, one = read_methods(entries)
    assert [plain.label, both.label, one.label] == [
        "frequency",
        "frequency(n_sets=300, pools=[20,10])",
        "frequency(n_sets=300)",
    ]
    settings = selector_settings(both.selector())
    assert (settings["n_sets"], settings["pools"]) == (300, [20, 10])
    assert both.selector().pools == (20, 10)
    assert plain.selector() == METHODS["frequency"]()


def test_only_shared_serves_all_metrics_at_once():
    found = read_methods(list(METHODS))
    assert [one.label for one in found if one.together] == ["shared"]
    assert {one.name for one in found} == set(METHODS)


def test_a_contender_is_found_by_label_then_by_name():
    found = read_methods([{"name": "balanced", "passes": 2}, "balanced", "shared"])
    assert find_contender("balanced", found).settings == {}
    assert find_contender("balanced(passes=2)", found).settings == {"passes": 2}
    assert find_contender("balanced", found[:2]).label == "balanced(passes=2)"
    assert find_contender("anneal", found) is None


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ([], "expected names"),
        (None, "expected names"),
        (7, "expected names"),
        ([7], "7 is no method"),
        ([{"passes": 2}], "is no method"),
        (["balancd"], "did you mean 'balanced'?"),
        ([{"name": "balanced", "pases": 2}], "did you mean 'passes'?"),
        ([{"name": "balanced", "passes": "many"}], "expected a whole number"),
        (["balanced", "balanced"], "balanced is listed twice"),
    ],
)
def test_a_mistake_is_one_line(methods, said):
    with pytest.raises(SettingError, match="method") as caught:
        read_methods(methods)
    assert said in str(caught.value)
