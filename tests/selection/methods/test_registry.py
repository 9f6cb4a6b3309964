import json

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.registry import METHODS, make_selector, selector_settings


def test_methods_are_filed_under_their_own_names():
    assert list(METHODS) == [
        "auto",
        "random",
        "ridge",
        "stratified",
        "discrimination",
        "anchors",
        "frequency",
        "evolve",
        "anneal",
        "balanced",
        "shared",
        "pooled",
        "padded",
    ]
    assert all(method.name == name for name, method in METHODS.items())
    dear = {name for name, method in METHODS.items() if not method.cheap}
    assert dear == {"auto", "frequency", "evolve"}
    assert {name for name, method in METHODS.items() if method.borrows} == {"auto", "pooled"}
    assert {name for name, method in METHODS.items() if method.together} == {"shared"}


@pytest.mark.parametrize("name", METHODS)
def test_settings_are_plain_and_make_the_same_method_again(name):
    selector = make_selector(name)
    settings = selector_settings(selector)
    assert json.loads(json.dumps(settings)) == settings
    assert make_selector(name, settings) == selector


def test_pools_come_back_as_a_list():
    selector = make_selector("frequency", {"pools": (30, 20)})
    assert selector_settings(selector)["pools"] == [30, 20]


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        (
            "balansed",
            {},
            "no method 'balansed': choose one of auto, random, .* did you mean 'balanced'",
        ),
        ("anneal", {"swap": 1}, "no setting 'swap': its settings are: swaps.* mean 'swaps'"),
        ("random", {"seed": 1}, "it has no settings"),
        ("balanced", {"passes": "x"}, r"method.passes='x' \(balanced\): expected a whole number"),
        ("balanced", {"passes": 1.5}, "expected a whole number"),
        ("balanced", {"passes": True}, "expected a whole number"),
        ("balanced", {"noise_weight": float("nan")}, "expected a number"),
        ("anneal", {"hot": float("inf")}, "expected a number"),
        ("anneal", {"hot": None}, "expected a number"),
        ("frequency", {"replace": 1}, "expected true or false"),
        ("frequency", {"pools": 5}, "expected null or a list of whole numbers"),
        ("frequency", {"pools": ["a"]}, "expected null or a list of whole numbers"),
        ("anchors", {"weighted": "no"}, "expected true or false"),
        ("auto", {"expect": 3}, r"method.expect=3 \(auto\): expected null or a word"),
        ("auto", {"expects": "similar"}, "its settings are: expect; did you mean 'expect'"),
        ("pooled", {"borrow": True}, "expected a number"),
        ("ridge", {"strength": 1.0}, "method 'ridge' has no setting 'strength': it has no"),
    ],
)
def test_a_setting_that_cannot_be_is_one_line(name, settings, words):
    with pytest.raises(SettingError, match=words) as caught:
        make_selector(name, settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("balanced", {"passes": -1}, "method.passes=-1"),
        ("shared", {"passes": -1}, r"method.passes=-1 \(shared\)"),
        ("balanced", {"noise_weight": 0}, "method.noise_weight=0"),
        ("balanced", {"screen": 0}, "method.screen=0"),
        ("padded", {"core": 0}, "method.core=0"),
        ("anneal", {"swaps": 0}, "method.swaps=0"),
        ("anneal", {"inflation": -1.0}, "method.inflation"),
        ("anneal", {"hot": 1e-6}, "method.cold=1e-05 .*at most method.hot"),
        ("evolve", {"population": 1}, "method.population=1"),
        ("evolve", {"generations": 0}, "method.generations=0"),
        ("evolve", {"mutation": -1}, "method.mutation=-1"),
        ("evolve", {"stagnation": 0}, "method.stagnation=0"),
        ("frequency", {"n_sets": 0}, "method.n_sets=0"),
        ("frequency", {"keep": 0.0}, "method.keep=0"),
        ("frequency", {"keep": 1.5}, "method.keep=1.5"),
        ("frequency", {"pools": [30, 30]}, "expected sizes that shrink"),
        ("frequency", {"pools": [60]}, "the first below the 60 prompts"),
        ("frequency", {"pools": [30, 5]}, "cannot fill a set of 6"),
        ("anchors", {"rounds": 0}, "method.rounds=0"),
        ("auto", {"expect": "old"}, r"method.expect=old \(auto\): expected similar or new_family"),
        ("auto", {"expect": "new_family"}, "families are not known; .* with group=FACTOR"),
        ("pooled", {"nearness": 0}, r"method.nearness=0 \(pooled\): expected a number above 0"),
        ("pooled", {"borrow": -0.1}, r"method.borrow=-0.1 \(pooled\): expected 0 .* or more"),
        ("pooled", {"passes": -1}, r"method.passes=-1 \(pooled\)"),
        ("pooled", {"screen": 0}, r"method.screen=0 \(pooled\)"),
    ],
)
def test_a_setting_out_of_range_is_one_line(a_problem, name, settings, words):
    with pytest.raises(SettingError, match=words) as caught:
        drive(make_selector(name, settings), a_problem(), np.random.default_rng(0))
    assert "\n" not in str(caught.value)
