"""The work that is measured: prompts, generators that cost little, a run in a fresh folder."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from flasheval.generators.function import FunctionGenerator
from flasheval.generators.generator import GeneratorSettings

__all__ = [
    "BATCH",
    "CHUNK",
    "Loaded",
    "Mean",
    "Row",
    "drawn_by",
    "made_up_prompts",
    "photograph_like",
    "run_once",
]

CHUNK, BATCH, SIDE = 32, 8, 512
Row = tuple[str, ...]


@dataclass(frozen=True)
class Loaded(GeneratorSettings):
    """A generator that is loaded already, so that loading is not measured."""

    kind: ClassVar[str] = "loaded"
    generator: Any

    def factors(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def identity(self, device: str) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load(self, device: str, last: Any = None) -> Any:
        """Return the generator."""
        return self.generator


def drawn_by(function: Callable[[list[str], list[int]], Any]) -> Loaded:
    """Return a function of prompts and seeds as a generator."""
    return Loaded(FunctionGenerator(function))


class Mean:
    """A scorer that costs next to nothing."""

    name, version, higher_is_better = "mean", "1", True

    def score(self, images: Sequence[Any], prompts: Sequence[str]) -> Any:
        """Return the first pixel's red."""
        return np.array([image.getpixel((0, 0))[0] for image in images], dtype=np.float32)


def made_up_prompts(count: int) -> Any:
    """Return a prompt set of short texts."""
    from flasheval.prompts import PromptSet

    ids = tuple(map(str, range(count)))
    return PromptSet("made-up", ids, tuple(f"a photo of thing {i}" for i in ids))


def photograph_like() -> Any:
    """Return an image that compresses about as a photograph does: smooth, with fine noise."""
    from PIL import Image

    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.int16)
    noisy = smooth + rng.normal(0, 3, smooth.shape).round().astype(np.int16)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def run_once(generator: Any, prompts: Any, scorer: Any, **settings: Any) -> tuple[float, Any]:
    """Return the seconds of one run in a fresh folder, and its scores."""
    from flasheval.runs.run import run

    folder = Path(tempfile.mkdtemp(prefix="flasheval-benchmark-"))
    try:
        begun = time.perf_counter()
        result = run(
            {"model": generator},
            prompts,
            [scorer],
            out=folder / "run",
            **{"chunk": CHUNK, "batch": BATCH, "device": "cpu", "progress": False, **settings},
        )
        seconds = time.perf_counter() - begun
        if result.failures or result.scores is None:
            raise SystemExit(f"the run failed: {result.failures}")
        return seconds, result.scores[result.scores.metrics[0]].values[0]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
