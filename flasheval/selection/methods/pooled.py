"""`pooled`: the balanced loss for the nearest pairs, with the other metrics' evidence pooled in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flasheval.base.errors import SettingError
from flasheval.selection.methods.balance import BalanceSettings, BalanceWork
from flasheval.selection.methods.balanced import Balanced
from flasheval.selection.methods.problem import Problem
from flasheval.selection.methods.selector import require_positive

__all__ = ["Pooled", "borrowed_share"]

_FEW, _LARGE = 12, 50


@dataclass(frozen=True)
class Pooled(Balanced):
    """Minimise the balanced loss with noise weights, and borrow from the metrics not served.

    Three things set it apart from `balanced`. Near pairs of variants, which decide a ranking, count
    far more. A noisy prompt counts less in the subset's mean: its weight is 1 / sqrt(D). And the
    losses of other metrics of the same images are added with a share, for what makes a prompt
    noisy or biased shows in all metrics; see `borrowed_share`.

    Attributes:
        nearness: Scale of the pair weights, in median differences of full scores.
        borrow: Times the usual share at which other metrics count; 0 borrows nothing.

    """

    nearness: float = 0.25
    borrow: float = 1.0

    name: ClassVar[str] = "pooled"
    borrows: ClassVar[bool] = True

    def prepare(self, problem: Problem) -> BalanceWork:
        """Compute the loss's arrays; SettingError for a setting out of range.

        Example:
            >>> import numpy as np
            >>> from flasheval.selection.methods.problem import make_problem
            >>> problem = make_problem([np.tri(3, 5)], ["clip"], size=2)
            >>> Pooled(borrow=-1).prepare(problem)  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            flasheval.base.errors.SettingError: method.borrow=-1 (pooled): expected 0 (borrow ...

        """
        require_positive(self.name, {"nearness": self.nearness})
        if self.borrow < 0:
            raise SettingError(
                f"method.borrow={self.borrow} ({self.name}): expected 0 (borrow nothing) or more"
            )
        return super().prepare(problem)

    def settings(self, problem: Problem) -> BalanceSettings:
        """Return the shape of the loss for a problem.

        Example:
            >>> import numpy as np
            >>> from flasheval.selection.methods.problem import make_problem
            >>> problem = make_problem([np.tri(12, 80)], ["clip"], size=25)
            >>> Pooled().settings(problem).borrow, Pooled(borrow=2).settings(problem).borrow
            (0.5, 1.0)

        """
        return BalanceSettings(
            self.noise_weight,
            self.passes,
            self.screen,
            nearness=self.nearness,
            weighted=True,
            borrow=self.borrow * borrowed_share(problem.n_variants, problem.size),
        )


def borrowed_share(n_variants: int, size: int) -> float:
    """Share of another metric's loss: (12 / n) ** 1.5 times N / 50, each factor at most 1.

    The fewer variants there are, the less one metric tells of a prompt; and the larger the subset,
    the more freely it fits the search variants' own noise. The form was chosen on development
    splits (12 and 32 to 39 variants, N = 10 and 50), not derived.

    Example:
        >>> borrowed_share(8, 50), round(borrowed_share(48, 100), 3), borrowed_share(12, 10)
        (1.0, 0.125, 0.2)

    """
    return float(min(1.0, (_FEW / n_variants) ** 1.5) * min(1.0, size / _LARGE))
