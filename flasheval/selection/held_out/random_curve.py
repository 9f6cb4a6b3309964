"""Agreement of random subsets by size: the baseline beside every claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.base.checks import check_draws
from flasheval.base.drawing.brief import Brief
from flasheval.base.errors import SettingError
from flasheval.base.threads import in_blocks
from flasheval.scores import ScoreTable
from flasheval.scores.ranking.jit import compiled
from flasheval.scores.ranking.kendall import kendall_tau_b_many
from flasheval.selection.held_out.splits import Split
from flasheval.selection.images import image_values

__all__ = [
    "RandomAgreement",
    "RandomMeans",
    "curve_sizes",
    "random_agreement",
    "random_means",
]

_CURVE_ADDITIONS = 4_000_000_000
_BLOCK_ADDITIONS = 4_000_000  # of a thread at a time: some milliseconds
_STEPS = (1.0, 1.4, 2.0, 2.8, 4.0, 5.0, 7.0)


def curve_sizes(n_prompts: int, extra: Sequence[int] = (), *, first: int = 5) -> tuple[int, ...]:
    """Sizes of the random curve: about seven a decade from `first` to all prompts, and `extra`.

    Example:
        >>> curve_sizes(30, [12])
        (5, 7, 10, 12, 14, 20, 28, 30)

    """
    sizes = {n_prompts, *(size for size in extra if 1 <= size <= n_prompts)}
    decade = 1
    while decade <= n_prompts:
        sizes |= {round(step * decade) for step in _STEPS}
        decade *= 10
    return tuple(sorted(size for size in sizes if first <= size <= n_prompts or size in extra))


@dataclass(frozen=True)
class RandomMeans:
    """Subset means of random subsets, for all variants at once.

    Attributes:
        sizes: The subsets' sizes, ascending.
        means: float64 [draws, sizes, variants].

    Example:
        >>> found = RandomMeans((5, 10), np.zeros((200, 2, 24)))
        >>> found.means.shape  # draws, sizes, variants
        (200, 2, 24)

    """

    sizes: tuple[int, ...]
    means: NDArray[np.float64]

    def tau(self, target: NDArray[np.float64], variants: NDArray[np.int64]) -> NDArray[np.float64]:
        """Tau-b of every draw against `target`, for some of the variants.

        Args:
            target: float64 [variants] full-set means of all variants.
            variants: int64 positions of those that count.

        Returns:
            float64 [draws, sizes].

        Example:
            >>> means = np.array([[[1.0, 2.0, 3.0]], [[3.0, 2.0, 1.0]]])  # two draws of one size
            >>> RandomMeans((5,), means).tau(np.array([1.0, 2.0, 3.0]), np.arange(3)).tolist()
            [[1.0], [-1.0]]

        """
        draws, sizes, _ = self.means.shape
        flat = np.ascontiguousarray(self.means[:, :, variants].reshape(draws * sizes, -1))
        return kendall_tau_b_many(flat, target[variants]).reshape(draws, sizes)


def random_means(
    scores: NDArray[np.float32],
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    draws: int = 200,
) -> RandomMeans:
    """Draw random subsets of every size and average each variant's scores over them.

    A draw is one random order of the prompts; its subsets of all sizes are that order's prefixes,
    so draws are independent of each other and sizes within a draw are not.

    Args:
        scores: float32 [variants, prompts], no NaN.
        sizes: Sizes, each from 1 to the number of prompts.
        rng: Source of the orders.
        draws: Number of orders.

    Returns:
        The means, summed in float64.

    Raises:
        SettingError: A size below 1 or above the number of prompts.

    Example:
        >>> scores = np.arange(8, dtype=np.float32).reshape(2, 4)
        >>> random_means(scores, [4], np.random.default_rng(0), draws=1).means.tolist()
        [[[1.5, 5.5]]]

    """
    ascending = tuple(sorted(set(sizes)))
    n_prompts = scores.shape[1]
    if not 1 <= ascending[0] <= ascending[-1] <= n_prompts:  # the kernel would read beyond them
        raise SettingError(f"sizes {ascending}: expected sizes from 1 to {n_prompts} prompts")
    rows = np.ascontiguousarray(scores.T)
    means = np.empty((draws, len(ascending), scores.shape[0]))
    longest = ascending[-1]
    batch = max(1, 8_000_000 // longest)
    for begin in range(0, draws, batch):
        count = min(batch, draws - begin)
        orders = np.stack([rng.permutation(n_prompts)[:longest] for _ in range(count)])
        _fill_means(rows, orders.astype(np.int32), ascending, means[begin : begin + count])
    return RandomMeans(ascending, means)


@dataclass(frozen=True, repr=False)
class RandomAgreement(Brief):
    """Held-out tau-b of random subsets, on the same splits.

    Attributes:
        sizes: The subsets' sizes, ascending.
        tau: Per metric float64 [splits, draws, sizes].

    Example:
        >>> tau = np.array([[[0.5, 0.75], [0.75, 1.0]]])  # one split, two draws, two sizes
        >>> found = RandomAgreement((5, 10), {"clip": tau})
        >>> found.curves(["clip"]), found.at("clip", 10)
        (array([[0.625, 0.875]]), array([0.75, 1.  ]))

    """

    sizes: tuple[int, ...]
    tau: Mapping[str, NDArray[np.float64]]

    def curves(self, metrics: Sequence[str]) -> NDArray[np.float64]:
        """Mean over the metrics and draws: float64 [splits, sizes].

        Example:
            >>> tau = {"clip": np.full((3, 9, 1), 0.5), "hps": np.full((3, 9, 1), 0.75)}
            >>> RandomAgreement((5,), tau).curves(["clip", "hps"])  # three splits, one size
            array([[0.625],
                   [0.625],
                   [0.625]])

        """
        by_metric = [np.mean(self.tau[metric], axis=1) for metric in metrics]
        mean: NDArray[np.float64] = np.mean(by_metric, axis=0)
        return mean

    def at(self, metric: str, size: int, *, splits: int | None = None) -> NDArray[np.float64]:
        """All draws of one metric and size, over the first `splits` splits (all by default).

        Example:
            >>> tau = np.arange(4).reshape(2, 2, 1)  # two splits, two draws
            >>> RandomAgreement((5,), {"clip": tau}).at("clip", 5, splits=1)
            array([0, 1])

        """
        return self.tau[metric][:splits, :, self.sizes.index(size)].ravel()


def random_agreement(
    table: ScoreTable, splits: Sequence[Split], sizes: Sequence[int], *, seed: int, draws: int
) -> RandomAgreement:
    """Held-out agreement of random subsets of many sizes, up to the whole set.

    On very large tables the curve ends early, at the size that keeps the work at four thousand
    million additions, but never below the sizes asked for. On other seeds the very same subsets
    are judged by the same images as the chosen ones, against the same full ranking.

    Args:
        table: Complete variants only.
        splits: The splits.
        sizes: Sizes that must be on the curve.
        seed: Seed of the draws, which all metrics share.
        draws: Random subsets per size, at least 1 (SettingError).

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> split = Split("halves", np.arange(4), np.arange(4, 8))
        >>> found = random_agreement(synthetic_scores(8, 30), [split], [12], seed=0, draws=3)
        >>> found.sizes, found.tau["quality"].shape  # splits, draws, sizes
        ((5, 7, 10, 12, 14, 20, 28, 30), (1, 3, 8))

    """
    check_draws(draws)
    longest = max([_CURVE_ADDITIONS // (draws * len(table)), *sizes])
    grid = curve_sizes(min(table.n_prompts, longest), sizes)
    tau = {}
    for metric in table.metrics:
        target = table[metric].values.mean(axis=1, dtype=np.float64)
        judged = [None if split.images is None else split.images.judged for split in splits]
        means = {
            images: random_means(
                image_values(table[metric], images),
                grid,
                np.random.default_rng([seed, 7]),
                draws=draws,
            )
            for images in dict.fromkeys(judged)
        }
        tau[metric] = np.stack(
            [
                means[images].tau(target, split.held_out)
                for images, split in zip(judged, splits, strict=True)
            ]
        )
    return RandomAgreement(grid, tau)


def _fill_means(
    rows: NDArray[np.float32],
    orders: NDArray[np.int32],
    sizes: Sequence[int],
    means: NDArray[np.float64],
) -> None:
    wanted = np.asarray(sizes, dtype=np.int64)
    block = max(1, _BLOCK_ADDITIONS // (orders.shape[1] * rows.shape[1]))
    in_blocks(
        len(orders),
        block,
        lambda first, last: _prefix_means(rows, orders[first:last], wanted, means[first:last]),
    )


@compiled
def _prefix_means(
    rows: NDArray[np.float32],
    orders: NDArray[np.int32],
    sizes: NDArray[np.int64],
    means: NDArray[np.float64],
) -> None:
    n_variants = rows.shape[1]
    for draw in range(len(orders)):
        sums = np.zeros(n_variants)
        taken = 0
        for k in range(len(sizes)):
            while taken < sizes[k]:
                row = rows[orders[draw, taken]]
                for v in range(n_variants):
                    sums[v] += row[v]
                taken += 1
            for v in range(n_variants):
                means[draw, k, v] = sums[v] / sizes[k]
