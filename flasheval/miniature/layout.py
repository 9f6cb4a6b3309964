"""Laying out a scene: placing its things at random in a way that the caption allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flasheval.miniature.world import Scene, Thing

__all__ = ["AREAS", "Item", "Picture", "fits_relation", "lay_out"]

# Radii as shares of the picture's width, by the caption's word; fewer than three of a kind.
_RADII = {"small": (0.10, 0.12), None: (0.155, 0.20), "large": (0.25, 0.29)}
_LOW, _HIGH = (0.0, 0.38), (0.62, 1.0)
_ALL, _MIDDLE = (0.0, 1.0), (0.38, 0.62)
# Where the centre of a thing lies, as shares of width and height from the top left corner.
AREAS: dict[str | None, tuple[tuple[float, float], tuple[float, float]]] = {
    None: (_ALL, _ALL),
    "top": (_ALL, _LOW),
    "bottom": (_ALL, _HIGH),
    "left": (_LOW, _ALL),
    "right": (_HIGH, _ALL),
    "middle": (_MIDDLE, _MIDDLE),
    "top left": (_LOW, _LOW),
    "top right": (_HIGH, _LOW),
    "bottom left": (_LOW, _HIGH),
    "bottom right": (_HIGH, _HIGH),
}


@dataclass(frozen=True)
class Item:
    """One shape of a picture: centre and radius as shares of its width, from the top left."""

    shape: str
    colour: str
    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Picture:
    """The shapes of a picture with their exact places, and its background and style.

    >>> Picture((Item("star", "red", 0.5, 0.5, 0.2),), background="beige").items[0].shape
    'star'
    """

    items: tuple[Item, ...]
    background: str | None = None
    style: str | None = None


def lay_out(scene: Scene, rng: np.random.Generator) -> Picture:
    """Place the things of `scene` at random so that its caption is true and nothing overlaps.

    >>> from flasheval.miniature.world import parse_caption
    >>> scene = parse_caption("a red circle above two blue squares")
    >>> picture = lay_out(scene, np.random.default_rng(0))
    >>> top, *others = picture.items
    >>> all(top.y < other.y for other in others)
    True
    """
    shrink = 1.0
    while True:
        for _ in range(8):
            items = _try(scene, rng, shrink)
            if items is not None:
                return Picture(items, scene.background, scene.style)
        shrink *= 0.94  # crowded scenes get smaller things, until they fit


def fits_relation(relation: str, first: Item, second: Item, gap: float = 0.0) -> bool:
    """Tell whether `first` lies `relation` of `second`, with centres more than `gap` apart.

    Distances are shares of the picture's width, along the axis of the relation.

    >>> star, moon = Item("star", "red", 0.5, 0.2, 0.1), Item("moon", "blue", 0.5, 0.7, 0.1)
    >>> fits_relation("above", star, moon), fits_relation("above", star, moon, gap=0.6)
    (True, False)
    """
    apart = {
        "above": second.y - first.y,
        "below": first.y - second.y,
        "left of": second.x - first.x,
        "right of": first.x - second.x,
    }[relation]
    return apart > gap


def _try(scene: Scene, rng: np.random.Generator, shrink: float) -> tuple[Item, ...] | None:
    """Place one thing after the other; None when one finds no room."""
    placed: list[tuple[int, Item]] = []
    for which, thing in enumerate(scene.things):
        radius = shrink * _radius(thing, rng)
        for _ in range(thing.count):
            for _ in range(12):
                item = _item(thing, radius, rng)
                if all(_apart(item, other) for _, other in placed) and (
                    not scene.relation
                    or all(
                        fits_relation(scene.relation, other, item, 0.8 * (other.radius + radius))
                        for other_thing, other in placed
                        if (other_thing, which) == (0, 1)
                    )
                ):
                    placed.append((which, item))
                    break
            else:
                return None
    return tuple(item for _, item in placed)


def _radius(thing: Thing, rng: np.random.Generator) -> float:
    low, high = _RADII[thing.size]
    crowd = 1.0 if thing.count < 3 or thing.size == "small" else 0.8
    return crowd * float(rng.uniform(low, high))


def _item(thing: Thing, radius: float, rng: np.random.Generator) -> Item:
    x, y = (_within(area, radius, rng) for area in AREAS[thing.place])
    return Item(thing.shape, thing.colour, x, y, radius)


def _within(area: tuple[float, float], radius: float, rng: np.random.Generator) -> float:
    low, high = max(area[0], radius + 0.03), min(area[1], 1 - radius - 0.03)
    return float(rng.uniform(low, max(low, high)))


def _apart(first: Item, second: Item) -> bool:
    distance = np.hypot(first.x - second.x, first.y - second.y)
    return bool(distance > 1.1 * (first.radius + second.radius))
