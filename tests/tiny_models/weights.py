"""Random weights from a seed that let signals through, unlike those training starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["made_from"]


def made_from(seed: int, make: Callable[[], Any], gain: float = 1.0, out: float = 1.0) -> Any:
    """Return the torch module that ``make`` makes, its weights redrawn from ``seed``.

    Matrices and kernels are normal with standard deviation ``gain / sqrt(inputs)``, tables of
    embeddings with 1, biases with 0.1 and norms with 1 +- 0.1. The global state of torch's random
    numbers is left as it was.

    Args:
        seed: Decides the weights; two parts of one model want two seeds.
        make: Makes the module.
        gain: Scale of matrices and kernels.
        out: Scale of the last layer's on top of that (``conv_out``, ``proj_out``): its contrast.

    """
    import torch

    with torch.random.fork_rng(devices=[]):  # constructors draw weights too
        module = make().eval()
    generator = torch.Generator().manual_seed(seed)
    tables = {
        f"{name}.weight"
        for name, child in module.named_modules()
        if isinstance(child, torch.nn.Embedding)
    }
    with torch.no_grad():
        for name, weight in sorted(module.named_parameters()):
            if name in tables:
                spread = 0.3 if "position" in name else 1.0
            elif weight.ndim < 2:
                spread = 0.1
            else:
                spread = gain * weight[0].numel() ** -0.5
            if name.rpartition(".")[0].rpartition(".")[2] in ("conv_out", "proj_out"):
                spread *= out
            weight.normal_(0.0, spread, generator=generator)
            if "norm" in name and weight.ndim == 1 and name.endswith("weight"):
                weight += 1.0
    return module
