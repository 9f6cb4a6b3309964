"""`balanced`: the set whose residuals cancel and whose slope is strong, one metric at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flasheval.base.errors import SettingError
from flasheval.selection.methods.balance import (
    BalanceSettings,
    BalanceWork,
    balance_start,
    balance_step,
    balance_work,
    best_of_state,
)
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import Selection, State, require_positive

__all__ = ["Balanced"]


@dataclass(frozen=True)
class Balanced:
    """Minimise the balanced loss greedily, then by swaps.

    See `flasheval.selection.methods.balance`.

    Given several metrics it minimises the sum of their losses.

    Attributes:
        noise_weight: Weight lam of the noise expected on unseen variants.
        passes: Swap passes at most; it stops at the first pass that changes nothing.
        screen: Candidates kept, by discrimination, when there are more prompts than this.

    """

    noise_weight: float = 2.0
    passes: int = 8
    screen: int = 10_000

    name: ClassVar[str] = "balanced"
    cheap: ClassVar[bool] = True
    together: ClassVar[bool] = False
    borrows: ClassVar[bool] = False
    holds_shares: ClassVar[bool] = True
    balances: ClassVar[bool] = True

    def prepare(self, problem: Problem) -> BalanceWork:
        """Compute the loss's arrays; SettingError for a setting out of range.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> scores = np.random.default_rng(0).normal(size=(6, 20))
            >>> problem = make_problem([scores], ["clip"], size=5)
            >>> Balanced().prepare(problem).residual.shape  # metrics, variants, candidates
            (1, 6, 20)
            >>> Balanced(passes=-1).prepare(problem)  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            flasheval.base.errors.SettingError: method.passes=-1 (balanced): expected 0 or more ...

        """
        settings = {"noise_weight": self.noise_weight, "screen": self.screen}
        require_positive(self.name, settings)
        if self.passes < 0:
            raise SettingError(
                f"method.passes={self.passes} ({self.name}): expected 0 or more swap passes"
            )
        return balance_work(problem, self.settings(problem))

    def settings(self, problem: Problem) -> BalanceSettings:
        """Return the shape of the loss for a problem."""
        return BalanceSettings(self.noise_weight, self.passes, self.screen)

    def start(self, work: BalanceWork, rng: np.random.Generator) -> State:
        """Begin with the required prompts and the warm start.

        Example:
            >>> from flasheval.selection.methods.problem import make_problem
            >>> scores = np.random.default_rng(0).normal(size=(6, 20))
            >>> work = Balanced().prepare(make_problem([scores], ["clip"], size=3, required=[7]))
            >>> state = Balanced().start(work, np.random.default_rng(0))
            >>> state.arrays["chosen"]  # -1 is a place still free
            array([ 0, -1, -1])

        """
        return balance_start(work, rng)

    def step(self, work: BalanceWork, state: State) -> None:
        """One greedy fill, then one pass of swaps a step."""
        balance_step(work, state)

    def best(self, work: BalanceWork, state: State) -> Selection:
        """Return the prompts chosen so far, in order of choice."""
        return best_of_state(work, state)
