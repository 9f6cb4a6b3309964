"""`random`: uniform draws, the baseline every method is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flasheval.selection.methods.few import drawn_at_random
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import OneShot, Selection

__all__ = ["Random"]


@dataclass(frozen=True)
class Random(OneShot):
    """Draw the prompts uniformly, without replacement."""

    name: ClassVar[str] = "random"
    holds_shares: ClassVar[bool] = True

    def choose(self, problem: Problem, rng: np.random.Generator) -> Selection:
        """Draw the free prompts.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> problem = make_problem([np.tri(3, 9)], ["clip"], size=4, required=[8])
            >>> chosen = Random().choose(problem, np.random.default_rng(0)).indices
            >>> int(chosen[0]), len(set(chosen.tolist()))  # required ones come first
            (8, 4)

        """
        drawn = drawn_at_random(problem, rng)
        return Selection(np.concatenate([problem.required, drawn]))
