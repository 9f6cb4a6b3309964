"""Input and files of the miniature's small networks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write, read_text
from flasheval.base.models.stored import read_state
from flasheval.base.models.weights import Weights
from flasheval.miniature.drawing import SIZE

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image
    from torch import nn

__all__ = ["as_input", "load_state", "read_widths", "save_network"]

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


def as_input(images: Sequence[Image], device: str) -> torch.Tensor:
    """Convert images to float32 [n, 3, 32, 32] from -1 to 1; other sizes are resized."""
    import torch
    from PIL.Image import Resampling

    size = (SIZE, SIZE)
    fitted = [one if one.size == size else one.resize(size, Resampling.BILINEAR) for one in images]
    pixels = torch.from_numpy(np.stack([np.array(one.convert("RGB")) for one in fitted]))
    return pixels.to(device, torch.float32).permute(0, 3, 1, 2) / 127.5 - 1


def save_network(network: nn.Module, widths: tuple[int, ...], folder: Path) -> None:
    """Save a network's widths (config.json) and weights (fp16 safetensors) in `folder`."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    with atomic_write(folder / _WEIGHTS) as path:
        path.write_bytes(save(state))  # save_file would let nobody else read it
    with atomic_write(folder / _CONFIG) as path:
        path.write_text(json.dumps({"widths": list(widths)}) + "\n")


def read_widths(weights: Weights, count: int, of: int, kind: str) -> tuple[int, ...]:
    """Return the widths that `save_network` saved: `count` multiples of `of`.

    Raises:
        DataError: The file is missing or holds other widths; the message names `kind`, the
            network that was expected.

    """
    path = Path(weights.path) / _CONFIG
    try:
        widths = json.loads(read_text(path))["widths"]
        right = len(widths) == count and all(
            type(width) is int and width > 0 and width % of == 0 for width in widths
        )
    except (ValueError, KeyError, TypeError):
        right = False
    if not right:
        raise DataError(
            f'{path}: expected {{"widths": [...]}} with {count} multiples of {of}; '
            f"is the folder a {kind} checkpoint?"
        )
    return tuple(widths)


def load_state(network: nn.Module, weights: Weights, kind: str) -> None:
    """Load the weights that `save_network` saved into `network`, ready for evaluation.

    Raises:
        DataError: The file is missing, damaged or of another network.

    """
    file = replace(weights, path=str(Path(weights.path) / _WEIGHTS))
    found, expected = read_state(file, _WEIGHTS), network.state_dict()
    for name in sorted(expected.keys() | found.keys()):
        here = list(found[name].shape) if name in found else None
        there = list(expected[name].shape) if name in expected else None
        if here != there:
            raise DataError(
                f"checkpoint {weights.name}: {name} has the shape {here or 'of nothing'}; expected "
                f"{there or 'no such tensor'} of a {kind} checkpoint; save it again"
            )
    network.load_state_dict(found)
    network.eval().requires_grad_(False)
