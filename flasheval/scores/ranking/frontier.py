"""The frontier of quality against cost: what nothing beats in one without losing in the other."""

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError

__all__ = ["frontier"]


def frontier(
    quality: npt.ArrayLike, cost: npt.ArrayLike, *, higher_is_better: bool = True
) -> npt.NDArray[np.bool_]:
    """Tell which points are on the frontier of quality against cost, bool [n].

    A point is on it where no other is as good at no more cost, and better or cheaper. Points that
    are equal in both are on it together. One whose quality or cost is NaN is not, and beats none.

    quality: float [n], more is better unless `higher_is_better` is False. cost: float [n], less is
    better, in any unit. Raises DataError for shapes that do not fit.

    >>> frontier([0.9, 0.8, 0.7, 0.8], [4.0, 1.0, 2.0, 1.0]).tolist()
    [True, True, False, True]
    >>> frontier([30.0, 20.0, 25.0], [1.0, 3.0, np.nan], higher_is_better=False).tolist()
    [True, True, False]
    """
    gains = np.asarray(quality, dtype=np.float64)
    costs = np.asarray(cost, dtype=np.float64)
    if gains.ndim != 1 or gains.shape != costs.shape:
        raise DataError(
            f"quality has shape {gains.shape} and cost {costs.shape}; expected one number of each "
            "for every point"
        )
    gains = gains if higher_is_better else -gains
    found = np.zeros(len(gains), dtype=bool)
    known = np.flatnonzero(~(np.isnan(gains) | np.isnan(costs)))
    order = known[np.lexsort((-gains[known], costs[known]))]  # cheapest first, the best of equals
    if order.size:
        best_before = np.maximum.accumulate(np.append(-np.inf, gains[order][:-1]))
        beats = gains[order] > best_before
        beats[0] = True  # even at minus infinity nothing is cheaper or better
        place = np.maximum.accumulate(np.where(beats, np.arange(len(order)), 0))
        first = order[place]  # the member that each could be equal to
        found[order] = (gains[order] == gains[first]) & (costs[order] == costs[first])
    return found
