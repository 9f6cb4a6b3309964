"""Captions that are nearly right: what a CLIP must learn to tell from the right one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from flasheval.miniature.world import (
    BACKGROUNDS,
    COLOURS,
    PLACES,
    SHAPES,
    SIZES,
    STYLES,
    Scene,
    Thing,
)

__all__ = ["near_miss"]

_OPPOSITE = {"above": "below", "below": "above", "left of": "right of", "right of": "left of"}


def near_miss(scene: Scene, rng: np.random.Generator) -> Scene:
    """Return `scene` with one thing it says made false: a colour swapped, a relation turned.

    >>> from flasheval.miniature.world import parse_caption
    >>> scene = parse_caption("a red circle above a blue square")
    >>> near_miss(scene, np.random.default_rng(4)) != scene
    True
    """
    ways = [_recolour, _reshape, _recolour, _reshape]
    if len(scene.things) > 1:
        ways += [_swap_colours] * 5
    if scene.relation:
        ways += [lambda s, _: replace(s, relation=_OPPOSITE[s.relation])] * 3
    if any(thing.count > 1 for thing in scene.things):
        ways += [_recount] * 3
    if any(thing.size for thing in scene.things):
        ways += [_resize] * 2
    if any(thing.place for thing in scene.things):
        ways += [_replace_place] * 4
    if scene.background:
        ways += [lambda s, r: replace(s, background=_other(BACKGROUNDS, s.background, r))]
    if scene.style:
        ways += [lambda s, r: replace(s, style=_other(STYLES, s.style, r))]
    return ways[int(rng.integers(len(ways)))](scene, rng)


def _recolour(scene: Scene, rng: np.random.Generator) -> Scene:
    return _change(scene, rng, lambda t: replace(t, colour=_other(COLOURS, t.colour, rng)))


def _reshape(scene: Scene, rng: np.random.Generator) -> Scene:
    return _change(scene, rng, lambda t: replace(t, shape=_other(SHAPES, t.shape, rng)))


def _swap_colours(scene: Scene, rng: np.random.Generator) -> Scene:
    things = list(scene.things)
    a, b = rng.permutation(len(things))[:2]
    first, second = things[a], things[b]
    things[a] = replace(first, colour=second.colour)
    things[b] = replace(second, colour=first.colour)
    return replace(scene, things=tuple(things))


def _recount(scene: Scene, rng: np.random.Generator) -> Scene:
    def change(thing: Thing) -> Thing:
        return replace(thing, count=int(_other(("1", "2", "3", "4"), str(thing.count), rng)))

    return _change(scene, rng, change, [thing.count > 1 for thing in scene.things])


def _resize(scene: Scene, rng: np.random.Generator) -> Scene:
    can = [thing.size is not None for thing in scene.things]
    return _change(scene, rng, lambda t: replace(t, size=_other(SIZES, t.size, rng)), can)


def _replace_place(scene: Scene, rng: np.random.Generator) -> Scene:
    can = [thing.place is not None for thing in scene.things]
    places = tuple(PLACES)
    return _change(scene, rng, lambda t: replace(t, place=_other(places, t.place, rng)), can)


def _change(
    scene: Scene,
    rng: np.random.Generator,
    change: Callable[[Thing], Thing],
    can: Sequence[bool] | None = None,
) -> Scene:
    """Apply `change` to one thing at random, of those that `can`."""
    things = list(scene.things)
    which = np.flatnonzero(can if can else [True] * len(things))
    chosen = int(which[rng.integers(len(which))])
    things[chosen] = change(things[chosen])
    return replace(scene, things=tuple(things))


def _other(choices: tuple[str, ...], not_this: str | None, rng: np.random.Generator) -> str:
    left = [choice for choice in choices if choice != not_this]
    return left[int(rng.integers(len(left)))]
