"""Settings resolved and checked before any work, on a table of 4 variants by 12 prompts."""

import hashlib
import json
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

import flasheval
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import safe_name
from flasheval.base.resources import bundled
from flasheval.prompts import PromptSet
from flasheval.scores.synthetic import synthetic_scores
from flasheval.selection.images import image_halves
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.registry import METHODS, make_selector
from flasheval.selection.request import (
    SearchRequest,
    calibration_folds,
    hints_for,
    make_request,
    measured_sizes,
    subset_name,
)
from flasheval.subset import Method, Subset


@pytest.fixture
def table(make_table):
    return make_table(4, 12, ("clip", "fid"))


@pytest.fixture
def request_of(table):
    """A function: request_of(method=, settings=, size=, ...) -> SearchRequest; nothing special."""

    def make(*, on=table, method="balanced", settings=None, size=5, **changes):
        return make_request(on, make_selector(method, settings), size, **changes)

    return make


def test_a_plain_request(request_of, table):
    made = request_of(seed=np.int64(3))
    assert made.table is table
    assert (made.size, made.sizes, made.seed) == (5, (5,), 3)
    assert type(made.seed) is int
    assert (made.required, made.forbidden, made.warm_start) == ((), (), None)
    assert made.hints == Hints()
    assert made.settings() == {"noise_weight": 2.0, "passes": 8, "screen": 10_000}


def test_ids_become_positions_in_the_order_given(request_of):
    made = request_of(require=["p7", "p0"], forbid=("p11",), warm_start=["p2", "p1"])
    assert (made.required, made.forbidden, made.warm_start) == ((7, 0), (11,), (2, 1))
    settings = made.settings()
    assert list(settings)[-3:] == ["require", "forbid", "warm_start"]
    assert settings["require"] == ["p7", "p0"]
    assert settings["forbid"] == ["p11"]
    assert settings["warm_start"] == ["p2", "p1"]


def test_one_id_may_stand_alone(request_of):
    made = request_of(require="p10", forbid="p1", warm_start="p2")
    assert (made.required, made.forbidden, made.warm_start) == ((10,), (1,), (2,))


def test_nested_sizes_are_put_in_order_and_replace_the_size(request_of):
    made = request_of(size=1000, nested=[9, 3, 3, 6])
    assert (made.sizes, made.size) == ((3, 6, 9), 9)
    assert made.settings()["nested"] == [3, 6, 9]
    single = request_of(size=1000, nested=[4])
    assert (single.sizes, single.size) == ((4,), 4)
    assert "nested" not in single.settings()


@pytest.mark.parametrize("method", METHODS)
def test_settings_are_plain_data_of_every_method(request_of, method):
    settings = request_of(method=method).settings()
    assert json.loads(json.dumps(settings)) == settings


def test_a_warm_start_may_be_a_subset_of_these_very_prompts(request_of, table):
    start = Subset.choose(
        table.prompts, [4, 8], name="start", metrics=(), method=Method("random", seed=0)
    )
    assert request_of(warm_start=start).warm_start == (4, 8)
    other = PromptSet("other", table.prompts.ids, tuple(f"else {i}" for i in table.prompts.ids))
    foreign = Subset.choose(other, [4, 8], name="start", metrics=(), method=Method("random"))
    with pytest.raises(DataError, match=r"have another text there \(p4, p8\)"):
        request_of(warm_start=foreign)


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
def test_what_cannot_be_is_one_line(request_of, changes, error, words):
    with pytest.raises(error, match=words) as caught:
        request_of(**changes)
    assert "\n" not in str(caught.value)


# --- what a method is given ---------------------------------------------------------------------


def test_a_request_is_frozen_and_by_default_asks_nothing_special(table):
    made = SearchRequest(table, make_selector("balanced"), (5,))
    assert made == make_request(table, make_selector("balanced"), 5)
    with pytest.raises(FrozenInstanceError):
        made.seed = 1


def test_a_problem_is_of_the_variants_asked_for(request_of, table):
    made = request_of(require=["p7"], forbid=["p0", "p3"], warm_start=["p2", "p5"])
    for rows, problem in (([0, 1, 2, 3], made.problem()), ([3, 1], made.problem(np.array([3, 1])))):
        assert problem.metrics == ("clip", "fid")
        for block, name in zip(problem.scores, problem.metrics, strict=True):
            np.testing.assert_array_equal(block, table[name].values[rows])
        assert problem.size == 5
        assert problem.required.tolist() == [7]
        assert problem.allowed.tolist() == [1, 2, 4, 5, 6, 8, 9, 10, 11]
        assert problem.warm_start.tolist() == [2, 5]
    assert request_of(nested=[3, 9]).problem().size == 9


