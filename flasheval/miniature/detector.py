"""A small network that finds the things of a picture of the drawn world.

For each of 8 x 8 cells it predicts whether the centre of a thing is in it, and if so its shape,
colour, place and radius (objects as points: Zhou et al. 2019, arXiv 1904.07850). It is
trained by `scripts/miniature/miniature_training/detector.py`. Needs torch; nothing imports it
before a detector is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from flasheval.base.models.loading import as_loaded, put
from flasheval.base.models.weights import Weights
from flasheval.miniature.networks import as_input, load_state, read_widths, save_network
from flasheval.miniature.sightings import Seen, Sighting
from flasheval.miniature.world import BACKGROUNDS, COLOURS, SHAPES, STYLES

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "GRID",
    "MAPS",
    "MEAN_RADIUS",
    "WIDTHS",
    "Detector",
    "decode",
    "load_detector",
    "make_network",
    "save_detector",
]

GRID = 8  # cells a side; the centres of things are further apart than a cell's diagonal
WIDTHS = (32, 48, 72)
MEAN_RADIUS = 0.16  # radii are told as the logarithm of their ratio to it
_GROUPS = 8
_KIND = "miniature-detector"
_LEAST = 0.1  # probability below which nothing is found
_PARTS = {
    "centre": 1,
    "shape": len(SHAPES),
    "colour": len(COLOURS),
    "offset": 2,  # of the centre, x and y, from the middle of its cell, in cells
    "radius": 1,
    "style": 1 + len(STYLES),  # None first
    "background": 1 + len(BACKGROUNDS),  # likewise; said by every cell
}
_STARTS = np.cumsum([0, *_PARTS.values()]).tolist()
# Where the logits of what are, among the channels of the network's output.
MAPS = {name: slice(a, b) for name, (a, b) in zip(_PARTS, pairwise(_STARTS), strict=True)}

_Name = TypeVar("_Name", str, str | None)


def make_network(widths: tuple[int, int, int] = WIDTHS) -> nn.Sequential:
    """Return the network, untrained: [n, 3, 32, 32] from -1 to 1 to logits [n, 31, 8, 8].

    Args:
        widths: Channels at 32 x 32, at 16 x 16 and at 8 x 8.

    >>> import torch
    >>> make_network()(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 31, 8, 8])

    """
    fine, half, cells = widths
    return nn.Sequential(
        *_layer(3, fine),
        *_layer(fine, half, stride=2),
        *_layer(half, half),
        *_layer(half, cells, stride=2),
        *_layer(cells, cells),
        *_layer(cells, cells),
        *_layer(cells, cells),
        nn.Conv2d(cells, _STARTS[-1], 1),
    )


@dataclass(frozen=True)
class Detector:
    """A network with its weights, on any device.

    Attributes:
        network: A network of `make_network`.
        batch: Images computed together; it changes results by rounding only.

    """

    network: nn.Module
    batch: int = 64

    def detect(self, images: Sequence[Image]) -> list[Seen]:
        """Return the things found in each image; images are resized to 32 x 32 pixels."""
        device = next(self.network.parameters()).device
        seen: list[Seen] = []
        with as_loaded(device.type):
            for start in range(0, len(images), self.batch):
                pixels = as_input(images[start : start + self.batch], str(device))
                seen += map(decode, self.network(pixels).double().cpu().numpy())
        return seen


def decode(maps: NDArray[np.float64]) -> Seen:
    """Convert a network's output to the things, background and style of a picture.

    A centre near the edge of a cell has its probability split between neighbours. So cells whose
    centres lie nearer than half the sum of the radii (which two things never do) count as one
    thing: the most probable cell decides what it is, and their probabilities add up, to at most 1.

    The style is the mean over the things found, weighted by confidence; a picture without things
    has no style. The logits of the background are the mean over all cells.

    Args:
        maps: Logits [31, 8, 8], in the order of `MAPS`.

    >>> maps = np.zeros((31, 8, 8))
    >>> maps[MAPS["centre"]] = -9.0  # no cell holds a centre
    >>> maps[MAPS["centre"], 3, 4] = 9.0  # but the one in row 3, column 4
    >>> (thing,) = decode(maps).found
    >>> thing.x, thing.y, thing.radius
    (0.5625, 0.4375, 0.16)

    """
    centres = 1 / (1 + np.exp(-maps[MAPS["centre"]][0]))
    rows, columns = np.indices(centres.shape)
    across, down = maps[MAPS["offset"]]
    x, y = (columns + 0.5 + across) / GRID, (rows + 0.5 + down) / GRID
    radius = MEAN_RADIUS * np.exp(np.minimum(maps[MAPS["radius"]][0], 2.0))  # at most the picture
    left = [cell for cell in _surest_first(centres) if centres[cell] > _LEAST / 10]
    found, styles = [], []
    while left:
        first = left[0]
        same = [
            cell
            for cell in left
            if cell == first
            or np.hypot(x[cell] - x[first], y[cell] - y[first])
            < 0.5 * (radius[cell] + radius[first])
        ]
        left = [cell for cell in left if cell not in same]
        confidence = min(1.0, sum(float(centres[cell]) for cell in same))
        if confidence > _LEAST:
            shapes = _chances(SHAPES, maps[MAPS["shape"]][:, *first])
            colours = _chances(COLOURS, maps[MAPS["colour"]][:, *first])
            at = float(x[first]), float(y[first]), float(radius[first])
            likeliest = max(shapes, key=shapes.__getitem__), max(colours, key=colours.__getitem__)
            found.append(Sighting(*likeliest, *at, confidence, shapes, colours))
            styles.append(_chances((None, *STYLES), maps[MAPS["style"]][:, *first]))
    grounds = _chances((None, *BACKGROUNDS), maps[MAPS["background"]].mean(axis=(1, 2)))
    return Seen(tuple(found), grounds, _mean(styles, [one.confidence for one in found]))


def save_detector(network: nn.Sequential, folder: Path) -> None:
    """Save a network of `make_network` in `folder`: config.json and model.safetensors, fp16."""
    firsts = [layer.out_channels for layer in network if isinstance(layer, nn.Conv2d)]
    save_network(network, (firsts[0], firsts[1], firsts[3]), folder)


def load_detector(weights: Weights, device: str = "cpu", batch: int = 64) -> Detector:
    """Load what `save_detector` saved, as float32, onto a device.

    Raises:
        DataError: A file is missing, damaged or of another network.

    """
    fine, half, cells = read_widths(weights, 3, _GROUPS, _KIND)
    network = make_network((fine, half, cells))
    load_state(network, weights, _KIND)
    return Detector(put(network, weights, device), batch)


def _layer(into: int, out: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(into, out, 3, stride, padding=1), nn.GroupNorm(_GROUPS, out), nn.SiLU()]


def _surest_first(centres: NDArray[np.float64]) -> list[tuple[int, int]]:
    order = np.argsort(-centres, axis=None, kind="stable")
    return [(int(cell) // GRID, int(cell) % GRID) for cell in order]


def _chances(names: Sequence[_Name], logits: NDArray[np.float64]) -> dict[_Name, float]:
    """Return the probabilities of names: the softmax of their logits."""
    shares = np.exp(logits - logits.max())
    return dict(zip(names, (shares / shares.sum()).tolist(), strict=True))


def _mean(shares: list[dict[_Name, float]], weights: list[float]) -> dict[_Name, float]:
    """Return the weighted mean of probabilities; empty where there are none."""
    names = shares[0] if shares else {}
    pairs = list(zip(shares, weights, strict=True))
    return {name: sum(s[name] * w for s, w in pairs) / sum(weights) for name in names}
