"""The Inception network of the original FID, from the weights torch-fidelity and pytorch-fid share.

Both publish one file, ``weights-inception-2015-12-05-6726825d.pth`` and
``pt_inception-2015-12-05-6726825d.pth``: TensorFlow's graph of 2015-12-05 as a PyTorch state dict.
It is not Inception v3 as torchvision has it. What differs, and is done here: average pools leave
the padding out of the mean; the last block pools by maximum; batch norms add 0.001; there are 1,008
classes; pixels become (x - 128) / 128. The features are the 2,048 after the last average pool.

The graph resizes to 299 x 299 itself, bilinearly as TensorFlow 1 did: output pixel i looks at input
i * in / out, not at (i + 1/2) * in / out - 1/2 as Pillow and torch do, and there is no filter where
it shrinks. torch-fidelity does so too, and the features are the same to the last bit on one
machine; pytorch-fid resizes as torch does, so that its numbers are others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - as everybody calls it
from numpy.typing import NDArray
from torch import Tensor

from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import require_file
from flasheval.base.models.loading import as_loaded

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LAYERS", "WIDTH", "Inception", "load_inception", "resize_like_tensorflow"]

WIDTH = 2048
_SIDE = 299
_NORM = ("weight", "bias", "running_mean", "running_var")

Kernel: TypeAlias = tuple[int, int, int, int]  # output and input channels, height, width
# Branches of a block: layers one after the other; a tuple's last ones stand side by side.
Branches: TypeAlias = tuple[tuple[str, ...], ...]

_A: Branches = (
    ("branch1x1",),
    ("branch5x5_1", "branch5x5_2"),
    ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
)
_B: Branches = (("branch3x3",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"))
_C: Branches = (
    ("branch1x1",),
    ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
    tuple(f"branch7x7dbl_{i}" for i in range(1, 6)),
)
_D: Branches = (
    ("branch3x3_1", "branch3x3_2"),
    ("branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"),
)
_HALVING = {
    *("Conv2d_1a_3x3", "Mixed_6a.branch3x3", "Mixed_6a.branch3x3dbl_3"),
    *("Mixed_7a.branch3x3_2", "Mixed_7a.branch7x7x3_4"),
}
_UNPADDED = {*_HALVING, "Conv2d_2a_3x3", "Conv2d_4a_3x3"}


def _layers() -> dict[str, Kernel]:
    """Return the shape of every convolution, by name."""
    layers: dict[str, Kernel] = {
        "Conv2d_1a_3x3": (32, 3, 3, 3),
        "Conv2d_2a_3x3": (32, 32, 3, 3),
        "Conv2d_2b_3x3": (64, 32, 3, 3),
        "Conv2d_3b_1x1": (80, 64, 1, 1),
        "Conv2d_4a_3x3": (192, 80, 3, 3),
    }
    for letter, width, pooled in (("b", 192, 32), ("c", 256, 64), ("d", 288, 64)):
        layers |= {
            f"Mixed_5{letter}.branch1x1": (64, width, 1, 1),
            f"Mixed_5{letter}.branch5x5_1": (48, width, 1, 1),
            f"Mixed_5{letter}.branch5x5_2": (64, 48, 5, 5),
            f"Mixed_5{letter}.branch3x3dbl_1": (64, width, 1, 1),
            f"Mixed_5{letter}.branch3x3dbl_2": (96, 64, 3, 3),
            f"Mixed_5{letter}.branch3x3dbl_3": (96, 96, 3, 3),
            f"Mixed_5{letter}.branch_pool": (pooled, width, 1, 1),
        }
    layers |= {
        "Mixed_6a.branch3x3": (384, 288, 3, 3),
        "Mixed_6a.branch3x3dbl_1": (64, 288, 1, 1),
        "Mixed_6a.branch3x3dbl_2": (96, 64, 3, 3),
        "Mixed_6a.branch3x3dbl_3": (96, 96, 3, 3),
    }
    for letter, c in (("b", 128), ("c", 160), ("d", 160), ("e", 192)):
        layers |= {
            f"Mixed_6{letter}.branch1x1": (192, 768, 1, 1),
            f"Mixed_6{letter}.branch7x7_1": (c, 768, 1, 1),
            f"Mixed_6{letter}.branch7x7_2": (c, c, 1, 7),
            f"Mixed_6{letter}.branch7x7_3": (192, c, 7, 1),
            f"Mixed_6{letter}.branch7x7dbl_1": (c, 768, 1, 1),
            f"Mixed_6{letter}.branch7x7dbl_2": (c, c, 7, 1),
            f"Mixed_6{letter}.branch7x7dbl_3": (c, c, 1, 7),
            f"Mixed_6{letter}.branch7x7dbl_4": (c, c, 7, 1),
            f"Mixed_6{letter}.branch7x7dbl_5": (192, c, 1, 7),
            f"Mixed_6{letter}.branch_pool": (192, 768, 1, 1),
        }
    layers |= {
        "Mixed_7a.branch3x3_1": (192, 768, 1, 1),
        "Mixed_7a.branch3x3_2": (320, 192, 3, 3),
        "Mixed_7a.branch7x7x3_1": (192, 768, 1, 1),
        "Mixed_7a.branch7x7x3_2": (192, 192, 1, 7),
        "Mixed_7a.branch7x7x3_3": (192, 192, 7, 1),
        "Mixed_7a.branch7x7x3_4": (192, 192, 3, 3),
    }
    for letter, width in (("b", 1280), ("c", 2048)):
        layers |= {
            f"Mixed_7{letter}.branch1x1": (320, width, 1, 1),
            f"Mixed_7{letter}.branch3x3_1": (384, width, 1, 1),
            f"Mixed_7{letter}.branch3x3_2a": (384, 384, 1, 3),
            f"Mixed_7{letter}.branch3x3_2b": (384, 384, 3, 1),
            f"Mixed_7{letter}.branch3x3dbl_1": (448, width, 1, 1),
            f"Mixed_7{letter}.branch3x3dbl_2": (384, 448, 3, 3),
            f"Mixed_7{letter}.branch3x3dbl_3a": (384, 384, 1, 3),
            f"Mixed_7{letter}.branch3x3dbl_3b": (384, 384, 3, 1),
            f"Mixed_7{letter}.branch_pool": (192, width, 1, 1),
        }
    return layers


LAYERS = _layers()
"""Shapes of the convolutions' weights by name: output and input channels, height, width."""


