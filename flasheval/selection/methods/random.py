"""`random`: uniform draws, the baseline every method is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import OneShot, Selection

__all__ = ["Random"]


@dataclass(frozen=True)
class Random(OneShot):
    """Draw the prompts uniformly, without replacement."""

    name: ClassVar[str] = "random"

    def choose(self, problem: Problem, rng: np.random.Generator) -> Selection:
        """Draw the free prompts."""
        drawn = rng.choice(problem.allowed, problem.n_free, replace=False)
        return Selection(np.concatenate([problem.required, drawn]))
