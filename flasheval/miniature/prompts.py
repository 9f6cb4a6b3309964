"""Captions of the drawn world at random, from easy to hard, and the prompt set made of them."""

from __future__ import annotations

import numpy as np

from flasheval.miniature.world import (
    BACKGROUNDS,
    COLOURS,
    PLACES,
    RELATIONS,
    SHAPES,
    SIZES,
    STYLES,
    Scene,
    Thing,
)
from flasheval.prompts import PromptSet

__all__ = ["LEVELS", "draw_scene", "miniature_prompts"]

# Prompts of each level in the prompt set; `one` and `size` are all there are.
LEVELS = {
    "one": 72,
    "size": 144,
    "place": 200,
    "count": 150,
    "background": 150,
    "style": 130,
    "two": 250,
    "relation": 350,
    "three": 250,
    "mixed": 304,
}


def draw_scene(level: str, rng: np.random.Generator) -> Scene:
    """Return a scene of `level`, one of `LEVELS`, at random.

    >>> draw_scene("relation", np.random.default_rng(2)).relation in RELATIONS
    True
    """
    background = _pick(BACKGROUNDS, rng) if level == "background" else None
    style = _pick(STYLES, rng) if level == "style" else None
    relation = _pick(tuple(RELATIONS), rng) if level == "relation" else None
    if level in ("two", "relation"):
        things = _different(2, rng)
    elif level == "three":
        things = _different(3, rng)
    elif level == "mixed":
        return _mixed(rng)
    else:
        things = (_one(level, rng),)
    return _visible(Scene(things, relation, background, style), level, rng)


def miniature_prompts() -> PromptSet:
    """Return the 2,000 prompts of the miniature, the same on every call.

    An id is the level and a number, as in `relation-017`. Levels are mixed, so that the first
    hundred prompts are a fair sample.

    >>> prompts = miniature_prompts()
    >>> len(prompts.ids), len({prompt_id.partition("-")[0] for prompt_id in prompts.ids[:100]})
    (2000, 10)
    """
    rng = np.random.default_rng(20240316)
    captions: dict[str, str] = {}
    for level, count in LEVELS.items():
        found = 0
        while found < count:
            caption = draw_scene(level, rng).caption
            if caption not in captions:
                captions[caption] = f"{level}-{found:03d}"
                found += 1
    texts = list(captions)
    texts = [texts[k] for k in rng.permutation(len(texts))]
    return PromptSet("miniature", tuple(captions[text] for text in texts), tuple(texts))


def _one(level: str, rng: np.random.Generator) -> Thing:
    return Thing(
        _pick(SHAPES, rng),
        _pick(COLOURS, rng),
        size=_pick(SIZES, rng) if level == "size" else None,
        count=int(rng.integers(2, 5)) if level == "count" else 1,
        place=_pick(tuple(PLACES), rng) if level == "place" else None,
    )


def _different(count: int, rng: np.random.Generator) -> tuple[Thing, ...]:
    """Return things that differ pairwise in shape and colour, or they could not be told apart."""
    shapes = rng.permutation(len(SHAPES))[:count]
    colours = rng.permutation(len(COLOURS))[:count]
    return tuple(
        Thing(SHAPES[shape], COLOURS[colour]) for shape, colour in zip(shapes, colours, strict=True)
    )


def _mixed(rng: np.random.Generator) -> Scene:
    """Two or three things with a size or a count each, often a relation, a ground and a style."""
    things = []
    for thing in _different(int(rng.integers(2, 4)), rng):
        kind = rng.integers(3)
        things.append(
            Thing(
                thing.shape,
                thing.colour,
                size=_pick(SIZES, rng) if kind == 0 else None,
                count=int(rng.integers(2, 4)) if kind == 1 else 1,
            )
        )
    relation = _pick(tuple(RELATIONS), rng) if len(things) == 2 else None
    background = _pick(BACKGROUNDS, rng) if rng.random() < 0.6 else None
    style = _pick(STYLES, rng) if rng.random() < 0.4 else None
    return _visible(Scene(tuple(things), relation, background, style), "mixed", rng)


def _visible(scene: Scene, level: str, rng: np.random.Generator) -> Scene:
    """Return `scene`, or another where a thing would have the colour of its ground."""
    hidden = any(thing.colour == scene.background for thing in scene.things)
    return draw_scene(level, rng) if hidden else scene


def _pick(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