@dataclass(frozen=True)
class Inception:
    """The loaded network; `load_inception` makes one.

    Attributes:
        version: The file's name.
        weights: The layers' tensors by their names in the file.
        batch: Images at a time.

    """

    version: str
    weights: Mapping[str, Tensor]
    batch: int

    def embed(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Return the features of RGB images of any size, float32 [len(images), 2048].

        Raises DataError for no images.
        """
        if not images:
            raise DataError(f"{self.version}: there are no images to take features of")
        device = next(iter(self.weights.values())).device
        parts = []
        with as_loaded(device.type):
            for start in range(0, len(images), self.batch):
                resized = [
                    resize_like_tensorflow(_pixels(image).to(device), _SIDE)
                    for image in images[start : start + self.batch]
                ]
                parts.append(self.features(torch.stack(resized)).cpu().numpy())
        return np.concatenate(parts)

    def features(self, pixels: Tensor) -> Tensor:
        """Return the features [n, 2048] of pixels [n, 3, 299, 299] from 0 to 255."""
        x = (pixels - 128) / 128
        for name in ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"):
            x = self._layer(name, x)
        x = F.max_pool2d(x, 3, stride=2)
        for name in ("Conv2d_3b_1x1", "Conv2d_4a_3x3"):
            x = self._layer(name, x)
        x = F.max_pool2d(x, 3, stride=2)
        for letter in "bcd":
            x = self._block(f"Mixed_5{letter}", _A, x)
        x = self._halving_block("Mixed_6a", _B, x)
        for letter in "bcde":
            x = self._block(f"Mixed_6{letter}", _C, x)
        x = self._halving_block("Mixed_7a", _D, x)
        x = self._forked_block("Mixed_7b", x, by_maximum=False)
        x = self._forked_block("Mixed_7c", x, by_maximum=True)
        return x.mean(dim=(2, 3))

    def _layer(self, name: str, x: Tensor) -> Tensor:
        kernel = self.weights[f"{name}.conv.weight"]
        stride = 2 if name in _HALVING else 1
        height, width = kernel.shape[2:]
        padding = (0, 0) if name in _UNPADDED else (height // 2, width // 2)
        x = F.conv2d(x, kernel, stride=stride, padding=padding)
        weight, bias, mean, variance = (self.weights[f"{name}.bn.{part}"] for part in _NORM)
        return F.relu(F.batch_norm(x, mean, variance, weight, bias, eps=1e-3))

    def _branches(self, block: str, branches: Branches, x: Tensor) -> list[Tensor]:
        found = []
        for branch in branches:
            y = x
            for name in branch:
                y = self._layer(f"{block}.{name}", y)
            found.append(y)
        return found

    def _pool(self, block: str, x: Tensor, *, by_maximum: bool = False) -> Tensor:
        if by_maximum:
            pooled = F.max_pool2d(x, 3, stride=1, padding=1)
        else:
            pooled = F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        return self._layer(f"{block}.branch_pool", pooled)

    def _block(self, block: str, branches: Branches, x: Tensor) -> Tensor:
        return torch.cat([*self._branches(block, branches, x), self._pool(block, x)], dim=1)

    def _halving_block(self, block: str, branches: Branches, x: Tensor) -> Tensor:
        return torch.cat([*self._branches(block, branches, x), F.max_pool2d(x, 3, stride=2)], dim=1)

    def _forked_block(self, block: str, x: Tensor, *, by_maximum: bool) -> Tensor:
        trunks: Branches = (("branch3x3_1",), ("branch3x3dbl_1", "branch3x3dbl_2"))
        single, double = self._branches(block, trunks, x)
        parts = [
            self._layer(f"{block}.branch1x1", x),
            self._layer(f"{block}.branch3x3_2a", single),
            self._layer(f"{block}.branch3x3_2b", single),
            self._layer(f"{block}.branch3x3dbl_3a", double),
            self._layer(f"{block}.branch3x3dbl_3b", double),
            self._pool(block, x, by_maximum=by_maximum),
        ]
        return torch.cat(parts, dim=1)


def load_inception(path: str | Path, *, device: str = "cpu", batch: int = 32) -> Inception:
    """Load the network from a local copy of the weight file.

    Args:
        path: ``weights-inception-2015-12-05-6726825d.pth`` or pytorch-fid's copy of it.
        device: The device, such as ``cpu`` or ``cuda:0``.
        batch: Images at a time.

    Raises:
        SettingError: A batch below 1.
        DataError: The file is missing, damaged, or of another layout, naming the first weight.

    """
    if batch < 1:
        raise SettingError(f"batch={batch}: expected at least 1 image at a time")
    path = require_file(path, "file of Inception's weights")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, zipfile and pickle's reader raise all sorts
        raise DataError(f"{path} is no PyTorch file of weights alone, or is damaged") from error
    wanted = {"fc.weight": (1008, WIDTH), "fc.bias": (1008,)}
    for name, kernel in LAYERS.items():
        wanted[f"{name}.conv.weight"] = kernel
        wanted |= {f"{name}.bn.{part}": kernel[:1] for part in _NORM}
    for name, shape in wanted.items():
        tensor = found.get(name) if isinstance(found, Mapping) else None
        if not isinstance(tensor, Tensor) or tuple(tensor.shape) != shape:
            has = "is missing" if tensor is None else f"has shape {list(tensor.shape)}"
            raise DataError(
                f"{path}: {name} {has}, expected {list(shape)}; it is not FID's Inception of "
                "2015-12-05"
            )
    try:
        weights = {
            name: found[name].to(device, torch.float32)
            for name in wanted
            if not name.startswith("fc.")  # the classes are no part of the features
        }
    except (RuntimeError, AssertionError) as error:
        raise DataError(f"{path}: it cannot be put on device {device}") from error
    return Inception(path.name, weights, batch)


def resize_like_tensorflow(pixels: Tensor, side: int) -> Tensor:
    """Return pixels [channels, height, width] resized to side x side, as TensorFlow 1 does.

    Output pixel i is interpolated at input i * in / out, computed in float32 as there.

    >>> resize_like_tensorflow(torch.tensor([[[0.0, 3.0]]]), 3)[0, 0].tolist()
    [0.0, 2.0, 3.0]
    """
    height, width = pixels.shape[1:]
    low, high, share = _places(height, side, pixels.device)
    rows_low, rows_high, row_share = low, high, share[:, None]
    low, high, share = _places(width, side, pixels.device)
    wide = pixels[:, :, low] + (pixels[:, :, high] - pixels[:, :, low]) * share
    return wide[:, rows_low] + (wide[:, rows_high] - wide[:, rows_low]) * row_share


def _places(size: int, side: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    where = torch.arange(side, dtype=torch.float32, device=device) * (size / side)
    low = where.long()
    return low, (low + 1).clamp_max(size - 1), where - low


def _pixels(image: Image) -> Tensor:
    return torch.from_numpy(np.array(image.convert("RGB"), dtype=np.float32)).permute(2, 0, 1)
