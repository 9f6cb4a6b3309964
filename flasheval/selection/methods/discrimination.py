"""`discrimination`: the prompts that each tell variants apart best, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import OneShot, Selection

__all__ = ["Discrimination"]


@dataclass(frozen=True)
class Discrimination(OneShot):
    """Take the prompts with the highest slope over residual spread.

    See `PromptStatistics.discrimination` in `flasheval.selection.methods.statistics`.

    With several metrics the ratio is scaled to mean absolute value 1 in each and added.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> scores = [[0, 1, 5], [2, 0, 5], [4, 1, 5], [6, 0, 5]]  # prompt 0 follows the mean
        >>> problem = make_problem([scores], ["clip"], size=1)
        >>> Discrimination().choose(problem, np.random.default_rng(0)).indices
        array([0])

    """

    name: ClassVar[str] = "discrimination"

    def choose(self, problem: Problem, rng: np.random.Generator) -> Selection:
        """Take the highest; of equals the first. Uses no randomness."""
        total = np.zeros(problem.n_prompts)
        for metric in range(len(problem.scores)):
            sharpness = problem.statistics(metric).discrimination
            total += sharpness / max(float(np.abs(sharpness).mean()), 1e-300)
        order = np.argsort(-total[problem.allowed], kind="stable")
        return Selection(
            np.concatenate([problem.required, problem.allowed[order[: problem.n_free]]])
        )
