from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.selection.held_out.contenders import RANDOM, find_contender, read_methods
from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.registry import METHODS, selector_settings
from flasheval.selection.methods.selector import OneShot, Selection


@dataclass(frozen=True)
class Last(OneShot):
    """Takes the last prompts that it may, but for a few."""

    name: ClassVar[str] = "last"
    skip: int = 0

    def choose(self, problem, rng):
        end = len(problem.allowed) - self.skip
        free = problem.allowed[end - problem.n_free : end]
        return Selection(np.concatenate([problem.required, free]))


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


def test_an_object_stands_for_its_name_and_settings():
    listed = ["pooled", Anneal(swaps=1000), {"name": "anneal", "hot": 0.1}]
    _, pooled, given, mapped = read_methods(listed)
    assert (pooled.label, given.label, mapped.label) == (
        "pooled",
        "anneal(swaps=1000)",
        "anneal(hot=0.1)",
    )
    assert given == read_methods({"name": "anneal", "swaps": 1000})[1]
    assert given.selector() == Anneal(swaps=1000)
    assert read_methods(Anneal())[1].label == "anneal"
    with pytest.raises(SettingError, match="anneal is listed twice"):
        read_methods(["anneal", Anneal()])


def test_a_method_of_ones_own_is_kept_as_it_is():
    mine = Last(skip=3)
    _, found = read_methods([mine])
    assert (found.label, found.name, dict(found.settings)) == ("last(skip=3)", "last", {"skip": 3})
    assert found.selector() is mine
    assert found.together is False


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
        ([7], "an object of type int is none"),
        ([{"passes": 2}], "its name is missing"),
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
