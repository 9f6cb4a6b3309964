"""Composition score: how well the things seen in a picture fit its caption, check by check.

It follows GenEval (Ghosh et al. 2023, arXiv 2310.11513), which checks objects, colours, counts and
positions with a detector. Here every check is graded by the detector's probabilities, so that one
picture a prompt carries more information.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Literal

from flasheval.miniature.layout import AREAS, Item, fits_relation
from flasheval.miniature.sightings import Seen, Sighting
from flasheval.miniature.world import Scene, Thing

__all__ = ["Check", "Composition", "compare"]

Kind = Literal[
    "object", "colour", "count", "place", "size", "relation", "others", "background", "style"
]
_SLACK = 0.02  # a centre is found to less than a pixel, 1/32
_GAP = 0.4  # of the two radii: half of what `lay_out` keeps between the sides of a relation
# `lay_out` draws small things to 0.12 and large ones from 0.25, or from 0.14 in a crowd.
_SMALL, _LARGE_ALONE = 0.13, 0.21


@dataclass(frozen=True)
class Check:
    """One statement of a caption and the degree to which it is true, from 0 to 1.

    >>> from flasheval.miniature.layout import lay_out
    >>> from flasheval.miniature.sightings import seen_exactly
    >>> from flasheval.miniature.world import parse_caption
    >>> import numpy as np
    >>> scene = parse_caption("a red circle above a blue square")
    >>> compare(scene, seen_exactly(lay_out(scene, np.random.default_rng(0)))).checks[0]
    Check(kind='object', about='a red circle', value=1.0)
    """

    kind: Kind
    about: str
    value: float


@dataclass(frozen=True)
class Composition:
    """The result of `compare`: one check for every statement of the caption."""

    checks: tuple[Check, ...]

    @property
    def score(self) -> float:
        """The mean over all checks, in [0, 1].

        >>> Composition((Check("object", "a star", 1.0), Check("count", "a star", 0.5))).score
        0.75
        """
        return fsum(check.value for check in self.checks) / len(self.checks)

    @property
    def right(self) -> bool:
        """Whether every check is above 1/2.

        >>> Composition((Check("object", "a star", 1.0), Check("count", "a star", 0.5))).right
        False
        """
        return all(check.value > 0.5 for check in self.checks)

    def share(self, kind: Kind) -> float | None:
        """Return the mean over the checks of a kind, or None when there are none.

        >>> found = Composition((Check("count", "a star", 1.0), Check("count", "a heart", 0.5)))
        >>> found.share("count"), found.share("size")
        (0.75, None)
        """
        values = [check.value for check in self.checks if check.kind == kind]
        return fsum(values) / len(values) if values else None


def compare(scene: Scene, seen: Seen) -> Composition:
    """Compare the scene that a caption asks for with the things seen in a picture.

    Let m be the probability that a found thing is there with the shape and colour of a thing that
    is asked for, n how many are asked for, and *its best* the n found things of largest m, where m
    counts double in the place asked for and again at the size asked for. Of every thing:

    - object: the largest probability, over the found, of being there with its shape;
    - colour: the largest m, which is shape and colour in one;
    - count: the probability that exactly n are there, each found thing independently with its m;
    - place, if asked: the sum of m over those of its best whose centre is there, over n;
    - size, if asked: the same sum for those of the size asked for; small is a radius below 0.13
      widths, large one above 0.21 where nothing else is asked for and above 0.13 in company, where
      `lay_out` shrinks things too.

    And of the picture, the first and the last two only if the caption says something about it:

    - relation: the sum of m1 m2 over those pairs of the best of the first and of the second thing
      that lie so, 0.4 of their radii apart or more, over the number of pairs n1 n2;
    - others: the share that was asked for of all that was found, both as expected numbers; 0 of
      an empty picture;
    - background, style: the probability of the one asked for.

    A picture that is exactly as laid out for the scene scores 1.

    Args:
        scene: The scene that the caption asks for, from `parse_caption`.
        seen: The things a detector found.

    Example:
        >>> from flasheval.miniature.world import parse_caption
        >>> seen = Seen((Sighting("circle", "blue", 0.5, 0.5, 0.2),), {None: 1.0}, {None: 1.0})
        >>> composition = compare(parse_caption("a red circle"), seen)
        >>> [(check.kind, check.value) for check in composition.checks]
        [('object', 1.0), ('colour', 0.0), ('count', 0.0), ('others', 0.0)]
        >>> composition.score
        0.25

    """
    best = [_best(thing, scene, seen) for thing in scene.things]
    checks = [
        check
        for thing, ones in zip(scene.things, best, strict=True)
        for check in _of_thing(thing, ones, scene, seen)
    ]
    if scene.relation:
        checks.append(Check("relation", scene.relation, _relation(scene, best)))
    checks.append(Check("others", "nothing else", _asked(scene, seen)))
    if scene.background:
        share = seen.backgrounds.get(scene.background, 0.0)
        checks.append(Check("background", scene.background, share))
    if scene.style:
        checks.append(Check("style", scene.style, seen.styles.get(scene.style, 0.0)))
    return Composition(tuple(checks))


def _of_thing(thing: Thing, best: list[Sighting], scene: Scene, seen: Seen) -> list[Check]:
    matches = [found.of(thing.shape, thing.colour) for found in seen.found]
    asked = sum(other.count for other in scene.things if _kind(other) == _kind(thing))
    shown = max((found.of_shape(thing.shape) for found in seen.found), default=0.0)
    values: dict[Kind, float] = {
        "object": shown,
        "colour": max(matches, default=0.0),
        "count": _exactly(asked, matches),
    }
    if thing.place:
        there = [found for found in best if _in_place(thing, found)]
        values["place"] = fsum(found.of(*_kind(thing)) for found in there) / thing.count
    if thing.size:
        sized = [found for found in best if _has_size(thing, found, scene)]
        values["size"] = fsum(found.of(*_kind(thing)) for found in sized) / thing.count
    return [Check(kind, thing.phrase, value) for kind, value in values.items()]


def _best(thing: Thing, scene: Scene, seen: Seen) -> list[Sighting]:
    """Return the found that are most likely the thing, at most as many as are asked for."""

    def fit(found: Sighting) -> float:
        fits = bool(thing.place) * _in_place(thing, found)
        fits += bool(thing.size) * _has_size(thing, found, scene)
        return found.of(thing.shape, thing.colour) * (1 + fits)

    return sorted(seen.found, key=fit, reverse=True)[: thing.count]


def _relation(scene: Scene, best: list[list[Sighting]]) -> float:
    first, second = scene.things[:2]
    total = fsum(
        a.of(first.shape, first.colour) * b.of(second.shape, second.colour)
        for a in best[0]
        for b in best[1]
        if fits_relation(scene.relation or "", a, b, _GAP * (a.radius + b.radius))
    )
    return total / (first.count * second.count)


def _asked(scene: Scene, seen: Seen) -> float:
    kinds = {_kind(thing) for thing in scene.things}
    there = fsum(found.confidence for found in seen.found)
    asked = fsum(found.of(*kind) for found in seen.found for kind in sorted(kinds))
    return asked / there if there else 0.0


def _exactly(count: int, chances: list[float]) -> float:
    """Return the probability that `count` of independent events happen.

    >>> _exactly(1, [0.5, 0.5])
    0.5
    """
    so_far = [1.0] + [0.0] * count  # of 0, 1, ..., count events
    for chance in chances:
        before = [0.0, *so_far[:-1]]
        so_far = [a * (1 - chance) + b * chance for a, b in zip(so_far, before, strict=True)]
    return so_far[count]


def _in_place(thing: Thing, item: Item) -> bool:
    return all(
        low - _SLACK <= at <= high + _SLACK
        for at, (low, high) in zip((item.x, item.y), AREAS[thing.place], strict=True)
    )


def _has_size(thing: Thing, item: Item, scene: Scene) -> bool:
    if thing.size == "small":
        return item.radius < _SMALL
    alone = sum(other.count for other in scene.things) == 1
    return item.radius > (_LARGE_ALONE if alone else _SMALL)


def _kind(thing: Thing) -> tuple[str, str]:
    return thing.shape, thing.colour
