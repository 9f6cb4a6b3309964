"""Twins: variants whose scores are the same under two names. Pure arrays, no tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_of_twins", "named_twins", "twin_groups"]

_EQUAL = 0.99  # share of the cells both have
_CORRELATED = 0.999
_MOST_CORRELATED = 0.99  # without the tenth of the prompts with the largest residuals
_FEWEST = 8  # prompts that both were measured on
_SAMPLE = 4096  # prompts on which pairs are looked for; those found are checked on all
_MAYBE_UNEQUAL = 0.017
_MAYBE_CORRELATED = 0.99
_BY_CHANCE = 2.0  # nats of surprise below which equal rows, such as all yes, say nothing
_RARE = 1000.0  # nearly equal rows must be rarer by chance than one in so many tables
_OTHERS = 64  # other rows looked at for what is usual on a prompt
_BLOCK = 1 << 20
_NAMED = 20

Values = NDArray[Any]


def first_of_twins(blocks: Sequence[Values]) -> NDArray[np.int64]:
    """Find for each variant the first variant with the same scores: itself where it has no twin.

    Two variants are twins where in every metric 99% of the cells that both have are equal, or
    their residuals (scores less the prompt's median and the variant's mean) correlate above .999;
    a metric that only one of them has does not count. Twins of a twin are twins. What so few or so
    coarse scores would show by chance (yes on every prompt) makes no twins, nor do fewer than 8
    prompts that both were measured on.

    Args:
        blocks: One array [variants, prompts] a metric, NaN where not measured.

    Returns:
        int64 [variants].

    Example:
        >>> scores = np.random.default_rng(0).normal(size=(4, 30))
        >>> scores[3] = scores[1]
        >>> first_of_twins([scores]).tolist()
        [0, 1, 2, 1]

    """
    n = len(blocks[0])
    first = np.arange(n, dtype=np.int64)
    metrics = [_Metric(block) for block in blocks]
    maybe = ~np.eye(n, dtype=bool)
    for metric in metrics:
        if maybe.any():
            maybe &= metric.candidates(maybe)
    for left in np.flatnonzero(np.triu(maybe).any(axis=1)).tolist():
        right = left + np.flatnonzero(maybe[left, left:] & (first[left:] != first[left]))
        others = np.flatnonzero(~maybe[left])
        told = np.zeros(len(right), dtype=bool)
        for metric in metrics:
            same, telling = metric.same(left, right, others[others != left])
            right, told = right[same], (told | telling)[same]
        for head in np.unique(first[right[told]]):
            one, other = sorted((head, first[left]))
            first[first == other] = one
    return first


def twin_groups(first: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    """Return the groups of twins, two rows at least each, from `first_of_twins`.

    >>> twin_groups(np.array([0, 1, 0, 3, 0, 3]))
    ((0, 2, 4), (3, 5))
    """
    heads, counts = np.unique(first, return_counts=True)
    return tuple(
        tuple(np.flatnonzero(first == head).tolist()) for head in heads[counts > 1].tolist()
    )


def named_twins(groups: Sequence[Sequence[str]]) -> list[str]:
    """Return the warning that names the twins; nothing where there are none.

    >>> named_twins([("sd15", "sd15-again")])
    ['the same scores under several names, each counted once: sd15 = sd15-again']
    """
    if not groups:
        return []
    some = ", ".join(" = ".join(group) for group in groups[:_NAMED])
    more = f" and {len(groups) - _NAMED} more" if len(groups) > _NAMED else ""
    return [f"the same scores under several names, each counted once: {some}{more}"]


class _Metric:
    """One metric's scores, and what pairs of its rows have in common."""

    def __init__(self, values: Values) -> None:
        self.values = values
        n_prompts = values.shape[1]
        if n_prompts <= _SAMPLE:
            self.sample = values
        else:  # at random, as files may be ordered by anything; always the same
            chosen = np.random.default_rng(n_prompts).permutation(n_prompts)[:_SAMPLE]
            self.sample = np.take(values, np.sort(chosen), axis=1)

    @cached_property
    def whole(self) -> bool:
        """Whether every cell was measured."""
        return not any(np.isnan(row).any() for row in self.values)

    @cached_property
    def middle(self) -> NDArray[np.float64]:
        """Each prompt's median over the variants that have it: float64 [prompts]."""
        return _medians(self.values)

    def candidates(self, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mark the pairs of rows that may be the same, among those wanted: bool [n, n]."""
        found = self._maybe_equal(wanted)
        if self.sample.shape[1] >= _FEWEST:
            found |= _correlations(self.sample) > _MAYBE_CORRELATED
        return found

    def _maybe_equal(self, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        n, n_prompts = self.sample.shape
        whole = n_prompts == self.values.shape[1]
        allowed = (1 - _EQUAL if whole else _MAYBE_UNEQUAL) * n_prompts + 1e-9
        found = np.zeros((n, n), dtype=bool)
        for row in range(n):
            alive = row + 1 + np.flatnonzero(wanted[row, row + 1 :])
            unequal = np.zeros(len(alive), dtype=np.int64)
            begin, width = 0, 64  # most pairs are told apart by a few prompts
            while begin < n_prompts and alive.size:
                part = slice(begin, begin + width)
                one, others = self.sample[row, part], self.sample[alive, part]
                unequal += ((others < one) | (others > one)).sum(axis=1)  # false for NaN
                keep = unequal <= allowed
                alive, unequal = alive[keep], unequal[keep]
                begin, width = begin + width, 2 * width
            found[row, alive] = found[alive, row] = True
        return found

    def same(
        self, left: int, right: NDArray[np.int64], others: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell which rows are the same as the row `left`, and which of them not by chance."""
        same, telling = np.zeros(len(right), dtype=bool), np.zeros(len(right), dtype=bool)
        if not len(right):
            return same, telling
        n, n_prompts = self.values.shape
        one, novel = self.values[left], self._novel(left, others)
        step = max(1, 8 * _BLOCK // n_prompts)
        for begin in range(0, len(right), step):
            part = slice(begin, begin + step)
            rows = self.values[right[part]]
            unequal = rows != one
            if self.whole:
                count, least, expected = n_prompts, n_prompts, novel.sum()
            else:
                there, mine = ~np.isnan(rows), ~np.isnan(one)
                least = np.minimum(there.sum(axis=1), mine.sum()) / 2
                there &= mine
                unequal &= there
                count, expected = there.sum(axis=1), np.where(there, novel, 0.0).sum(axis=1)
            unequal = np.count_nonzero(unequal, axis=1)
            equal = unequal <= (1 - _EQUAL) * count + 1e-9
            needed = np.where(unequal == 0, _BY_CHANCE, math.log(_RARE * n * (n - 1) / 2))
            told = equal & (_surprise(unequal, expected) >= needed)
            for row in np.flatnonzero(~equal):
                one_less, other_less = one - self.middle, rows[row] - self.middle
                both = ~(np.isnan(one_less) | np.isnan(other_less))
                told[row] = _follow(one_less[both], other_less[both])
            told &= (count >= _FEWEST) & (count >= least)
            same[part], telling[part] = equal | told, told
        return same, telling

    def _novel(self, row: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
        """How unlikely each of a row's values is in another row: float64 [prompts], from 0 to 1.

        A value is the likelier the more often it is in this row, and on its prompt in the rows
        of others.
        """
        values = self.values[row]
        _, kind, counts = np.unique(values, return_inverse=True, return_counts=True)
        often = counts[kind] / max(1, int((~np.isnan(values)).sum()))
        if others.size:
            some = others[:: -(-len(others) // _OTHERS)]
            often = np.maximum(often, (self.values[some] == values).mean(axis=0))
        found: NDArray[np.float64] = np.where(np.isnan(values), 0.0, 1.0 - often)
        return found


def _surprise(unequal: NDArray[np.int64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nats of surprise at so few unequal cells where so many are expected (Chernoff's bound)."""
    few = np.minimum(unequal, expected)
    share = np.where(few > 0, few / np.where(expected > 0, expected, 1.0), 1.0)
    surprise: NDArray[np.float64] = expected - few + few * np.log(share)
    return surprise


def _medians(values: Values) -> NDArray[np.float64]:
    """Each column's median over what is there: float64 [columns], NaN where nothing is."""
    n, width = values.shape
    middle = np.empty(width)
    step = max(1, _BLOCK // n)
    for begin in range(0, width, step):
        part = np.sort(values[:, begin : begin + step].astype(np.float64), axis=0)  # NaN last
        count = (~np.isnan(part)).sum(axis=0)
        at = np.arange(part.shape[1])
        last = np.maximum(count - 1, 0)
        low, high = part[last // 2, at], part[(last + 1) // 2, at]
        middle[begin : begin + step] = low + (high - low) / 2
    return middle


def _correlations(values: Values) -> NDArray[np.float64]:
    """Correlation of the residuals of every two rows on what both have: float64 [n, n]."""
    residual = values.astype(np.float64) - _medians(values)
    there = ~np.isnan(residual)
    largest = np.abs(residual, where=there, out=np.zeros_like(residual)).max(axis=1, keepdims=True)
    residual /= np.where(largest > 0, largest, 1.0)
    residual -= np.sum(residual, axis=1, where=there, keepdims=True) / np.maximum(
        there.sum(axis=1, keepdims=True), 1
    )
    if there.all():
        gram = residual @ residual.T
        squares = np.diag(gram).copy()
        product = np.sqrt(np.outer(squares, squares))
    else:
        residual[~there] = 0.0
        known = there.astype(np.float64)
        count = known @ known.T
        sums, squares = residual @ known.T, np.square(residual) @ known.T
        gram = count * (residual @ residual.T) - sums * sums.T
        spread = np.maximum(count * squares - sums**2, 0.0)
        product = np.sqrt(spread * spread.T)
    found: NDArray[np.float64] = np.divide(
        gram, product, out=np.zeros_like(gram), where=product > 1e-12
    )
    return found


def _follow(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Tell whether residuals correlate above .999, and not by a few large ones alone."""
    if _correlation(one, other) <= _CORRELATED:
        return False
    size = np.maximum(np.abs(one), np.abs(other))
    most = np.argsort(size, kind="stable")[: len(size) - len(size) // 10]
    return _correlation(one[most], other[most]) > _MOST_CORRELATED


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / scale if scale > 0 else 0.0
