"""The 2,000 prompts are distinct sentences of the drawn world, and the same on every machine."""

from collections import Counter

import numpy as np
import pytest

from flasheval.miniature.prompts import LEVELS, draw_scene, miniature_prompts
from flasheval.miniature.world import COLOURS, SHAPES, parse_caption


@pytest.fixture(scope="module")
def prompts():
    return miniature_prompts()


def test_two_thousand_that_never_change(prompts):
    assert len(set(prompts.ids)) == len(set(prompts.texts)) == 2000
    assert Counter(name.rpartition("-")[0] for name in prompts.ids) == LEVELS
    assert prompts.hash == miniature_prompts().hash
    assert prompts.hash.startswith("6f836e93")


def test_each_is_a_sentence_whose_things_can_be_told_apart(prompts):
    for text in prompts.texts:
        scene = parse_caption(text)
        assert scene.caption == text
        for part in ("shape", "colour"):
            assert len({getattr(thing, part) for thing in scene.things}) == len(scene.things)
        assert scene.background not in {thing.colour for thing in scene.things}


def test_the_easy_levels_are_complete(prompts):
    ones = [text for name, text in zip(prompts.ids, prompts.texts, strict=True) if "one-" in name]
    assert len({(t.shape, t.colour) for text in ones for t in parse_caption(text).things}) == 72
    assert len(SHAPES) * len(COLOURS) == 72


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_asks_for_what_it_is_called(level):
    rng = np.random.default_rng(5)
    for _ in range(30):
        scene = draw_scene(level, rng)
        first = scene.things[0]
        if level == "mixed":
            assert len(scene.things) in (2, 3)
            assert bool(scene.relation) == (len(scene.things) == 2)
            continue
        assert len(scene.things) == {"two": 2, "relation": 2, "three": 3}.get(level, 1)
        assert bool(scene.relation) == (level == "relation")
        assert bool(scene.background) == (level == "background")
        assert bool(scene.style) == (level == "style")
        assert bool(first.size) == (level == "size")
        assert bool(first.place) == (level == "place")
        assert (first.count > 1) == (level == "count")
