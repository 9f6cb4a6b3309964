"""With few search variants a part of the prompts is drawn, not searched for.

Few variants say little of a prompt, and a search takes their chance for a rule: the prompts that it
adds beyond the first ten fit those variants and err together on others. Prompts drawn at random err
independently, of the chosen ones and of each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.methods.problem import Problem

__all__ = ["drawn_after", "drawn_at_random", "kinds_and_places", "places_by_kind", "searched_size"]

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


def places_by_kind(kinds: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Share a subset's places among kinds of prompts as the whole set is shared.

    Place after place goes to the kind with the greatest count / (2 places + 1): Webster's method,
    under which a kind never has fewer places in a larger subset, so that sizes can be nested.

    Args:
        kinds: int64 [prompts], the kind of each prompt, 0 to k - 1.
        size: Places, at most as many as prompts.

    Returns:
        int64 [k] places; their sum is the size.

    Example:
        >>> places_by_kind(np.repeat([0, 1, 2], [60, 30, 10]), 7).tolist()
        [4, 2, 1]

    """
    counts = np.bincount(kinds)
    places = np.zeros_like(counts)
    for _ in range(size):
        claims = np.where(places < counts, counts / (2 * places + 1), -1.0)
        places[int(np.argmax(claims))] += 1
    return places


def kinds_and_places(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the kind of every prompt and the places for each: one kind where no share is held.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> kinds, places = kinds_and_places(make_problem([np.tri(3, 4)], ["clip"], size=2))
        >>> kinds.tolist(), places.tolist()
        ([0, 0, 0, 0], [2])

    """
    kinds = problem.kinds
    if kinds is None:
        return np.zeros(problem.n_prompts, dtype=np.int64), np.array([problem.size])
    return kinds, places_by_kind(kinds, problem.size)


def drawn_after(
    chosen: NDArray[np.int64],
    count: int,
    order: NDArray[np.int64],
    features: NDArray[np.float64] | None = None,
    kinds: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return further prompts in a random order's turn, kept balanced where features are known.

    Args:
        chosen: int64 prompts that are in.
        count: Prompts to draw.
        order: int64, the prompts that may be drawn, shuffled.
        features: float64 [features, prompts], centred over all prompts; None for none. Each place
            goes to that of the next 100 prompts which leaves the least sum of squares of the
            features' sums.
        kinds: int64 [prompts], the kinds whose shares the whole is to have, as `places_by_kind`
            says; None where it need not.

    Returns:
        int64 [count] prompts; fewer where the order has no more.

    Example:
        >>> drawn_after(np.array([0, 1]), 2, np.array([1, 3, 0, 2])).tolist()
        [3, 2]
        >>> centred = np.array([[1.0, 1.0, -1.0, -1.0]])
        >>> drawn_after(np.array([0]), 1, np.array([1, 2, 3]), centred).tolist()
        [2]
        >>> kinds = np.array([0, 0, 1, 1])
        >>> drawn_after(np.array([0]), 1, np.array([1, 3, 2]), kinds=kinds).tolist()
        [3]

    """
    waiting = order[~np.isin(order, chosen)]
    if kinds is not None:
        left = places_by_kind(kinds, len(chosen) + count)
        left = left - np.bincount(kinds[chosen], minlength=len(left))
    if features is None:
        if kinds is not None:
            waiting = waiting[_number_in_kind(kinds[waiting]) < left[kinds[waiting]]]
        return waiting[:count]
    sums = features[:, chosen].sum(axis=1)
    drawn: list[int] = []
    while len(drawn) < count and waiting.size:
        within = np.ones(waiting.size, bool) if kinds is None else left[kinds[waiting]] > 0
        window = np.flatnonzero(within)[:_DRAWN]
        if window.size == 0:
            break
        cost = np.square(sums[:, None] + features[:, waiting[window]]).sum(axis=0)
        place = int(window[int(np.argmin(cost))])
        prompt = int(waiting[place])
        sums = sums + features[:, prompt]
        if kinds is not None:
            left[kinds[prompt]] -= 1
        drawn.append(prompt)
        waiting = np.delete(waiting, place)
    return np.array(drawn, dtype=np.int64)


def drawn_at_random(problem: Problem, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the free prompts uniformly, without replacement, with the shares asked for.

    Example:
        >>> from flasheval.selection.methods.problem import make_problem
        >>> problem = make_problem([np.tri(3, 9)], ["clip"], size=4, required=[8])
        >>> len(drawn_at_random(problem, np.random.default_rng(0)))
        3

    """
    if problem.kinds is None:
        return rng.choice(problem.allowed, problem.n_free, replace=False)
    order = rng.permutation(problem.allowed)
    return drawn_after(problem.required, problem.n_free, order, None, problem.kinds)


def _number_in_kind(kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count, for each place, the earlier places of its kind."""
    numbers = np.empty(len(kinds), dtype=np.int64)
    for kind in np.unique(kinds):
        own = np.flatnonzero(kinds == kind)
        numbers[own] = np.arange(len(own))
    return numbers
