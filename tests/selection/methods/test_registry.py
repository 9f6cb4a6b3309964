import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from flasheval.base.errors import SettingError
from flasheval.selection.methods.anneal import Anneal
from flasheval.selection.methods.driver import drive
from flasheval.selection.methods.registry import (
    METHODS,
    make_method,
    make_selector,
    selector_settings,
)
from flasheval.selection.methods.selector import OneShot, Selection


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


@dataclass(frozen=True)
class Every(OneShot):
    """Takes the allowed prompts in order, every `stride`-th first."""

    name: ClassVar[str] = "every"
    stride: int = 2
    notes: Any = field(default=None)

    def choose(self, problem, rng):
        order = np.concatenate([problem.allowed[k :: self.stride] for k in range(self.stride)])
        return Selection(np.concatenate([problem.required, order[: problem.n_free]]))


@dataclass(frozen=True)
class Renamed(Every):
    name: ClassVar[str] = "anneal"


def test_a_name_a_mapping_and_an_object_make_the_same():
    made = Anneal(swaps=1000)
    assert make_method("anneal", {"swaps": 1000}) == made
    assert make_method({"name": "anneal", "swaps": np.int64(1000)}) == made
    assert make_method(made) is made


def test_a_method_of_ones_own_needs_no_name_in_the_registry():
    mine = Every(stride=3)
    assert make_method(mine) is mine
    assert selector_settings(mine) == {"stride": 3, "notes": None}


@pytest.mark.parametrize(
    ("entry", "settings", "words"),
    [
        (len, None, "method: an object of type builtin_function_or_method is none, .* no best,"),
        (3, None, "method: an object of type int is none"),
        (Anneal, None, r"method: Anneal is a class; give an object of it: Anneal\(\)"),
        (None, None, "method: its name is missing; there are: auto"),
        ({"swaps": 3}, None, "method: its name is missing"),
        (Anneal(), {"swaps": 3}, r"settings stand beside an object \(swaps\)"),
        (Renamed(), None, "method 'anneal': there is another method of this name"),
        (Every(notes=np.ones(2)), None, "method 'every': its settings.notes is a ndarray, which"),
    ],
)
def test_an_object_that_is_no_method_is_one_line(entry, settings, words):
    with pytest.raises(SettingError, match=words) as caught:
        make_method(entry, settings)
    assert "\n" not in str(caught.value)


def test_a_method_without_fields_that_say_its_settings_is_refused():
    plain = type("Plain", (), dict.fromkeys(("cheap", "together", "borrows")))
    for key in ("prepare", "start", "step", "best"):
        setattr(plain, key, None)
    plain.name = "plain"
    with pytest.raises(SettingError, match="the class Plain is not a dataclass"):
        make_method(plain())


def test_pools_come_back_as_a_list():
    selector = make_selector("frequency", {"pools": (30, 20)})
    assert selector_settings(selector)["pools"] == [30, 20]


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        (
            "balansed",
            {},
            "there is no method 'balansed'; there are: auto, random, .* did you mean 'balanced'",
        ),
        ("anneal", {"swap": 1}, "no setting 'swap'; it has: swaps, .* mean 'swaps'"),
        ("random", {"seed": 1}, "method 'random' has no setting 'seed'; it has: none"),
        ("balanced", {"passes": "x"}, 'method balanced: passes is "x"; expected a whole number'),
        ("balanced", {"passes": 1.5}, "expected a whole number"),
        ("balanced", {"passes": True}, "expected a whole number"),
        ("balanced", {"noise_weight": float("nan")}, "expected a finite number"),
        ("anneal", {"hot": float("inf")}, "expected a finite number"),
        ("anneal", {"hot": None}, "expected a number"),
        ("frequency", {"replace": 1}, "expected true or false"),
        ("frequency", {"pools": 5}, "pools is 5; expected a list"),
        ("frequency", {"pools": ["a"]}, r'pools\[0\] is "a"; expected a whole number'),
        ("anchors", {"weighted": "no"}, "expected true or false"),
        ("auto", {"expect": 3}, "method auto: expect is 3; expected a string"),
        ("auto", {"expects": "similar"}, "it has: expect; did you mean 'expect'"),
        ("pooled", {"borrow": True}, "expected a number"),
        ("ridge", {"strength": 1.0}, "method 'ridge' has no setting 'strength'; it has: none"),
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
        ("pooled", {"nearness": 0}, r"method.nearness=0.0 \(pooled\): expected a number above 0"),
        ("pooled", {"borrow": -0.1}, r"method.borrow=-0.1 \(pooled\): expected 0 .* or more"),
        ("pooled", {"passes": -1}, r"method.passes=-1 \(pooled\)"),
        ("pooled", {"screen": 0}, r"method.screen=0 \(pooled\)"),
    ],
)
def test_a_setting_out_of_range_is_one_line(a_problem, name, settings, words):
    with pytest.raises(SettingError, match=words) as caught:
        drive(make_selector(name, settings), a_problem(), np.random.default_rng(0))
    assert "\n" not in str(caught.value)
