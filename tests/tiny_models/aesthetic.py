"""The aesthetic predictor's head with random weights, for embeddings of any width."""

from __future__ import annotations

from pathlib import Path

from tiny_models.stored import draw

__all__ = ["head_shapes", "make_aesthetic"]

_WIDTHS = {0: 1024, 2: 128, 4: 64, 6: 16, 7: 1}


def make_aesthetic(folder: Path, width: int = 24, seed: int = 0) -> Path:
    """Save sac+logos+ava1-l14-linearMSE.pth in ``folder``; return the file."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "sac+logos+ava1-l14-linearMSE.pth"
    torch.save(draw(head_shapes(width), seed), file)
    return file


def head_shapes(width: int, prefix: str = "layers.") -> dict[str, tuple[int, ...]]:
    """Return every name of the head with its shape, for embeddings of ``width``."""
    shapes: dict[str, tuple[int, ...]] = {}
    for place, out in _WIDTHS.items():
        shapes |= {f"{prefix}{place}.weight": (out, width), f"{prefix}{place}.bias": (out,)}
        width = out
    return shapes
