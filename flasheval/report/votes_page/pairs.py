"""Which two variants meet on which prompt: all pairs, or some that treat all of them alike."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

__all__ = ["Chosen", "Pair", "choose_pairs", "pair_order", "pair_sequence"]


@dataclass(frozen=True, order=True)
class Pair:
    """Two images of one prompt.

    Attributes:
        a: The one variant's number, the smaller.
        b: The other's.
        prompt: The prompt's number.
        image: The images' number among those of their prompt, the same for both.

    """

    a: int
    b: int
    prompt: int
    image: int


@dataclass(frozen=True)
class Chosen:
    """Pairs to vote on.

    Attributes:
        pairs: They, in the order they were drawn in.
        left_out: How many were passed over because an image of theirs is not there.

    """

    pairs: tuple[Pair, ...]
    left_out: int


def pair_order(count: int) -> list[tuple[int, int]]:
    """Return all pairs of so many things, in an order that treats them alike at any moment.

    After any number of pairs, no thing was in two pairs more than another. For an even count these
    are the rounds of a tournament by the circle method; for an odd one Walecki's Hamiltonian
    cycles, of each first every other edge and then the rest (Alspach, The wonderful Walecki
    construction, 2008).

    >>> pair_order(4)
    [(0, 3), (1, 2), (1, 3), (0, 2), (2, 3), (0, 1)]
    >>> pair_order(3)
    [(0, 2), (1, 2), (0, 1)]
    """
    edges = _rounds(count) if count % 2 == 0 else _cycles(count)
    return [(min(edge), max(edge)) for edge in edges]


def _rounds(count: int) -> Iterator[tuple[int, int]]:
    turning, fixed = count - 1, count - 1
    for turn in range(turning):
        yield turn, fixed
        for step in range(1, count // 2):
            yield (turn + step) % turning, (turn - step) % turning


def _cycles(count: int) -> Iterator[tuple[int, int]]:
    turning, fixed = count - 1, count - 1
    for turn in range(turning // 2):
        steps = [(step + 1) // 2 * (1 if step % 2 else -1) for step in range(turning)]
        cycle = [fixed, *((turn + step) % turning for step in steps)]
        edges = list(zip(cycle, [*cycle[1:], fixed], strict=True))
        yield from edges[::2]
        yield from edges[1::2]


def pair_sequence(variants: int, prompts: int, seed: int) -> Iterator[tuple[int, int, int]]:
    """Yield every pair of variants on every prompt once, balanced at any moment.

    After any number of draws neither two variants, nor two prompts, nor two pairs of variants
    differ by more than one in how often they came. Which comes first is drawn by the seed.

    Args:
        variants: How many variants there are.
        prompts: How many prompts there are.
        seed: Seed of the order.

    Yields:
        The two variants, the smaller number first, and the prompt.

    >>> drawn = list(pair_sequence(3, 4, seed=0))
    >>> len(drawn), len(set(drawn))
    (12, 12)
    >>> sorted(prompt for _, _, prompt in drawn[:4])
    [0, 1, 2, 3]

    """
    rng = np.random.default_rng(seed)
    names, places = rng.permutation(variants).tolist(), rng.permutation(prompts).tolist()
    order = pair_order(variants)
    common = math.lcm(len(order), prompts) if order and prompts else 1
    for draw in range(len(order) * prompts):
        one, other = (names[thing] for thing in order[draw % len(order)])
        # The numbers of pair and prompt run round together; after each time that both are at their
        # beginning again the prompts are moved by one, so that no two meet again.
        yield min(one, other), max(one, other), places[(draw + draw // common) % prompts]


def choose_pairs(
    variants: int,
    prompts: int,
    *,
    usable: Callable[[int, int, int], bool],
    most: int | None = None,
    images: int = 1,
    seed: int = 0,
) -> Chosen:
    """Return all pairs, or the first so many of the balanced sequence, that have both images.

    Where all images are there the counts of variants, prompts and pairs of variants differ by one
    at most; one that is not there makes the next in the sequence take its turn. Of several images
    a prompt, each pair on a prompt takes the next one.

    Args:
        variants: How many variants there are.
        prompts: How many prompts there are.
        usable: Whether there is an image of a variant, a prompt and a number.
        most: How many pairs are wanted; None for all.
        images: Images a prompt.
        seed: Seed of the order and of the first image's number.

    >>> chosen = choose_pairs(3, 4, usable=lambda variant, prompt, image: variant != 2)
    >>> len(chosen.pairs), chosen.left_out
    (4, 8)

    """
    first = np.random.default_rng([seed, 1]).integers(images, size=prompts).tolist()
    turns: Counter[int] = Counter()
    found: list[Pair] = []
    left_out = 0
    for a, b, prompt in pair_sequence(variants, prompts, seed):
        if len(found) == most:
            break
        numbers = ((first[prompt] + turns[prompt] + step) % images for step in range(images))
        both = (n for n in numbers if usable(a, prompt, n) and usable(b, prompt, n))
        number = next(both, None)
        if number is None:
            left_out += 1
        else:
            turns[prompt] += 1
            found.append(Pair(a, b, prompt, number))
    return Chosen(tuple(found), left_out)
