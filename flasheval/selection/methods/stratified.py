"""`stratified`: one random prompt from every stratum of difficulty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import OneShot, Selection

__all__ = ["Stratified"]


@dataclass(frozen=True)
class Stratified(OneShot):
    """Sort prompts by mean score, cut into as many strata as places, draw one from each.

    With several metrics the means are standardised over prompts and added.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> problem = make_problem([np.arange(12).reshape(3, 4)], ["clip"], size=2)
        >>> chosen = Stratified().choose(problem, np.random.default_rng(0))
        >>> (chosen.indices // 2).tolist()  # one of prompts 0 and 1, one of prompts 2 and 3
        [0, 1]

    """

    name: ClassVar[str] = "stratified"

    def choose(self, problem: Problem, rng: np.random.Generator) -> Selection:
        """Draw one prompt per stratum."""
        if problem.n_free == 0:
            return Selection(problem.required)
        difficulty = np.zeros(problem.n_prompts)
        for scores in problem.scores:
            means = scores.mean(axis=0, dtype=np.float64)
            difficulty += (means - means.mean()) / max(float(means.std()), 1e-300)
        order = problem.allowed[np.argsort(difficulty[problem.allowed], kind="stable")]
        strata = np.array_split(order, problem.n_free)
        drawn = np.array([stratum[rng.integers(len(stratum))] for stratum in strata])
        return Selection(np.concatenate([problem.required, drawn]))
