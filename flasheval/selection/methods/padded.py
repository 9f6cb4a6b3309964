"""`padded`: a searched core, and random prompts beyond it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from flasheval.selection.methods.anneal import Anneal, AnnealWork
from flasheval.selection.methods.few import drawn_after
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import Selection, State, require_positive

__all__ = ["Padded", "PaddedWork"]


@dataclass(frozen=True)
class PaddedWork:
    """What is computed once.

    Attributes:
        problem: The whole search.
        core: What an annealing of the core computes.

    """

    problem: Problem
    core: AnnealWork


@dataclass(frozen=True)
class Padded:
    """Choose up to `core` prompts as `anneal` does, and draw the others at random.

    A search soon has nothing left to learn: beyond some number of prompts each further one that it
    chooses fits the search variants only, and large chosen sets rank new variants worse than random
    ones. Random prompts err independently of the chosen core, and of each other.

    Attributes:
        core: Prompts to search for; those required count.

    """

    core: int = 100

    name: ClassVar[str] = "padded"
    cheap: ClassVar[bool] = True
    together: ClassVar[bool] = False
    borrows: ClassVar[bool] = False
    image_rows: ClassVar[bool] = True
    holds_shares: ClassVar[bool] = True
    balances: ClassVar[bool] = True

    def prepare(self, problem: Problem) -> PaddedWork:
        """Lay out the scores for the core; SettingError for a core below 1.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> scores = np.random.default_rng(0).normal(size=(6, 20))
            >>> problem = make_problem([scores], ["clip"], size=8)
            >>> [Padded(core).prepare(problem).core.problem.size for core in (5, 100)]
            [5, 8]

        """
        require_positive(self.name, {"core": self.core})
        size = min(problem.size, max(self.core, len(problem.required)))
        return PaddedWork(problem, Anneal().prepare(replace(problem, size=size)))

    def start(self, work: PaddedWork, rng: np.random.Generator) -> State:
        """Begin the core; its random numbers are those of `anneal`."""
        (padding_rng,) = rng.spawn(1)
        state = Anneal().start(work.core, rng)
        order = padding_rng.permutation(work.problem.allowed)
        # Of what fills up a kind the first prompts of the order may hold too few.
        state.arrays["padding"] = (
            order[: work.problem.size] if work.problem.kinds is None else order
        )
        return state

    def step(self, work: PaddedWork, state: State) -> None:
        """Try the next swaps in the core."""
        Anneal().step(work.core, state)

    def best(self, work: PaddedWork, state: State) -> Selection:
        """Return the best core so far, and random prompts behind it."""
        core = Anneal().best(work.core, state).indices
        padding = np.asarray(state.arrays["padding"], dtype=np.int64)
        count = work.problem.size - len(core)
        others = drawn_after(core, count, padding, None, work.problem.kinds)
        return Selection(np.concatenate([core, others]))
