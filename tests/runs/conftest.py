"""A population that needs no model: Python functions that draw, and functions that score."""

import textwrap
from pathlib import Path
from typing import Any

import pytest

from flasheval.generators.populations.population import make_population
from flasheval.prompts import PromptSet
from flasheval.runs.run_plan import RunPlan, WorkSettings, make_run_plan
from flasheval.scorers.registry import make_scorers

DRAWING = '''
    """Draws and scores; counts the images it draws in a file beside it."""
    import os
    import time
    from pathlib import Path

    import numpy as np

    COUNT = Path(__file__).with_name("drawn.txt")


    def draw(prompts, seeds):
        with COUNT.open("a") as file:
            file.write("".join(f"{seed}\\n" for seed in seeds))
        time.sleep(float(os.environ.get("DRAWING_TIME", 0)) * len(seeds))
        return [np.random.default_rng(seed).random((8, 8, 3), dtype="f4") for seed in seeds]


    def dark(prompts, seeds):
        return [image / 2 for image in draw(prompts, seeds)]


    def boom(prompts, seeds):
        raise RuntimeError("no\\nluck")


    def faulty(prompts, seeds):
        images = draw(prompts, seeds)
        return [None if text.endswith("3") else image for text, image in zip(prompts, images)]


    def greedy(prompts, seeds):
        if len(seeds) > 2:
            raise MemoryError
        return draw(prompts, seeds)


    def brightness(images, prompts):
        return [float(np.asarray(image).mean()) for image in images]


    def contrast(images, prompts):
        return [float(np.asarray(image).std()) for image in images]


    def picky(images, prompts):
        if any("number 5" in text for text in prompts):
            raise ValueError("not this one")
        return brightness(images, prompts)
'''


class Toys:
    """Settings of variants and scorers of the drawing functions, and how often they drew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "drawing.py"
        self.file.write_text(textwrap.dedent(DRAWING))

    def population(self, *functions: str, **names: str) -> dict[str, Any]:
        named = {**{name: name for name in functions}, **names}
        return {
            "settings": {"generator": "function"},
            "variants": [
                {"name": name, "function": f"{self.file}:{function}"}
                for name, function in named.items()
            ],
        }

    def scorer(self, function: str, **settings: Any) -> dict[str, Any]:
        return {"name": "function", "function": f"{self.file}:{function}", **settings}

    def drawn(self) -> list[str]:
        """The seeds of all images drawn so far."""
        count = self.folder / "drawn.txt"
        return count.read_text().split() if count.exists() else []

    def prompts(self, count: int) -> PromptSet:
        ids = tuple(f"p{number}" for number in range(count))
        return PromptSet("things", ids, tuple(f"thing number {number}" for number in range(count)))

    def plan(
        self,
        prompts: PromptSet,
        functions: tuple[str, ...] = ("draw", "dark"),
        seed: int = 0,
        chunk: int = 6,
        work: WorkSettings | None = None,
        images: int | None = None,
        own: bool = False,
        **scorer: Any,
    ) -> RunPlan:
        population = make_population(self.population(*functions))
        entries = [self.scorer("brightness", **scorer)]
        return make_run_plan(
            population.recipes,
            prompts,
            make_scorers(entries),
            seed=seed,
            chunk=chunk,
            work=work or WorkSettings(),
            entries=population.entries,
            scorer_entries=entries,
            images_per_prompt=images,
            variant_seeds=own,
        )


@pytest.fixture
def toys(tmp_path: Path) -> Toys:
    folder = tmp_path / "toys"
    folder.mkdir()
    return Toys(folder)


@pytest.fixture
def prompts(toys: Toys) -> PromptSet:
    return toys.prompts(20)
