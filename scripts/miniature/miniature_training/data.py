"""Training pictures: scenes at random, drawn once, in chunks on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flasheval.miniature.drawing import draw
from flasheval.miniature.layout import Picture, lay_out
from flasheval.miniature.prompts import draw_scene
from flasheval.miniature.world import COLOURS, SHAPES, parse_caption

__all__ = ["CHUNK", "Data", "draw_again", "draw_chunk", "load_data", "make_data"]

CHUNK = 4096
MAX_ITEMS = 9  # three things, three of each
# How often a level is drawn: hard ones more often than the prompt set has them.
_SHARES = {
    "one": 0.05,
    "size": 0.06,
    "place": 0.09,
    "count": 0.11,
    "background": 0.08,
    "style": 0.07,
    "two": 0.11,
    "relation": 0.16,
    "three": 0.12,
    "mixed": 0.15,
}


@dataclass(frozen=True)
class Data:
    """Pictures with their captions and what they show.

    Attributes:
        images: uint8 [n, 32, 32, 3].
        captions: n sentences.
        items: float32 [n, 9, 5]: index of shape, index of colour, x, y, radius (shares of the
            width, from the top left); -1 where there is no further item.

    """

    images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    captions: tuple[str, ...]
    items: np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def make_data(folder: Path, chunks: int, seed: int) -> None:
    """Draw `chunks` files of 4,096 pictures into `folder`; those that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(chunks):
        path = folder / f"{number:03d}.npz"
        if path.exists():
            continue
        data = draw_chunk(np.random.default_rng([seed, number]), CHUNK)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, images=data.images, captions=np.array(data.captions), items=data.items)
        os.replace(part, path)
        print(f"data: {number + 1} of {chunks} chunks", flush=True)


def load_data(folder: Path, chunks: int) -> Data:
    """Read the first `chunks` files of `folder`."""
    parts = [np.load(folder / f"{number:03d}.npz") for number in range(chunks)]
    return Data(
        np.concatenate([part["images"] for part in parts]),
        tuple(str(caption) for part in parts for caption in part["captions"]),
        np.concatenate([part["items"] for part in parts]),
    )


def draw_chunk(rng: np.random.Generator, count: int) -> Data:
    """Draw `count` pictures of scenes of all levels."""
    levels = rng.choice(list(_SHARES), size=count, p=list(_SHARES.values()))
    scenes = [draw_scene(str(level), rng) for level in levels]
    pictures = [lay_out(scene, rng) for scene in scenes]
    return Data(
        np.stack([np.asarray(draw(picture)) for picture in pictures]),
        tuple(scene.caption for scene in scenes),
        np.stack([_items(picture) for picture in pictures]),
    )


def draw_again(data: Data, seed: int) -> Data:
    """Draw another picture of every caption, with its things in other places."""
    rng = np.random.default_rng([seed, len(data.captions)])
    scenes = [parse_caption(caption) for caption in data.captions]
    images = np.empty_like(data.images)
    for row, scene in enumerate(scenes):
        images[row] = np.asarray(draw(lay_out(scene, rng)))
    return Data(images, data.captions, np.empty((0, MAX_ITEMS, 5), np.float32))


def _items(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rows = np.full((MAX_ITEMS, 5), -1, dtype=np.float32)
    for row, item in zip(rows, picture.items, strict=False):
        row[:] = (SHAPES.index(item.shape), COLOURS.index(item.colour), item.x, item.y, item.radius)
    return rows
