"""Small made-up searches shared by the tests of the methods."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from flasheval.selection.methods.problem import Problem, make_problem
from flasheval.selection.methods.registry import make_selector
from flasheval.selection.methods.selector import Selector

MakeProblem = Callable[..., Problem]


def _make_problem(
    n: int = 14, n_prompts: int = 60, size: int = 6, n_metrics: int = 1, seed: int = 0, **rest
) -> Problem:
    """A seeded problem with prompts of unequal slope and noise; `rest` goes to make_problem."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=(n, 1))
    blocks = []
    for _ in range(n_metrics):
        own = quality + 0.3 * rng.normal(size=(n, 1))
        scale = np.exp(0.4 * rng.normal(size=n_prompts))
        block = own * rng.gamma(3.0, 1 / 3, n_prompts) + scale * rng.normal(size=(n, n_prompts))
        blocks.append((block + rng.normal(size=n_prompts)).astype(np.float32))
    names = [f"metric{m}" for m in range(n_metrics)]
    return make_problem(blocks, names, size, **rest)


@pytest.fixture(scope="session")
def a_problem() -> MakeProblem:
    """A function: a_problem(n, n_prompts, size, n_metrics, seed, required=, forbidden=, ...)."""
    return _make_problem


QUICK = {
    "frequency": {"n_sets": 600},
    "evolve": {"population": 24, "generations": 12},
    "anneal": {"swaps": 5_000},
}


@pytest.fixture(scope="session")
def quick() -> Callable[..., Selector[Any]]:
    """A function: quick(name, **settings) -> the method, set to finish in a few milliseconds."""

    def make(name: str, **settings: Any) -> Selector[Any]:
        return make_selector(name, {**QUICK.get(name, {}), **settings})

    return make
