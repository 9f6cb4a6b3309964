"""Held-out agreement when whole groups of variants are drawn again.

Variants of one base model are alike, so an interval that treats them as separate draws is too
short. Here groups are drawn with replacement; a group drawn twice counts its variants twice, and
two copies of one variant are no pair. Tau-b is then a ratio of sums over pairs in which a pair
counts as often as both its variants were drawn, so each split needs its sums by pair of groups
once, whatever the number of draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.held_out.spread import ENOUGH

__all__ = ["GroupResampler", "too_few_groups"]


def too_few_groups(n_groups: int) -> bool:
    """Whether an interval over so many groups would mean nothing.

    Example:
        >>> too_few_groups(7), too_few_groups(8)
        (True, False)

    """
    return n_groups < ENOUGH


class GroupResampler:
    """Draws groups of variants again and again, the same draws for everything it is asked.

    Args:
        groups: Each variant's group.
        rng: Source of the draws.
        draws: How many.

    Attributes:
        names: The groups, in order of appearance.
        draws: int64 [draws, groups], how often each group was drawn.

    Example:
        >>> resampler = GroupResampler(["sd", "sd", "xl"], np.random.default_rng(0), draws=5)
        >>> resampler.names, resampler.draws.shape, resampler.draws.sum(axis=1).tolist()
        (('sd', 'xl'), (5, 2), [2, 2, 2, 2, 2])

    """

    def __init__(
        self, groups: Sequence[str], rng: np.random.Generator, *, draws: int = 1000
    ) -> None:
        self.names = tuple(dict.fromkeys(groups))
        self._group_of = np.array([self.names.index(group) for group in groups])
        count = len(self.names)
        self.draws = rng.multinomial(count, np.full(count, 1 / count), size=draws)
        # After the draws, each group left out once.
        self._counts = np.concatenate([self.draws, 1 - np.eye(count, dtype=np.int64)]).astype(
            np.float64
        )

    def groups_in(self, sides: Sequence[NDArray[np.int64]]) -> tuple[str, ...]:
        """Return the groups that any of these lists of variants has a member of.

        Example:
            >>> resampler = GroupResampler(["sd", "sd", "xl"], np.random.default_rng(0))
            >>> resampler.groups_in([np.array([0]), np.array([1])])
            ('sd',)

        """
        there = {int(group) for variants in sides for group in self._group_of[variants]}
        return tuple(name for number, name in enumerate(self.names) if number in there)

    def weights(self, variants: NDArray[np.int64]) -> NDArray[np.float64]:
        """How much a split with these held-out variants counts in each draw.

        It is the mean number of times they were drawn: float64 [draws + groups], the last ones
        with each group left out in turn.

        Example:
            >>> resampler = GroupResampler(["sd", "sd", "xl"], np.random.default_rng(0), draws=5)
            >>> resampler.weights(np.array([0, 2]))[-2:]  # without sd, without xl: half is left
            array([0.5, 0.5])

        """
        weights: NDArray[np.float64] = self._counts[:, self._group_of[variants]].mean(axis=1)
        return weights

    def taus(
        self,
        means: NDArray[np.float64],
        target: NDArray[np.float64],
        variants: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Tau-b in each draw, and with each group left out: the mean over sets.

        Args:
            means: float64 [sets, all variants], subset means.
            target: float64 [all variants], full-set means.
            variants: int64, the held-out variants.

        Returns:
            float64 [draws + groups]; NaN where fewer than two different variants were drawn, or
            all that were tie.

        Example:
            >>> resampler = GroupResampler(["sd", "sd", "xl"], np.random.default_rng(0), draws=5)
            >>> means, target = np.array([[1.0, 2.0, 0.0]]), np.array([1.0, 2.0, 3.0])
            >>> resampler.taus(means, target, np.arange(3))[-1:]  # without xl, both sd in order
            array([1.])

        """
        member = np.eye(len(self.names))[self._group_of[variants]]
        wanted = np.sign(target[variants][:, None] - target[variants][None])
        ordered = member.T @ np.abs(wanted) @ member
        by_target = self._per_draw(ordered)
        total = np.zeros(len(self._counts))
        for row in means[:, variants]:
            found = np.sign(row[:, None] - row[None])
            agree = self._per_draw(member.T @ (found * wanted) @ member)
            by_subset = self._per_draw(member.T @ np.abs(found) @ member)
            with np.errstate(invalid="ignore", divide="ignore"):
                total += agree / np.sqrt(by_target * by_subset)
        return total / len(means)

    def _per_draw(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over pairs of groups, each as often as both were drawn: float64 [draws + groups]."""
        drawn: NDArray[np.float64] = ((self._counts @ sums) * self._counts).sum(axis=1)
        return drawn
