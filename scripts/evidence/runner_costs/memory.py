"""The resident memory of long runs, and of runs of many models."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from runner_costs.work import Mean, Row, drawn_by, made_up_prompts, photograph_like, run_once

__all__ = ["measure_memory", "measure_swaps"]


def measure_memory(options: argparse.Namespace, _: Path) -> list[Row]:
    """Measure how the resident memory of a run grows with its units."""
    units = options.long
    prompts = made_up_prompts(4 * units)
    image = photograph_like()
    memory: list[tuple[float, float]] = []

    def make(texts: list[str], seeds: list[int]) -> list[Any]:
        return [image.copy() for _ in texts]

    def watch(label: str, done: float, total: int) -> None:
        memory.append((done, resident()))

    run_once(drawn_by(make), prompts, Mean(), chunk=4, batch=4, progress=watch)
    done, used = np.array(memory[len(memory) // 4 :]).T
    slope = np.polyfit(done / 1000, used, 1)[0]
    return [
        ("units", "RSS after the first quarter, MiB", "at the end, MiB", "KiB per 1,000 units"),
        (f"{units:,}", f"{used[0] / 1024:.1f}", f"{used[-1] / 1024:.1f}", f"{slope:+.0f}"),
    ]


def measure_swaps(options: argparse.Namespace, folder: Path) -> list[Row]:
    """Measure the resident memory with models loaded one after the other."""
    import torch
    from diffusers import UNet2DConditionModel
    from tiny_models.sd import make_sd

    from flasheval.runs.run import run

    torch.set_num_threads(1)
    variants = [
        {"name": f"model{seed}", "checkpoint": str(make_sd(folder / f"sd{seed}", seed)), "steps": 2}
        for seed in range(options.swaps)
    ]
    memory: list[tuple[float, int]] = []

    def watch(images: Sequence[Any], prompts: Sequence[str]) -> list[float]:
        used = resident()
        alive = sum(isinstance(thing, UNet2DConditionModel) for thing in gc.get_objects())
        memory.append((used, alive))
        return [0.0] * len(images)

    watch.version = "1"  # type: ignore[attr-defined]
    prompts, population = made_up_prompts(8), {"variants": variants}
    run(population, prompts, [watch], out=folder / "run", device="cpu", progress=False)
    return [
        ("model", "RSS, MiB", "models in memory"),
        *((f"{i + 1}", f"{used / 1024:.1f}", f"{alive}") for i, (used, alive) in enumerate(memory)),
    ]


def resident() -> float:
    """Return this process's resident memory in KiB, rubbish collected."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024
