"""Runs that keep their images, made once, and the data block of a page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flasheval.generators.python_objects import ObjectSettings
from flasheval.prompts import PromptSet
from flasheval.runs.run import run

HOSTILE = "</script><script>alert('owned')</script> & \"q\" 'a' <!-- \u2028 {{ 7 * 7 }}"
NAMES = (f"one {HOSTILE}", "two", "three/3", "four & 4", "five")
IDS = ("p0", "p </script>", "p2", "p3", "p4", "p5")


def _draw(level: int, side: int, missing: frozenset[int], noisy: bool) -> ObjectSettings:
    """Images of one grey, of the variant's level and the prompt's number, or noise of them."""

    def draw(prompts: Any, seeds: Any) -> list[Any]:
        images: list[Any] = []
        for prompt, seed in zip(prompts, seeds, strict=True):
            number = int(prompt.split()[1])
            grey = np.full((side, side, 3), 20 * level + number + 1, "u1")
            noise = np.random.default_rng([level, seed]).integers(0, 255, grey.shape, "u1")
            images.append(None if number in missing else noise if noisy else grey)
        return images

    return ObjectSettings(draw, version=f"{level}-{side}-{sorted(missing)}-{noisy}")


def make_run(
    folder: Path,
    names: tuple[str, ...] = NAMES,
    *,
    side: int = 8,
    missing: dict[int, set[int]] | None = None,
    noisy: bool = False,
    **settings: Any,
) -> Path:
    """Make a run that keeps its images; `missing` are faulty prompts by the variant's number."""
    faults = missing or {}
    population = {
        name: _draw(level, side, frozenset(faults.get(level, ())), noisy)
        for level, name in enumerate(names)
    }
    prompts = PromptSet("things", IDS, tuple(f"thing {i} {HOSTILE}" for i in range(len(IDS))))
    settings = {"device": "cpu", "chunk": 4, "stage": "generate", **settings}
    run(population, prompts, [], out=folder, **settings)
    return folder


def data_of(html: str) -> dict[str, Any]:
    """The data block of a page."""
    start = html.index('id="data">') + len('id="data">')
    found: dict[str, Any] = json.loads(html[start : html.index("</script>", start)])
    return found


@pytest.fixture(scope="session")
def kept_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five variants on six prompts, all images there."""
    return make_run(tmp_path_factory.mktemp("votes") / "run")


@pytest.fixture
def made() -> Callable[..., Path]:
    """`make_run`."""
    return make_run


@pytest.fixture
def data_block() -> Callable[[str], dict[str, Any]]:
    """`data_of`."""
    return data_of
