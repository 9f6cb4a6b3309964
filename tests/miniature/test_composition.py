"""Checks against numbers worked out by hand, and exact layouts against near misses."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flasheval.miniature.composition import compare
from flasheval.miniature.layout import lay_out
from flasheval.miniature.prompts import LEVELS, draw_scene
from flasheval.miniature.sightings import Seen, Sighting, seen_exactly
from flasheval.miniature.world import parse_caption

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts" / "miniature"


def check(caption, *found, background=None, style=None):
    seen = Seen(found, {background: 1.0}, {style: 1.0})
    composition = compare(parse_caption(caption), seen)
    return [(c.kind, round(c.value, 6)) for c in composition.checks], composition.score


def at(shape, colour, x=0.5, y=0.5, radius=0.17, confidence=1.0, **others):
    return Sighting(shape, colour, x, y, radius, confidence, **others)


@pytest.fixture(scope="module")
def near_miss():
    sys.path.insert(0, str(SCRIPTS))
    try:
        return import_module("miniature_training.negatives").near_miss
    finally:
        sys.path.remove(str(SCRIPTS))


@settings(deadline=None, max_examples=200, derandomize=True)
@given(level=st.sampled_from(sorted(LEVELS)), seed=st.integers(0, 2**32))
def test_an_exact_layout_scores_1_and_a_near_miss_less(near_miss, level, seed):
    rng = np.random.default_rng(seed)
    scene = draw_scene(level, rng)
    picture = lay_out(scene, rng)
    exactly = compare(scene, seen_exactly(picture))
    assert exactly.score == 1.0
    assert exactly.right
    missed = near_miss(scene, rng)
    # A thing in the top left corner is at the top, too: such a miss is none.
    moved = [a.place != b.place for a, b in zip(scene.things, missed.things, strict=True)]
    assume(not any(moved))
    found = compare(missed, seen_exactly(picture))
    assert found.score < 1.0
    assert not found.right


@pytest.mark.parametrize(
    ("caption", "x", "y", "true"),
    [
        ("a red star at the top", 0.9, 0.38, True),
        ("a red star at the top", 0.1, 0.42, False),
        ("a red star in the top left corner", 0.2, 0.2, True),
        ("a red star in the top left corner", 0.5, 0.2, False),
        ("a red star in the middle", 0.5, 0.6, True),
        ("a red star in the middle", 0.5, 0.7, False),
        ("a red star on the right", 0.61, 0.9, True),  # within the slack of 0.62
    ],
)
def test_places(caption, x, y, true):
    values, score = check(caption, at("star", "red", x, y))
    expected = {"object": 1, "colour": 1, "count": 1, "place": float(true), "others": 1}
    assert dict(values) == expected
    assert score == pytest.approx((4 + true) / 5)


@pytest.mark.parametrize(
    ("caption", "radius", "others", "true"),
    [
        ("a small red star", 0.12, 0, True),
        ("a small red star", 0.16, 0, False),
        ("a large red star", 0.25, 0, True),
        ("a large red star", 0.18, 0, False),
        ("a large red star and a blue moon", 0.18, 1, True),  # in company things are smaller
        ("a large red star and a blue moon", 0.12, 1, False),
    ],
)
def test_sizes(caption, radius, others, true):
    company = [at("moon", "blue", 0.1, 0.1)] * others
    values, _ = check(caption, at("star", "red", radius=radius), *company)
    assert dict(values)["size"] == float(true)


def test_colours_belong_to_their_shapes():
    values, score = check(
        "a red circle and a blue square", at("circle", "blue", 0.2), at("square", "red", 0.8)
    )
    assert values == [("object", 1), ("colour", 0), ("count", 0)] * 2 + [("others", 0)]
    assert score == pytest.approx(2 / 7)


def test_one_too_many_and_one_that_nobody_asked_for():
    star = at("star", "red")
    two = "two red stars"
    assert check(two, star, star)[1] == 1
    assert dict(check(two, star)[0]) == {"object": 1, "colour": 1, "count": 0, "others": 1}
    assert dict(check(two, star, star, star)[0])["count"] == 0
    values, score = check(two, star, star, at("moon", "blue"))
    assert dict(values) == {"object": 1, "colour": 1, "count": 1, "others": pytest.approx(2 / 3)}
    assert score == pytest.approx((3 + 2 / 3) / 4)


def test_an_empty_picture_scores_0():
    assert check("two red stars at the top above a small blue moon") == (
        [
            *(("object", 0), ("colour", 0), ("count", 0), ("place", 0)),
            *(("object", 0), ("colour", 0), ("count", 0), ("size", 0)),
            *(("relation", 0), ("others", 0)),
        ],
        0,
    )


def test_relations_count_pairs():
    stars = at("star", "red", 0.2, 0.2), at("star", "red", 0.8, 0.5)
    values, _ = check("two red stars to the left of a blue moon", *stars, at("moon", "blue"))
    assert dict(values)["relation"] == 0.5
    # 0.4 of radii of 0.17 each are 0.136: a moon 0.1 to the right is not clearly so.
    near = check(
        "a red star to the left of a blue moon", at("star", "red"), at("moon", "blue", 0.6)
    )
    assert dict(near[0])["relation"] == 0
    far = check("a red star to the left of a blue moon", at("star", "red"), at("moon", "blue", 0.7))
    assert far[1] == 1


def test_a_missing_thing_has_no_relation():
    values, _ = check(
        "two red stars above a blue moon", at("star", "red"), at("moon", "blue", y=0.9)
    )
    assert dict(values)["relation"] == 0.5


def test_ground_and_style_are_checked_where_they_are_said():
    star = at("star", "red")
    assert check("a red star", star, background="black", style="glossy")[1] == 1
    said = "a red star on a black background, glossy"
    assert check(said, star, background="black", style="glossy")[1] == 1
    assert check(said, star, background="white", style="glossy")[1] == pytest.approx(5 / 6)
    assert check(said, star, background="black")[1] == pytest.approx(5 / 6)


def test_probabilities_grade_every_check():
    star = at("star", "red", 0.2, 0.2, 0.1, 0.8, shapes={"star": 0.5, "cross": 0.5})
    also = at("star", "pink", 0.8, 0.2, 0.1, 0.5, colours={"pink": 0.6, "red": 0.4})
    values, score = check("a small red star on the left", star, also)
    # Of being a star 0.8 * 0.5 and 0.5; a red one 0.4 and 0.5 * 0.4.
    expected = {
        "object": 0.5,
        "colour": 0.4,
        "count": 0.4 * (1 - 0.2) + (1 - 0.4) * 0.2,
        "place": 0.4,
        "size": 0.4,
        "others": 0.6 / 1.3,
    }
    assert dict(values) == pytest.approx(expected, abs=1e-6)
    assert score == pytest.approx(sum(expected.values()) / 6)


def test_things_of_one_kind_are_told_apart_by_size_and_place():
    small, large = at("star", "red", 0.2, 0.5, 0.1), at("star", "red", 0.7, 0.5, 0.25)
    assert check("a small red star to the left of a large red star", small, large)[1] == 1
    turned, score = check("a large red star to the left of a small red star", small, large)
    assert dict(turned)["relation"] == 0
    assert score == pytest.approx(9 / 10)


def test_order_does_not_matter():
    found = [at("star", "red", 0.1 * k, 0.3, 0.1, 0.3 + 0.1 * k) for k in range(6)]
    scene = parse_caption("two red stars on the left")
    scores = {
        compare(scene, Seen(tuple(np.roll(np.array(found, object), k)), {}, {})).score
        for k in range(6)
    }
    assert max(scores) - min(scores) < 1e-12


def test_shares_by_kind():
    seen = Seen((at("star", "red"),), {None: 1.0}, {None: 1.0})
    composition = compare(parse_caption("a red star and a blue moon"), seen)
    assert composition.share("object") == 0.5
    assert composition.share("place") is None
    assert not composition.right
