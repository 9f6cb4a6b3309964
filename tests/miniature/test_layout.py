"""What is laid out for a scene is what its caption says, apart, and inside the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.miniature.layout import AREAS, Item, fits_relation, lay_out
from flasheval.miniature.prompts import LEVELS, draw_scene
from flasheval.miniature.world import PLACES, parse_caption


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.sampled_from(sorted(LEVELS)), st.integers(0, 2**32))
def test_a_layout_is_true_to_its_scene(level, seed):
    rng = np.random.default_rng(seed)
    scene = draw_scene(level, rng)
    picture = lay_out(scene, rng)
    asked = [thing for thing in scene.things for _ in range(thing.count)]
    assert (picture.background, picture.style) == (scene.background, scene.style)
    assert len(picture.items) == len(asked)
    for thing, item in zip(asked, picture.items, strict=True):
        assert (item.shape, item.colour) == (thing.shape, thing.colour)
        (left, right), (top, bottom) = AREAS[thing.place]
        assert left <= item.x <= right
        assert top <= item.y <= bottom
        assert thing.size != "small" or item.radius <= 0.12
        assert thing.size != "large" or item.radius > 0.13
        for at in (item.x, item.y):
            assert item.radius < at < 1 - item.radius
    for number, one in enumerate(picture.items):
        for other in picture.items[:number]:
            assert np.hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius
    if scene.relation:
        split = scene.things[0].count
        for first in picture.items[:split]:
            for second in picture.items[split:]:
                assert fits_relation(scene.relation, first, second, first.radius)


def test_the_same_generator_gives_the_same_layout():
    scene = parse_caption("three red hearts above two blue moons")
    once, again = (lay_out(scene, np.random.default_rng(3)) for _ in range(2))
    assert once == again
    assert lay_out(scene, np.random.default_rng(4)) != once


@pytest.mark.parametrize(
    ("relation", "x", "y"),
    [("above", 0.5, 0.8), ("below", 0.5, 0.2), ("left of", 0.8, 0.5), ("right of", 0.2, 0.5)],
)
def test_relations_are_of_centres_along_one_axis(relation, x, y):
    first, second = Item("star", "red", 0.5, 0.5, 0.1), Item("moon", "blue", x, y, 0.1)
    assert fits_relation(relation, first, second)
    assert fits_relation(relation, first, second, 0.29)
    assert not fits_relation(relation, first, second, 0.31)
    assert not fits_relation(relation, second, first)
    assert not fits_relation(relation, first, first)


def test_every_place_has_its_area():
    assert set(AREAS) == {None, *PLACES}
