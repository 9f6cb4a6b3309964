"""A small network that rates how clean a picture of the drawn world is, whatever its caption.

It is trained to predict how far a spoiled picture is from the clean one it was made of: see
`scripts/miniature/miniature_training/quality.py`. Needs torch; nothing imports it before a model is
loaded.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from flasheval.base.models.weights import Weights
from flasheval.miniature.networks import load_state, read_widths, save_network

__all__ = ["WIDTHS", "QualityNetwork", "load_quality", "save_quality"]

WIDTHS = (16, 32, 48, 64)
_KIND = "miniature-quality"


class QualityNetwork(nn.Module):
    """Convolutions down to 8 x 8 cells that predict the damage of each cell and of the picture.

    Args:
        widths: Channels at 32 x 32, after the first step down, at 16 x 16, and at 8 x 8 cells.

    >>> network = QualityNetwork().eval()
    >>> network(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2])

    """

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS) -> None:
        super().__init__()
        self.widths = widths
        fine, half, wide, cells = widths
        self.layers = nn.Sequential(
            *_layer(3, fine),
            *_layer(fine, half, stride=2),
            *_layer(half, wide),
            *_layer(wide, cells, stride=2),
            *_layer(cells, cells),
            *_layer(cells, cells),
        )
        self.local = nn.Conv2d(cells, 1, 1)
        self.whole = nn.Sequential(nn.Linear(2 * cells, cells), nn.SiLU(), nn.Linear(cells, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return the quality of each image, in [0, 1], higher is cleaner: 1 - expected damage.

        Args:
            images: [n, 3, 32, 32], from -1 to 1.

        """
        return torch.sigmoid(-self.damage(images)[0])

    def damage(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of the damage of each image, [n], and of each cell, [n, 8, 8]."""
        features = self.layers(images)
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], dim=1)
        return self.whole(pooled)[:, 0], self.local(features)[:, 0]


def save_quality(network: QualityNetwork, folder: Path) -> None:
    """Save a network in `folder`: config.json and model.safetensors, fp16."""
    save_network(network, network.widths, folder)


def load_quality(weights: Weights) -> QualityNetwork:
    """Return the network that `save_quality` saved, as float32, for evaluation.

    Raises:
        DataError: A file is missing, damaged or of another network.

    """
    fine, half, wide, cells = read_widths(weights, 4, 4, _KIND)
    network = QualityNetwork((fine, half, wide, cells))
    load_state(network, weights, _KIND)
    return network


def _layer(into: int, out: int, stride: int = 1) -> list[nn.Module]:
    # Batch norm keeps how strong faint noise is, which norms of a picture by itself would level
    # with the things in it. Once trained its statistics are fixed: a score knows no batch.
    conv = nn.Conv2d(into, out, 3, stride, padding=1, bias=False)
    return [conv, nn.BatchNorm2d(out), nn.SiLU()]