def test_a_problem_has_hints_of_its_variants_where_the_method_borrows(request_of, table):
    served = table.with_metrics(["clip"])
    hints = hints_for(table, served)
    given = {"on": served, "hints": hints}
    whole = request_of(method="pooled", **given).problem()
    np.testing.assert_array_equal(whole.hints.scores[0], table["fid"].values)
    part = request_of(method="pooled", **given).problem(np.array([2, 0]))
    np.testing.assert_array_equal(part.hints.scores[0], table["fid"].values[[2, 0]])
    assert part.hints.groups == ("base2", "base0")
    for rows in (None, np.array([2, 0])):
        assert request_of(**given).problem(rows).hints == Hints()


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


def test_the_context_is_the_sha256_of_the_documented_content(request_of, table):
    made = request_of(method="random", seed=7, require=["p3"])
    content = {
        "method": "random",
        "scores": table.content_hash,
        "seed": 7,
        "settings": {"require": ["p3"]},
        "version": flasheval.__version__,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert made.context() == hashlib.sha256(text.encode()).hexdigest()
    assert request_of(method="random", seed=7, require=["p3"]).context() == made.context()


def test_whatever_changes_the_units_changes_the_context(request_of, table):
    values = table["clip"].values.copy()
    values[0, 0] = np.nextafter(values[0, 0], np.float32(np.inf))
    nudged = replace(
        table, matrices={**table.matrices, "clip": replace(table["clip"], values=values)}
    )
    requests = [
        request_of(),
        request_of(seed=1),
        request_of(method="shared"),
        request_of(settings={"noise_weight": 2.0 + 1e-12}),
        request_of(nested=[3, 5]),
        request_of(nested=[4, 5]),
        request_of(require=["p1"]),
        request_of(forbid=["p1"]),
        request_of(warm_start=["p1"]),
        request_of(require=["p1", "p2"]),
        request_of(require=["p2", "p1"]),
        request_of(on=table.with_metrics(["clip"])),
        request_of(on=nudged),
    ]
    assert len({made.context() for made in requests}) == len(requests)


def test_hints_are_in_the_context_of_the_methods_that_borrow(request_of, table):
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
        contexts = {request_of(on=served, method=method, hints=hints).context() for hints in every}
        assert len(contexts) == (len(every) if selector.borrows else 1)


def test_the_size_is_not_in_the_context(request_of):
    # A unit is keyed by its own size, so searches of several sizes may share a folder.
    assert request_of(size=4).context() == request_of(size=5).context()


# --- names and sizes ----------------------------------------------------------------------------


def test_the_name_says_prompt_set_metric_method_and_size(request_of, table):
    assert subset_name(request_of(), None) == "made-up-0-clip+fid-balanced-5"
    assert subset_name(request_of(nested=[3, 7]), None) == "made-up-0-clip+fid-balanced-7"
    one = request_of(on=table.with_metrics(["fid"]), method="pooled")
    assert subset_name(one, None) == "made-up-0-fid-pooled-5"
    assert subset_name(request_of(), "mine") == "mine"


@pytest.mark.parametrize("metric", ["[/oops]", "a\0b", "..", "\u202e", "長" * 90, "x" * 200])
def test_a_name_made_from_any_metric_is_good_for_a_file(request_of, make_table, metric):
    name = subset_name(request_of(on=make_table(8, 20, (metric,))), None)
    assert safe_name(name) == name
    assert name.startswith("made-up-0-")
    assert name.endswith("-5")


def test_a_size_beyond_the_prompts_is_refused_before_anything_is_drawn(request_of, table):
    with pytest.raises(SettingError, match=f"size=999 is above the {table.n_prompts} prompts"):
        request_of(size=999)
    with pytest.raises(SettingError, match="size=2 is smaller than the 3 required"):
        request_of(size=2, require=table.prompts.ids[:3])
    with pytest.raises(SettingError, match="to choose from"):
        request_of(size=table.n_prompts, forbid=table.prompts.ids[:1])


def test_no_search_takes_the_name_of_a_shipped_subset(request_of):
    """By the form of the names: shipped ones have three parts, those of a search four or more."""
    assert {len(name.split("-")) for name in bundled()} == {3}
    assert len(subset_name(request_of(), None).removeprefix("made-up-0").split("-")) == 4
    for name in ("coco-shared-50", "Miniature-CLIP-5"):
        with pytest.raises(SettingError, match=f"name={name} is the name of a shipped .*=my-"):
            subset_name(request_of(), name)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "a\0b"])
def test_a_name_must_be_good_for_a_file(request_of, name):
    with pytest.raises(DataError, match="cannot be a file name"):
        subset_name(request_of(), name)


def test_measured_sizes_start_with_the_one_asked_for(request_of):
    assert measured_sizes(request_of(), None) == (5,)
    assert measured_sizes(request_of(), []) == (5,)
    assert measured_sizes(request_of(), [8, 5, 2, 8]) == (5, 2, 8)
    assert measured_sizes(request_of(nested=[2, 5]), [8]) == (2, 5)
    assert measured_sizes(request_of(nested=[2, 5]), "auto") == (2, 5)


