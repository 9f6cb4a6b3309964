"""Random weights by name and shape: checkpoints in layouts that no class here has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["draw"]


def draw(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    """Return a tensor a name: the same seed gives the same ones.

    Matrices and kernels are normal with standard deviation ``1 / sqrt(inputs)``, tables of
    embeddings with 1, vectors with 0.1, the weights of norms 1 +- 0.1.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in sorted(shapes.items()):
        table = "embed" in name and len(shape) != 4
        inputs = torch.Size(shape[1:]).numel()
        spread = 1.0 if table else 0.1 if len(shape) < 2 else inputs**-0.5
        value = torch.empty(shape).normal_(0.0, spread, generator=generator)
        norm = any(part in name.lower() for part in ("norm", "ln_")) and name.endswith("weight")
        state[name] = value + 1.0 if norm else value
    return state
