"""The detector: which things a picture shows, where, on which ground and in which style."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from flasheval.miniature.composition import Kind, compare
from flasheval.miniature.detector import (
    GRID,
    MAPS,
    MEAN_RADIUS,
    Detector,
    make_network,
    save_detector,
)
from flasheval.miniature.drawing import draw
from flasheval.miniature.layout import lay_out
from flasheval.miniature.prompts import LEVELS, draw_scene
from flasheval.miniature.sightings import seen_exactly
from flasheval.miniature.world import BACKGROUNDS, STYLES, parse_caption

from .data import Data
from .loop import Stage, as_images, train
from .negatives import near_miss

__all__ = ["measure", "save_detector", "train_detector"]

_BATCH = 64
_NOISE, _SHIFT = 0.12, 0.08  # greatest standard deviations, where levels go from -1 to 1


def train_detector(data: Data, folder: Path, seed: int, steps: int) -> torch.nn.Sequential:
    """Train it on pictures that are slightly spoiled, as generated ones are."""
    torch.manual_seed(seed)
    network = make_network().to(memory_format=torch.channels_last)
    scenes = [parse_caption(caption) for caption in data.captions]
    grounds = torch.tensor([(None, *BACKGROUNDS).index(scene.background) for scene in scenes])
    styles = torch.tensor([(None, *STYLES).index(scene.style) for scene in scenes])

    def loss(rng: np.random.Generator) -> torch.Tensor:
        chosen = rng.integers(len(data.images), size=_BATCH)
        with torch.autocast("cpu", torch.bfloat16):
            maps = network(_spoil(as_images(data.images[chosen]))).float()
        items = torch.from_numpy(data.items[chosen])
        return _error(maps, items, grounds[chosen], styles[chosen])

    stage = Stage("detector", network, loss, steps, rate=3e-3, average=0.99)
    return cast(torch.nn.Sequential, train(stage, folder, seed))


def _error(
    maps: torch.Tensor, items: torch.Tensor, grounds: torch.Tensor, styles: torch.Tensor
) -> torch.Tensor:
    """Return the loss: whether centres are where they are to be, and what is said there.

    Args:
        maps: The network's output for n pictures.
        items: Of `Data`, [n, 9, 5].
        grounds: The index of each picture's background.
        styles: The index of its style.

    """
    picture, which = torch.nonzero(items[:, :, 0] >= 0, as_tuple=True)
    shape, colour, x, y, radius = items[picture, which].T
    column, row = (GRID * x).long(), (GRID * y).long()
    centres = torch.zeros(len(maps), GRID, GRID)
    centres[picture, row, column] = 1
    said = maps.permute(0, 2, 3, 1)[picture, row, column]
    offset = GRID * torch.stack([x, y], 1) - torch.stack([column, row], 1) - 0.5
    size = torch.log(radius / MEAN_RADIUS)[:, None]
    there = F.binary_cross_entropy_with_logits(maps[:, 0], centres, reduction="sum") / len(said)
    on = grounds[:, None, None].expand(-1, GRID, GRID)
    return (
        there
        + F.cross_entropy(said[:, MAPS["shape"]], shape.long())
        + F.cross_entropy(said[:, MAPS["colour"]], colour.long())
        + F.smooth_l1_loss(said[:, MAPS["offset"]], offset, beta=0.1)
        + F.smooth_l1_loss(said[:, MAPS["radius"]], size, beta=0.1)
        + F.cross_entropy(said[:, MAPS["style"]], styles[picture])
        + F.cross_entropy(maps[:, MAPS["background"]], on)
    )


def _spoil(images: torch.Tensor) -> torch.Tensor:
    """Blur, shift colours and add noise, each by an amount of its own a picture, often little."""
    count = len(images)
    blurred = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    images = torch.lerp(images, blurred, torch.rand(count, 1, 1, 1) ** 2)
    images = images * (1 + _SHIFT * torch.randn(count, 3, 1, 1).clamp(-2, 2))
    images = images + _SHIFT * torch.randn(count, 3, 1, 1).clamp(-2, 2)
    noise = _NOISE * torch.rand(count, 1, 1, 1) ** 2 * torch.randn_like(images)
    return (images + noise).clamp(-1, 1)


def measure(detector: Detector, seed: int, count: int = 100) -> dict[str, dict[str, float]]:
    """Draw pictures afresh and print how well the detector checks them, as a Markdown table.

    Args:
        detector: What to measure.
        seed: Of the pictures.
        count: Pictures a level.

    Returns:
        By level, and for `all`: the share of pictures found to be `right`; of near misses, captions
        that are not true of the picture, found to be right, `false alarms`; of those that score
        no less than the true caption, `not told`; the mean `score`; and that of each kind of check.

    """
    rows: dict[str, list[dict[str, float]]] = {}
    for number, level in enumerate(LEVELS):
        rng = np.random.default_rng([seed, number])
        scenes = [draw_scene(level, rng) for _ in range(count)]
        pictures = [lay_out(scene, rng) for scene in scenes]
        rows[level] = []
        seen = detector.detect([draw(picture) for picture in pictures])
        for scene, picture, eyed in zip(scenes, pictures, seen, strict=True):
            missed, exactly = near_miss(scene, rng), seen_exactly(picture)
            while compare(missed, exactly).score == 1:  # true all the same: "top", "top left"
                missed = near_miss(scene, rng)
            found, other = compare(scene, eyed), compare(missed, eyed)
            shares = {kind: found.share(kind) for kind in get_args(Kind)}
            rows[level].append(
                {
                    "right": found.right,
                    "false alarms": other.right,
                    "not told": other.score >= found.score,
                    "score": found.score,
                    **{kind: share for kind, share in shares.items() if share is not None},
                }
            )
    rows["all"] = [row for level in rows.values() for row in level]
    table = {level: _means(found) for level, found in rows.items()}
    columns = list(table["all"])
    print(f"| level | {' | '.join(columns)} |\n|{' --- |' * (len(columns) + 1)}")
    for level, means in table.items():
        cells = [f"{means[column]:.3f}" if column in means else "" for column in columns]
        print(f"| {level} | {' | '.join(cells)} |")
    return table


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
