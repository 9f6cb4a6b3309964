"""The drawn world: scenes of coloured shapes, and the captions that describe them.

A `Scene` is what a caption asks for; `caption` and `parse_caption` turn one into the other, so a
scorer knows exactly what a prompt wants. Where the things of a scene lie is decided by `layout`,
how they look by `drawing`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flasheval.base.errors import DataError

__all__ = [
    "BACKGROUNDS",
    "COLOURS",
    "COUNTS",
    "PLACES",
    "RELATIONS",
    "SHAPES",
    "SIZES",
    "STYLES",
    "Scene",
    "Thing",
    "parse_caption",
]

SHAPES = ("circle", "square", "triangle", "diamond", "star", "heart", "cross", "moon")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "black", "white")
SIZES = ("small", "large")
COUNTS = ("one", "two", "three", "four")
PLACES = {
    "top": "at the top",
    "bottom": "at the bottom",
    "left": "on the left",
    "right": "on the right",
    "middle": "in the middle",
    "top left": "in the top left corner",
    "top right": "in the top right corner",
    "bottom left": "in the bottom left corner",
    "bottom right": "in the bottom right corner",
}
RELATIONS = {
    "above": "above",
    "below": "below",
    "left of": "to the left of",
    "right of": "to the right of",
}
BACKGROUNDS = ("white", "black", "beige", "striped", "checkered")
STYLES = ("outlined", "shadowed", "glossy")


@dataclass(frozen=True)
class Thing:
    """One or more equal shapes of a scene.

    `size` and `place` are None where the caption leaves them open.

    >>> Thing("star", "orange", size="small", count=2, place="top").phrase
    'two small orange stars at the top'
    """

    shape: str
    colour: str
    size: str | None = None
    count: int = 1
    place: str | None = None

    @property
    def phrase(self) -> str:
        """The thing as words of a caption.

        >>> Thing("cross", "red", count=3).phrase, Thing("moon", "orange").phrase
        ('three red crosses', 'an orange moon')
        """
        words = [word for word in (self.size, self.colour) if word]
        if self.count == 1:
            words.insert(0, "an" if words[0][0] in "aeiou" else "a")
        else:
            words.insert(0, COUNTS[self.count - 1])
        words.append(_plural(self.shape) if self.count > 1 else self.shape)
        if self.place:
            words.append(PLACES[self.place])
        return " ".join(words)


@dataclass(frozen=True)
class Scene:
    """The things, relation, background and style that a caption asks for.

    `relation` holds between the first thing and the second, where there are two. `background` and
    `style` are None for the plain grey ground and flat colours, which captions leave unsaid.

    >>> things = (Thing("circle", "red"), Thing("heart", "blue", count=2))
    >>> Scene(things, relation="left of", style="glossy").caption
    'a red circle to the left of two blue hearts, glossy'
    """

    things: tuple[Thing, ...]
    relation: str | None = None
    background: str | None = None
    style: str | None = None

    @property
    def caption(self) -> str:
        """The scene as a caption.

        >>> things = (Thing("star", "red"), Thing("moon", "blue"), Thing("cross", "pink"))
        >>> Scene(things, background="black").caption
        'a red star, a blue moon and a pink cross on a black background'
        """
        phrases = [thing.phrase for thing in self.things]
        if self.relation:
            said = f" {RELATIONS[self.relation]} ".join(phrases)
        else:
            said = " and ".join(filter(None, (", ".join(phrases[:-1]), phrases[-1])))
        if self.background:
            said += f" on a {self.background} background"
        return f"{said}, {self.style}" if self.style else said


def parse_caption(caption: str) -> Scene:
    """Return the scene that `caption` asks for: the inverse of `Scene.caption`.

    Raises:
        DataError: It is not a sentence of the drawn world.

    Example:
        >>> parse_caption("an orange star on a black background").things
        (Thing(shape='star', colour='orange', size=None, count=1, place=None),)

    """
    rest, style = _last(caption.strip(), ", ", STYLES)
    ground = re.fullmatch(rf"(.*) on a ({'|'.join(BACKGROUNDS)}) background", rest)
    background = ground.group(2) if ground else None
    rest = ground.group(1) if ground else rest
    relation, phrases = _parted(rest)
    try:
        return Scene(tuple(map(_parse_thing, phrases)), relation, background, style)
    except ValueError as error:
        raise DataError(
            f"caption {caption!r}: {error}; expected a sentence of the drawn world, such as "
            "'two small red circles above a blue square on a black background'"
        ) from None


def _parted(said: str) -> tuple[str | None, list[str]]:
    """Split into the phrases of things, with the relation of two if it is said."""
    for relation, words in RELATIONS.items():
        phrases = said.split(f" {words} ")
        if len(phrases) == 2:
            return relation, phrases
    return None, re.split(", | and ", said)


def _plural(shape: str) -> str:
    return f"{shape}es" if shape == "cross" else f"{shape}s"


_PLACE_OF = {words: place for place, words in PLACES.items()}
_SHAPE_OF = {word: shape for shape in SHAPES for word in (shape, _plural(shape))}
_PHRASE = re.compile(
    rf"(?P<count>an?|{'|'.join(COUNTS[1:])})(?: (?P<size>{'|'.join(SIZES)}))?"
    rf" (?P<colour>{'|'.join(COLOURS)}) (?P<shape>{'|'.join(_SHAPE_OF)})"
    rf"(?: (?P<place>{'|'.join(_PLACE_OF)}))?"
)


def _parse_thing(phrase: str) -> Thing:
    found = _PHRASE.fullmatch(phrase)
    if not found:
        raise ValueError(f"no thing is called {phrase!r}")
    words = found.groupdict()
    count = COUNTS.index(words["count"]) + 1 if words["count"] in COUNTS else 1
    thing = Thing(
        _SHAPE_OF[words["shape"]],
        words["colour"],
        words["size"],
        count,
        _PLACE_OF[words["place"]] if words["place"] else None,
    )
    if thing.phrase != phrase:
        raise ValueError(f"{phrase!r} is not how {thing.phrase!r} is said")
    return thing


def _last(text: str, separator: str, words: tuple[str, ...]) -> tuple[str, str | None]:
    """Split a known last word off."""
    head, _, tail = text.rpartition(separator)
    return (head, tail) if head and tail in words else (text, None)
