"""Pictures of the drawn world as pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from flasheval.miniature.layout import Item, Picture

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

__all__ = ["RGB", "SIZE", "draw"]

SIZE = 32  # pixels of a side
_FINE = 8  # drawn so many times larger, then averaged: smooth edges

RGB = {
    "red": (220, 38, 38),
    "orange": (245, 135, 25),
    "yellow": (250, 215, 45),
    "green": (40, 160, 65),
    "blue": (40, 85, 215),
    "purple": (135, 55, 175),
    "pink": (245, 130, 180),
    "black": (25, 25, 28),
    "white": (252, 252, 252),
}
_GROUNDS = {None: (178, 180, 184), "white": (252, 252, 252), "black": (25, 25, 28)}
_BEIGE, _PALE, _DARK = (232, 214, 172), (214, 216, 220), (150, 152, 158)


def draw(picture: Picture) -> Image.Image:
    """Draw `picture` at 32 x 32 pixels, RGB.

    >>> from flasheval.miniature.layout import Item
    >>> image = draw(Picture((Item("circle", "red", 0.5, 0.5, 0.3),)))
    >>> image.size, image.getpixel((16, 16)), image.getpixel((0, 0))
    ((32, 32), (220, 38, 38), (178, 180, 184))
    """
    from PIL import Image, ImageDraw

    image = _ground(picture.background)
    pen = ImageDraw.Draw(image)
    fine = SIZE * _FINE
    for item in picture.items:
        points = _outline(item)
        if picture.style == "shadowed":
            pen.polygon([(x + 0.045 * fine, y + 0.045 * fine) for x, y in points], (90, 90, 95))
        if picture.style == "outlined":
            pen.line([*points, *points[:2]], RGB[item.colour], round(0.055 * fine), "curve")
        else:
            pen.polygon(points, RGB[item.colour])
        if picture.style == "glossy":
            _shine(pen, item)
    return image.resize((SIZE, SIZE), Image.Resampling.BOX)


def _ground(background: str | None) -> Image.Image:
    from PIL import Image, ImageDraw

    fine = SIZE * _FINE
    plain = {**_GROUNDS, "beige": _BEIGE}.get(background, _PALE)
    image = Image.new("RGB", (fine, fine), plain)
    pen = ImageDraw.Draw(image)
    step = fine // 8
    for row in range(8):
        for column in range(8):
            dark = (background == "striped" and row % 2) or (
                background == "checkered" and (row // 2 + column // 2) % 2
            )
            if dark:
                x, y = column * step, row * step
                pen.rectangle((x, y, x + step - 1, y + step - 1), _DARK)
    return image


def _shine(pen: ImageDraw.ImageDraw, item: Item) -> None:
    fine = SIZE * _FINE
    x, y = (item.x - 0.22 * item.radius) * fine, (item.y - 0.18 * item.radius) * fine
    half = 0.24 * item.radius * fine
    pen.ellipse((x - half, y - half, x + half, y + half), (255, 255, 255))


def _outline(item: Item) -> list[tuple[float, float]]:
    """Return the corners of the item's polygon, in fine pixels."""
    fine = SIZE * _FINE
    return [
        (fine * (item.x + item.radius * x), fine * (item.y + item.radius * y))
        for x, y in _POLYGONS[item.shape]
    ]


def _turns(
    corners: int, start: float, radii: tuple[float, ...] = (1.0,)
) -> list[tuple[float, float]]:
    """Return points around a circle from `start` (radians), with radii in turn."""
    angles = start + 2 * math.pi * np.arange(corners) / corners
    return [
        (float(radii[k % len(radii)] * np.cos(a)), float(radii[k % len(radii)] * np.sin(a)))
        for k, a in enumerate(angles)
    ]


def _heart() -> list[tuple[float, float]]:
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x = np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16 - 0.1
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _moon() -> list[tuple[float, float]]:
    """Return a crescent, open to the right."""
    outer = np.linspace(0.22 * np.pi, 1.78 * np.pi, 40)
    tip = np.cos(outer[0]), np.sin(outer[0])
    inner = np.linspace(1.70 * np.pi, 0.30 * np.pi, 30)
    centre, radius = 0.32, np.hypot(tip[0] - 0.32, tip[1])
    points = [(np.cos(a), np.sin(a)) for a in outer]
    points += [(centre + radius * np.cos(a), radius * np.sin(a)) for a in inner]
    return [(float(x) + 0.15, float(y)) for x, y in points]


def _cross() -> list[tuple[float, float]]:
    a, b = 0.34, 0.98
    return [
        (-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a),
        (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a),
    ]  # fmt: skip


_UP = -math.pi / 2
_POLYGONS = {
    "circle": _turns(48, 0.0),
    "square": [(-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)],
    "triangle": [(0.0, -0.95), (1.0, 0.80), (-1.0, 0.80)],
    "diamond": [(0.0, -1.1), (0.72, 0.0), (0.0, 1.1), (-0.72, 0.0)],
    "star": _turns(10, _UP, (1.1, 0.46)),
    "heart": _heart(),
    "cross": _cross(),
    "moon": _moon(),
}
