"""The runner beside a bare loop that does the same work, unit by unit in turns."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.generators.seeds import image_seed
from runner_costs.work import (
    BATCH,
    CHUNK,
    Loaded,
    Mean,
    Row,
    drawn_by,
    made_up_prompts,
    photograph_like,
    run_once,
)

__all__ = ["measure_images", "measure_overhead"]

Make = Callable[[list[str], list[int]], Sequence[Any]]

_HEAD = (
    "work",
    "ms an image, bare",
    "units",
    "runner, wall time",
    "quarter to three quarters",
    "runner, CPU time",
    f"ms a unit of {CHUNK}",
)
_WARM = 2  # units at the beginning that do not count


def measure_overhead(options: argparse.Namespace, folder: Path) -> list[Row]:
    """Measure the runner beside a bare loop over a diffusers pipeline."""
    import torch
    from tiny_models.clip import make_clip
    from tiny_models.sd import make_sd

    from flasheval.generators.diffusers_settings import DiffusersSettings
    from flasheval.scorers.clip import ClipSettings

    torch.set_num_threads(1)
    checkpoint = str(make_sd(folder / "sd"))
    scorer = ClipSettings(checkpoint=str(make_clip(folder / "clip"))).load("cpu")
    rows = [_HEAD]
    for steps in (2, 10, 30):
        generator = DiffusersSettings(checkpoint=checkpoint, steps=steps).load("cpu")
        pipe = generator.loaded.pipeline

        def make(texts: list[str], seeds: list[int], pipe: Any = pipe, n: int = steps) -> Any:
            generators = [torch.Generator().manual_seed(seed) for seed in seeds]
            with torch.inference_mode():  # as the runner does: else it would come out as faster
                return pipe(texts, generator=generators, num_inference_steps=n).images

        what = f"small Stable Diffusion, {steps} steps"
        rows.append(_in_turns(what, Loaded(generator), make, scorer, options.units))
    return rows


def measure_images(options: argparse.Namespace, _: Path) -> list[Row]:
    """Measure the runner beside a loop that waits 50 ms an image, as a GPU lets one wait."""
    image = photograph_like()

    def make(texts: list[str], seeds: list[int]) -> list[Any]:
        time.sleep(0.05 * len(texts))
        return [image.copy() for _ in texts]

    what, units = "512 x 512, 50 ms an image", min(options.units, 20)
    rows = [_HEAD, _in_turns(what, drawn_by(make), make, Mean(), units)]
    for form in ("png", "webp"):
        settings = {"keep_images": True, "image_format": form}
        what = f"the same, images kept as {form}"
        rows.append(_in_turns(what, drawn_by(make), make, Mean(), units, **settings))
    return rows


def _in_turns(
    what: str, generator: Any, make: Make, scorer: Any, units: int, **settings: Any
) -> Row:
    """Let a run and a bare loop do a unit each in turns, and return a row of what they took."""
    prompts = made_up_prompts(CHUNK * (units + _WARM))
    ours, bare, scores = [], [], []
    begun = _clocks()

    def after_a_unit(label: str, done: float, total: int) -> None:
        nonlocal begun
        ours.append(_clocks() - begun)
        begun = _clocks()
        scores.append(_bare_unit(make, prompts, scorer, CHUNK * (len(ours) - 1)))
        bare.append(_clocks() - begun)
        begun = _clocks()

    _, found = run_once(generator, prompts, scorer, progress=after_a_unit, **settings)
    if not np.array_equal(found, np.concatenate(scores), equal_nan=True):
        raise SystemExit("the runner's scores are not those of the bare loop")
    return _row(what, np.array(ours)[_WARM:], np.array(bare)[_WARM:])


def _bare_unit(make: Make, prompts: Any, scorer: Any, start: int) -> NDArray[np.float32]:
    """Make and score the images of a unit as a plain loop would."""
    texts = list(prompts.texts[start : start + CHUNK])
    seeds = [image_seed(0, one) for one in prompts.ids[start : start + CHUNK]]
    images: list[Any] = []
    for first in range(0, len(texts), BATCH):
        part = slice(first, first + BATCH)
        images += make(texts[part], seeds[part])
    scores: NDArray[np.float32] = scorer.score(images, texts)
    return scores


def _clocks() -> NDArray[np.float64]:
    """Return wall time and this process's CPU time, in seconds."""
    return np.array([time.perf_counter(), time.process_time()])


def _row(what: str, ours: NDArray[np.float64], bare: NDArray[np.float64]) -> Row:
    wall, cpu = 100 * (ours / bare - 1).T
    low, middle, high = np.quantile(wall, [0.25, 0.5, 0.75])
    return (
        what,
        f"{1000 * np.median(bare[:, 0]) / CHUNK:.1f}",
        str(len(ours)),
        f"{middle:+.2f}%",
        f"{low:+.2f}% to {high:+.2f}%",
        f"{np.median(cpu):+.2f}%" if np.median(bare[:, 1] / bare[:, 0]) > 0.5 else "(it waits)",
        f"{1000 * np.median((ours - bare)[:, 0]):+.1f}",
    )
