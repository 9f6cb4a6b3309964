"""With few search variants a part of the prompts is drawn, not searched for.

Few variants say little of a prompt, and a search takes their chance for a rule: the prompts that it
adds beyond the first ten fit those variants and err together on others. Prompts drawn at random err
independently, of the chosen ones and of each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.methods.problem import Problem

__all__ = ["drawn_after", "searched_size"]

_ALWAYS, _ENOUGH = 10, 20  # chosen on development data, 5 to 16 search variants
_DRAWN = 100  # prompts among which the one is taken that keeps the features' sums near nothing


def searched_size(problem: Problem) -> int:
    """Return how many of a subset's prompts are to be searched for; the others are drawn.

    All from 20 variants on; below, ten and a share n / 20 of those beyond, those required at least.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> [searched_size(make_problem([np.tri(n, 90)], ["clip"], 50)) for n in (5, 12, 20, 64)]
        [20, 34, 50, 50]
        >>> searched_size(make_problem([np.tri(5, 90)], ["clip"], 10))
        10

    """
    size, n_variants = problem.size, problem.n_variants
    if n_variants >= _ENOUGH or size <= _ALWAYS or problem.n_free == len(problem.allowed):
        return size
    share = _ALWAYS + round((size - _ALWAYS) * n_variants / _ENOUGH)
    return max(share, len(problem.required))


def drawn_after(
    chosen: NDArray[np.int64],
    count: int,
    order: NDArray[np.int64],
    features: NDArray[np.float64] | None = None,
) -> NDArray[np.int64]:
    """Return further prompts in a random order's turn, kept balanced where features are known.

    Args:
        chosen: int64 prompts that are in.
        count: Prompts to draw.
        order: int64, the prompts that may be drawn, shuffled.
        features: float64 [features, prompts], centred over all prompts; None for none. Each place
            goes to that of the next 100 prompts which leaves the least sum of squares of the
            features' sums.

    Returns:
        int64 [count] prompts; fewer where the order has no more.

    Example:
        >>> drawn_after(np.array([0, 1]), 2, np.array([1, 3, 0, 2])).tolist()
        [3, 2]
        >>> kinds = np.array([[1.0, 1.0, -1.0, -1.0]])
        >>> drawn_after(np.array([0]), 1, np.array([1, 2, 3]), kinds).tolist()
        [2]

    """
    others = order[~np.isin(order, chosen)]
    if features is None:
        return others[:count]
    sums = features[:, chosen].sum(axis=1)
    drawn: list[int] = []
    waiting = others.tolist()
    while len(drawn) < count and waiting:
        window = features[:, waiting[:_DRAWN]]
        place = int(np.argmin(np.square(sums[:, None] + window).sum(axis=0)))
        sums = sums + window[:, place]
        drawn.append(waiting.pop(place))
    return np.array(drawn, dtype=np.int64)