def test_auto_takes_the_round_sizes_that_fit_where_a_search_is_cheap(request_of, make_table):
    many = make_table(4, 101)
    assert measured_sizes(request_of(on=many, size=7), "auto") == (7, 10, 20, 50, 100)
    assert measured_sizes(request_of(on=many, size=20), "auto") == (20, 10, 50, 100)
    # 11 required and 2 forbidden of 101 leave the sizes 11 to 99.
    ids = many.prompts.ids
    narrow = request_of(on=many, size=15, require=ids[:11], forbid=ids[-2:])
    assert measured_sizes(narrow, "auto") == (15, 20, 50)
    edge = request_of(on=many, size=15, require=ids[:10], forbid=ids[-1:])
    assert measured_sizes(edge, "auto") == (15, 10, 20, 50, 100)
    assert measured_sizes(request_of(on=many, method="evolve"), "auto") == (5,)
    assert measured_sizes(request_of(), "auto") == (5, 10)


def test_sizes_of_the_curve_must_fit_what_is_required_and_forbidden(request_of):
    narrow = request_of(require=["p1", "p2"], forbid=["p3"])
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
        request = make_request(make_table(n), make_selector(method), 5, seed=3)
        return calibration_folds(request, calibrate, expect, None)

    assert len(folds("auto")) == len(folds(True)) == 8
    assert folds(False) == folds("auto", n=7) == folds("auto", method="frequency") == ()
    assert len(folds(True, method="frequency")) == 8
    assert folds("auto", expect="new_family")[0].groups == ("base0",)
    with pytest.raises(SettingError, match="calibrate=1: expected true, false or auto"):
        folds(1)


IMAGES = synthetic_scores(10, 40, images=3)


def test_a_search_of_some_images_sees_no_other_one():
    """Not in its scores, its images, its noise or its hints: all else may be anything."""
    part = IMAGES.with_metrics(["quality"])
    request = make_request(part, make_selector("pooled"), 5, hints=hints_for(IMAGES, part))
    rows, use = np.array([1, 4, 6, 7]), image_halves(3)
    found = request.problem(rows, use)
    single = IMAGES["quality"].images
    np.testing.assert_array_equal(found.images[0], single[rows][:, :, :2])
    np.testing.assert_allclose(found.scores[0], single[rows][:, :, :2].mean(axis=2), rtol=1e-6)
    other = IMAGES["alignment"].images[rows][:, :, :2].mean(axis=2)
    np.testing.assert_allclose(found.hints.scores[0], other, rtol=1e-6)
    assert found.images_used == 1  # it is judged by the third alone
    whole = request.problem(rows)
    assert whole.images[0].shape == (4, 40, 3)
    assert whole.images_used is None
    np.testing.assert_array_equal(whole.scores[0], IMAGES["quality"].values[rows])


def test_one_image_makes_no_rows_of_images(table):
    request = make_request(table, make_selector("anneal"), 5, images_per_prompt=4)
    assert request.problem().images is None
    assert "images_per_prompt" not in request.settings()  # it changes nothing of the search


def test_images_are_settings_where_they_change_the_subset():
    asked = {"images_per_prompt": 1, "images_as": "mean"}
    selector = make_selector("anneal")
    plain = make_request(IMAGES, selector, 5)
    assert not asked.keys() & plain.settings().keys()
    assert not asked.keys() & make_request(IMAGES, selector, 5, images_per_prompt=3).settings()
    changed = make_request(IMAGES, selector, 5, **asked)
    assert asked.items() <= changed.settings().items()
    assert changed.context() != plain.context()
    assert changed.problem().images_used == 1


@pytest.mark.parametrize(
    ("method", "scores", "words"),
    [
        ("pooled", IMAGES, "method 'pooled' sees the mean of a prompt's images only"),
        ("anneal", synthetic_scores(6, 20), "images_as=rows: the scores have one image a prompt"),
    ],
)
def test_rows_where_there_are_none_are_one_line(method, scores, words):
    with pytest.raises(SettingError, match=words):
        make_request(scores, make_selector(method), 5, images_as="rows")


@pytest.mark.parametrize("method", METHODS)
def test_methods_that_see_rows_say_so(method, monkeypatch):
    """Whoever asks for the rows is a method that says it sees them."""
    asked = []
    real = Problem.search_rows
    monkeypatch.setattr(Problem, "search_rows", lambda one: asked.append(1) or real(one))
    selector = make_selector(method)
    request = make_request(IMAGES.with_metrics(["quality"]), selector, 4)
    selector.prepare(request.problem())
    assert bool(asked) == (getattr(selector, "image_rows", False) and method != "auto")
