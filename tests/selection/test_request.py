"""Settings resolved and checked before any work, on a table of 4 variants by 12 prompts."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.registry import METHODS, make_selector
from flasheval.selection.request import (
    calibration_folds,
    hints_for,
    make_plan,
    measured_sizes,
    subset_name,
)
from flasheval.subset import Method, Subset


@pytest.fixture
def table(make_table):
    return make_table(4, 12, ("clip", "fid"))


@pytest.fixture
def plan(table):
    """A function: plan(method=, settings=, size=, ...) -> Plan; nothing special unless said."""

    def make(*, on=table, method="balanced", settings=None, **changes):
        given = {
            "size": 5,
            "nested": None,
            "seed": 0,
            "require": (),
            "forbid": (),
            "warm_start": None,
        }
        return make_plan(on, make_selector(method, settings), **{**given, **changes})

    return make


def test_a_plain_plan(plan, table):
    made = plan(seed=np.int64(3))
    assert made.table is table
    assert (made.size, made.sizes, made.seed) == (5, (5,), 3)
    assert type(made.seed) is int
    assert (made.required, made.forbidden, made.warm_start) == ((), (), None)
    assert made.hints == Hints()
    assert made.settings() == {"noise_weight": 2.0, "passes": 8, "screen": 10_000}


def test_ids_become_positions_in_the_order_given(plan):
    made = plan(require=["p7", "p0"], forbid=("p11",), warm_start=["p2", "p1"])
    assert (made.required, made.forbidden, made.warm_start) == ((7, 0), (11,), (2, 1))
    settings = made.settings()
    assert list(settings)[-3:] == ["require", "forbid", "warm_start"]
    assert settings["require"] == ["p7", "p0"]
    assert settings["forbid"] == ["p11"]
    assert settings["warm_start"] == ["p2", "p1"]


def test_one_id_may_stand_alone(plan):
    made = plan(require="p10", forbid="p1", warm_start="p2")
    assert (made.required, made.forbidden, made.warm_start) == ((10,), (1,), (2,))


def test_nested_sizes_are_put_in_order_and_replace_the_size(plan):
    made = plan(size=1000, nested=[9, 3, 3, 6])
    assert (made.sizes, made.size) == ((3, 6, 9), 9)
    assert made.settings()["nested"] == [3, 6, 9]
    single = plan(size=1000, nested=[4])
    assert (single.sizes, single.size) == ((4,), 4)
    assert "nested" not in single.settings()


@pytest.mark.parametrize("method", METHODS)
def test_settings_are_plain_data_of_every_method(plan, method):
    settings = plan(method=method).settings()
    assert json.loads(json.dumps(settings)) == settings


def test_a_warm_start_may_be_a_subset_of_these_very_prompts(plan, table):
    start = Subset.choose(
        table.prompts, [4, 8], name="start", metrics=(), method=Method("random", seed=0)
    )
    assert plan(warm_start=start).warm_start == (4, 8)
    other = PromptSet("other", table.prompts.ids, tuple(f"else {i}" for i in table.prompts.ids))
    foreign = Subset.choose(other, [4, 8], name="start", metrics=(), method=Method("random"))
    with pytest.raises(DataError, match=r"have another text there \(p4, p8\)"):
        plan(warm_start=foreign)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"seed": -1}, SettingError, r"^seed=-1: expected a whole number from 0 on$"),
        ({"seed": True}, SettingError, r"^seed=True: "),
        ({"seed": 1.0}, SettingError, r"^seed=1\.0: "),
        ({"seed": None}, SettingError, r"^seed=None: "),
        ({"nested": []}, SettingError, r"^nested=\[\]: expected a list of sizes"),
        ({"nested": "10"}, SettingError, r"^nested='10': expected a list of sizes"),
        ({"nested": [4, 13]}, SettingError, "nested: size 13 is outside 1 to 12 prompts"),
        ({"nested": [0, 4]}, SettingError, "nested: size 0 is outside 1 to 12 prompts"),
        ({"nested": [4, True]}, SettingError, "nested: size True is not a whole number"),
        ({"require": ["p1", "p12"]}, DataError, "1 of 2 ids are not in prompt set .*: 'p12'"),
        ({"forbid": ["q"]}, DataError, "1 of 1 ids are not in prompt set"),
        ({"warm_start": ["q", "r"]}, DataError, "2 of 2 ids are not in prompt set"),
    ],
)
def test_what_cannot_be_is_one_line(plan, changes, error, words):
    with pytest.raises(error, match=words) as caught:
        plan(**changes)
    assert "\n" not in str(caught.value)


# --- what a method may borrow -------------------------------------------------------------------


def test_hints_are_the_other_metrics_and_the_families(make_table):
    table = make_table(8, 12, ("clip", "fid", "aes"))
    hints = hints_for(table, table.with_metrics(["fid"]))
    for block, name in zip(hints.scores, ("clip", "aes"), strict=True):
        np.testing.assert_array_equal(block, table[name].values)
    assert hints.groups == ("base0", "base1", "base2", "base3") * 2
    assert hints_for(table, table).scores == ()
    assert hints_for(table, table, "steps").groups == ("10",) * 8
    assert hints_for(table, table, "no such factor").groups is None


def test_families_are_known_when_each_variant_has_one(table):
    first = replace(table.variants[0], factors={})
    partly = replace(table, variants=(first, *table.variants[1:]))
    assert hints_for(partly, partly).groups is None


def test_hints_are_of_the_variants_that_are_left_and_whole(make_table):
    table = make_table(6, 12, ("clip", "fid", "aes"))
    matrices = {}
    for name, gaps in (("clip", [1, 4]), ("fid", [1]), ("aes", [0])):
        values = table[name].values.copy()
        values[gaps, 3] = np.nan
        matrices[name] = replace(table[name], values=values)
    table = replace(table, matrices=matrices)
    served, dropped = table.complete(["clip"], "drop")
    assert dropped == ("v1", "v4")
    (fid,) = hints_for(table, served).scores  # aes lacks a score of a variant that is searched
    np.testing.assert_array_equal(fid, table["fid"].values[[0, 2, 3, 5]])
    assert hints_for(table, served).groups == ("base0", "base2", "base3", "base1")


# --- the hash of what a search's units have in common -------------------------------------------


def test_the_context_is_the_sha256_of_the_documented_content(plan, table):
    made = plan(method="random", seed=7, require=["p3"])
    content = {
        "method": "random",
        "scores": table.content_hash,
        "seed": 7,
        "settings": {"require": ["p3"]},
        "version": flasheval.__version__,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert made.context() == hashlib.sha256(text.encode()).hexdigest()
    assert plan(method="random", seed=7, require=["p3"]).context() == made.context()


def test_whatever_changes_the_units_changes_the_context(plan, table):
    values = table["clip"].values.copy()
    values[0, 0] = np.nextafter(values[0, 0], np.float32(np.inf))
    nudged = replace(
        table, matrices={**table.matrices, "clip": replace(table["clip"], values=values)}
    )
    plans = [
        plan(),
        plan(seed=1),
        plan(method="shared"),
        plan(settings={"noise_weight": 2.0 + 1e-12}),
        plan(nested=[3, 5]),
        plan(nested=[4, 5]),
        plan(require=["p1"]),
        plan(forbid=["p1"]),
        plan(warm_start=["p1"]),
        plan(require=["p1", "p2"]),
        plan(require=["p2", "p1"]),
        plan(on=table.with_metrics(["clip"])),
        plan(on=nudged),
    ]
    assert len({made.context() for made in plans}) == len(plans)


def test_hints_are_in_the_context_of_the_methods_that_borrow(plan, table):
    served = table.with_metrics(["clip"])
    values = table["fid"].values.copy()
    values[3, 7] += 1.0
    nudged = replace(
        table, matrices={**table.matrices, "fid": replace(table["fid"], values=values)}
    )
    every = [
        Hints(),
        hints_for(table, served),
        hints_for(nudged, served),
        hints_for(table, served, "steps"),
    ]
    for method, selector in METHODS.items():
        contexts = {plan(on=served, method=method, hints=hints).context() for hints in every}
        assert len(contexts) == (len(every) if selector.borrows else 1)


def test_the_size_is_not_in_the_context(plan):
    # A unit is keyed by its own size, so searches of several sizes may share a folder.
    assert plan(size=4).context() == plan(size=5).context()


# --- names and sizes ----------------------------------------------------------------------------


def test_the_name_says_prompt_set_metric_and_size(plan, table):
    assert subset_name(plan(), None) == "made-up-0-shared-5"
    assert subset_name(plan(nested=[3, 7]), None) == "made-up-0-shared-7"
    assert subset_name(plan(on=table.with_metrics(["fid"])), None) == "made-up-0-fid-5"
    assert subset_name(plan(), "mine") == "mine"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "a\0b"])
def test_a_name_must_be_good_for_a_file(plan, name):
    with pytest.raises(DataError, match="cannot be a file name"):
        subset_name(plan(), name)


def test_measured_sizes_start_with_the_one_asked_for(plan):
    assert measured_sizes(plan(), None) == (5,)
    assert measured_sizes(plan(), []) == (5,)
    assert measured_sizes(plan(), [8, 5, 2, 8]) == (5, 2, 8)
    assert measured_sizes(plan(nested=[2, 5]), [8]) == (2, 5)
    assert measured_sizes(plan(nested=[2, 5]), "auto") == (2, 5)


def test_auto_takes_the_round_sizes_that_fit_where_a_search_is_cheap(plan, make_table):
    many = make_table(4, 101)
    assert measured_sizes(plan(on=many, size=7), "auto") == (7, 10, 20, 50, 100)
    assert measured_sizes(plan(on=many, size=20), "auto") == (20, 10, 50, 100)
    # 11 required and 2 forbidden of 101 leave the sizes 11 to 99.
    ids = many.prompts.ids
    narrow = plan(on=many, size=15, require=ids[:11], forbid=ids[-2:])
    assert measured_sizes(narrow, "auto") == (15, 20, 50)
    edge = plan(on=many, size=15, require=ids[:10], forbid=ids[-1:])
    assert measured_sizes(edge, "auto") == (15, 10, 20, 50, 100)
    assert measured_sizes(plan(on=many, method="evolve"), "auto") == (5,)
    assert measured_sizes(plan(), "auto") == (5, 10)


def test_sizes_of_the_curve_must_fit_what_is_required_and_forbidden(plan):
    narrow = plan(require=["p1", "p2"], forbid=["p3"])
    assert measured_sizes(narrow, [2, 11]) == (5, 2, 11)
    for size in (1, 12):
        with pytest.raises(SettingError, match=f"curve: size {size} is outside 2 to 11 prompts"):
            measured_sizes(narrow, [size])
    with pytest.raises(SettingError, match="curve=all: expected auto, null or a list of sizes"):
        measured_sizes(narrow, "all")
    with pytest.raises(SettingError, match=r"curve: size 2\.5 is not a whole number"):
        measured_sizes(narrow, [2.5])


def test_auto_calibrates_where_a_search_is_cheap_and_variants_are_enough(make_table):
    def folds(calibrate, n=16, method="balanced", expect="similar"):
        plan = make_plan(make_table(n), make_selector(method), 5, None, 3, (), (), None)
        return calibration_folds(plan, calibrate, expect, None)

    assert len(folds("auto")) == len(folds(True)) == 8
    assert folds(False) == folds("auto", n=7) == folds("auto", method="frequency") == ()
    assert len(folds(True, method="frequency")) == 8
    assert folds("auto", expect="new_family")[0].groups == ("base0",)
    with pytest.raises(SettingError, match="calibrate=1: expected true, false or auto"):
        folds(1)
