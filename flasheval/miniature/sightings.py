"""Things seen in a picture of the drawn world, with their probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from flasheval.miniature.layout import Item, Picture

__all__ = ["Seen", "Sighting", "seen_exactly"]


@dataclass(frozen=True)
class Sighting(Item):
    """One shape that was found, its likeliest shape and colour first.

    Attributes:
        confidence: The probability that there is a shape.
        shapes: The probability of each shape, given that there is one; empty when certain.
        colours: The probability of each colour, given that there is one; empty when certain.

    >>> found = Sighting("star", "red", 0.5, 0.5, 0.2, 0.9, colours={"red": 0.8, "pink": 0.2})
    >>> found.of_shape("star"), round(found.of("star", "pink"), 3)
    (0.9, 0.18)

    """

    confidence: float = 1.0
    shapes: Mapping[str, float] = field(default_factory=dict)
    colours: Mapping[str, float] = field(default_factory=dict)

    def of_shape(self, shape: str) -> float:
        """Return the probability that it is there and of this shape.

        >>> shapes = {"star": 0.75, "cross": 0.25}
        >>> found = Sighting("star", "red", 0.5, 0.5, 0.2, confidence=0.5, shapes=shapes)
        >>> found.of_shape("cross"), found.of_shape("heart")
        (0.125, 0.0)
        """
        return self.confidence * (self.shapes or {self.shape: 1.0}).get(shape, 0.0)

    def of(self, shape: str, colour: str) -> float:
        """Return the probability that it is there, of this shape and this colour.

        >>> colours = {"red": 0.75, "pink": 0.25}
        >>> found = Sighting("star", "red", 0.5, 0.5, 0.2, confidence=0.5, colours=colours)
        >>> found.of("star", "pink"), found.of("cross", "red")
        (0.125, 0.0)
        """
        return self.of_shape(shape) * (self.colours or {self.colour: 1.0}).get(colour, 0.0)


@dataclass(frozen=True)
class Seen:
    """Everything seen in one picture.

    Attributes:
        found: Its things, in no order.
        backgrounds: The probability of each background; None is the plain grey one.
        styles: The probability of each style; None is flat colours. Empty where nothing is found.

    """

    found: tuple[Sighting, ...]
    backgrounds: Mapping[str | None, float]
    styles: Mapping[str | None, float]


def seen_exactly(picture: Picture) -> Seen:
    """Return what a detector without error sees in `picture`.

    >>> seen_exactly(Picture((), background="beige")).backgrounds
    {'beige': 1.0}
    """
    return Seen(
        tuple(Sighting(**asdict(item)) for item in picture.items),
        {picture.background: 1.0},
        {picture.style: 1.0},
    )
