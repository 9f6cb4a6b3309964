"""A training loop that is seeded step by step, so that resuming changes nothing."""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["Stage", "as_images", "train"]

_SAVE_EVERY = 60.0  # seconds


@dataclass(frozen=True)
class Stage:
    """What a stage of training does, step by step.

    Attributes:
        name: Names its state file.
        model: Trained in place.
        loss: Takes the step's own generator; returns a scalar.
        steps: How many.
        rate: Peak learning rate of AdamW: warmed up over 100 steps, then a cosine down to 2%.
        average: Decay of the running average of the weights.
        milestones: At the end of a step (counted from 1), called with the averaged model.
        betas: Of AdamW's running means.

    """

    name: str
    model: nn.Module
    loss: Callable[[np.random.Generator], torch.Tensor]
    steps: int
    rate: float
    average: float
    milestones: Mapping[int, Callable[[nn.Module], None]] | None = None
    betas: tuple[float, float] = (0.9, 0.999)


def train(stage: Stage, folder: Path, seed: int) -> nn.Module:
    """Train, or go on where the state file says; return the (averaged) model in evaluation mode.

    Every step draws from a generator of (seed, name, step): a run that was killed and started
    again sees the same batches and noise as one that was not.
    """
    import torch

    model, averaged = stage.model, copy.deepcopy(stage.model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=stage.rate, betas=stage.betas, weight_decay=0.01
    )
    path = folder / f"{stage.name}.pt"
    step, spent = 0, 0.0
    if path.exists():
        state = torch.load(path, weights_only=True)
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["seconds"]
    begun = saved = time.monotonic() - spent
    model.train()
    losses = []
    while step < stage.steps:
        for group in optimizer.param_groups:
            group["lr"] = stage.rate * _schedule(step, stage.steps)
        tag = int.from_bytes(stage.name.encode()[:8], "big")
        rng = np.random.default_rng([seed, tag, step])
        torch.manual_seed(int(rng.integers(2**62)))
        loss = stage.loss(rng)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        _follow(averaged, model, min(stage.average, step / 200))
        losses.append(loss.detach())
        milestone = (stage.milestones or {}).get(step)
        if milestone:
            milestone(averaged.eval())
        now = time.monotonic()
        if now - saved > _SAVE_EVERY or step == stage.steps:
            _save(path, model, averaged, optimizer, step, now - begun)
            mean = float(torch.stack(losses).float().mean())
            print(
                f"{stage.name}: step {step:,} of {stage.steps:,}, loss {mean:.4f}, "
                f"{now - begun:.0f} s",
                flush=True,
            )
            saved, losses = now, []
    return averaged.eval()


def as_images(images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> torch.Tensor:
    """Return uint8 [n, 32, 32, 3] as float32 [n, 3, 32, 32] from -1 to 1, channels last."""
    import torch

    return torch.from_numpy(images).permute(0, 3, 1, 2).to(torch.float32) / 127.5 - 1


def _schedule(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / 100) * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2)


def _follow(averaged: nn.Module, model: nn.Module, decay: float) -> None:
    import torch

    with torch.no_grad():
        kept, new = list(averaged.parameters()), list(model.parameters())
        torch._foreach_lerp_(kept, new, 1 - decay)
        for target, source in zip(averaged.buffers(), model.buffers(), strict=True):
            target.copy_(source)


def _save(
    path: Path,
    model: nn.Module,
    averaged: nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    seconds: float,
) -> None:
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    state = {"model": model.state_dict(), "averaged": averaged.state_dict()}
    torch.save(
        {**state, "optimizer": optimizer.state_dict(), "step": step, "seconds": seconds}, part
    )
    os.replace(part, path)
