"""Which prompts to show people: a draw spread over the kinds of prompts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_arguments
from flasheval.base.checks import checked_seed
from flasheval.base.errors import SettingError
from flasheval.prompts import PromptSet

__all__ = ["prompts_to_show"]


@checked_arguments
def prompts_to_show(
    prompts: PromptSet, size: int, *, by: str | None = None, seed: int = 0
) -> NDArray[np.int64]:
    """Draw prompts to be voted on, spread evenly over the values of a column of the prompts.

    Systematic sampling (W. G. Cochran, Sampling Techniques, 1977, chapter 8): prompts are shuffled,
    ordered by their value, and every (prompts / size)-th is taken from a random start on. Each
    prompt is as likely as any other, so that means over the draw are those of the whole set on
    average, and each value has its share of the draw, to within one prompt.

    Args:
        prompts: The whole prompt set.
        size: How many to draw.
        by: A column of the prompts, such as category; without one the draw is plainly random.
        seed: Same prompts, settings and seed give the same draw.

    Returns:
        Places of the prompts, int64 [size], in an order in which the first ones are spread too.

    Raises:
        SettingError: A size that is not from 1 to the number of prompts, or an unknown column.

    >>> pets = PromptSet("pets", tuple("123456"), extras={"kind": tuple("ccccdd")})
    >>> drawn = prompts_to_show(pets, 3, by="kind")
    >>> sorted(pets.extras["kind"][one] for one in drawn)
    ['c', 'c', 'd']

    """
    if isinstance(size, bool) or not 1 <= size <= len(prompts):
        raise SettingError(f"size={size}: expected a number from 1 to the {len(prompts)} prompts")
    rng = np.random.default_rng(checked_seed(seed))
    order = rng.permutation(len(prompts))
    if by is not None:
        _, value = np.unique(np.array(prompts.column(by, "by")), return_inverse=True)
        order = order[np.argsort(rng.permutation(value.max() + 1)[value][order], kind="stable")]
    start = rng.random()
    step = len(prompts) / size
    taken = order[np.minimum((start + np.arange(size)) * step, len(prompts) - 1).astype(np.int64)]
    found: NDArray[np.int64] = taken[np.argsort(_spread(size), kind="stable")]
    return found


def _spread(size: int) -> NDArray[np.float64]:
    """Return keys by which places are taken far from each other first: their digits turned round.

    >>> np.argsort(_spread(4)).tolist()
    [0, 2, 1, 3]
    """
    places, keys, scale = np.arange(size), np.zeros(size), 0.5
    while places.any():
        keys += scale * (places % 2)
        places, scale = places // 2, scale / 2
    return keys
