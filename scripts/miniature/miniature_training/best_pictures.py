"""The most beautiful of many drawn pictures: first by a rule, then by the miniature's judge.

As Emu's pictures were chosen (Dai et al. 2023, arXiv 2309.15807, section 3.2): filters cut a large
pool down, and of what is left only a few hundred of the very best are kept. Here few things,
glossy, that stand out from a plain ground; then those that the judge of `Quality` rates highest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.miniature.drawing import RGB, draw
from flasheval.miniature.layout import Picture, lay_out
from flasheval.miniature.prompts import LEVELS, draw_scene

__all__ = ["best_pictures", "is_beautiful"]

MOST_THINGS = 2
LEAST_CONTRAST = 0.2  # of black to white
_GREY = (178, 180, 184)
_PLAIN = {None: _GREY, "white": RGB["white"], "black": RGB["black"]}


def best_pictures(pool: int, kept: int, rng: np.random.Generator) -> tuple[Any, list[str]]:
    """Return the best of a pool of pictures, uint8 [kept, 32, 32, 3], and their captions.

    Args:
        pool: Number of pictures laid out at random, equally many of each level.
        kept: How many of those that the rule lets pass the judge keeps.
        rng: Makes the scenes and lays them out.

    Raises:
        ValueError: The rule lets fewer pass than are to be kept.

    """
    from flasheval.scorers.miniature_quality import QualitySettings

    levels = list(LEVELS)
    found: list[tuple[str, Any]] = []
    for number in range(pool):
        scene = draw_scene(levels[number % len(levels)], rng)
        picture = lay_out(scene, rng)
        if is_beautiful(picture):
            found.append((scene.caption, draw(picture)))
    if len(found) < kept:
        raise ValueError(f"{len(found)} of {pool} pictures are beautiful; expected {kept}")
    captions, images = zip(*found, strict=True)
    scores = QualitySettings().load("cpu").score(images, captions)
    best = np.sort(np.argsort(-scores, kind="stable")[:kept])
    return np.stack([np.asarray(images[k]) for k in best]), [captions[k] for k in best]


def is_beautiful(picture: Picture) -> bool:
    """Tell whether there are few things, glossy, all in contrast with a plain ground."""
    if picture.style != "glossy" or picture.background not in _PLAIN:
        return False
    ground = _light(_PLAIN[picture.background])
    contrasts = [abs(_light(RGB[item.colour]) - ground) for item in picture.items]
    return len(contrasts) <= MOST_THINGS and min(contrasts) >= LEAST_CONTRAST


def _light(colour: tuple[int, int, int]) -> float:
    """Return how light a colour is, from 0 to 1 (Rec. 601)."""
    weights: NDArray[np.float64] = np.array([0.299, 0.587, 0.114])
    return float(weights @ np.array(colour)) / 255
