"""Held-out agreement of a subset by Frechet distance, and of random subsets of its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.checks import check_draws
from flasheval.base.errors import DataError
from flasheval.scores.ranking import kendall_tau_b_many
from flasheval.set_metrics.arrays import as_population
from flasheval.set_metrics.frechet import FrechetReference
from flasheval.set_metrics.subset_search import distances_of_sets, full_distances

__all__ = ["SubsetAgreement", "subset_agreement"]


@dataclass(frozen=True, eq=False)
class SubsetAgreement:
    """Held-out agreement of a subset by Frechet distance, and of random subsets.

    Attributes:
        tau: Kendall's tau-b of the subset's distances with those on all prompts.
        random: The tau-b of random subsets of the same size, float64 [draws].

    """

    tau: float
    random: NDArray[np.float64]

    @property
    def mean_random(self) -> float:
        """The mean tau-b of random subsets.

        >>> SubsetAgreement(0.75, np.array([0.5, 0.75, 1.0])).mean_random
        0.75
        """
        return float(self.random.mean())

    @property
    def share_beaten(self) -> float:
        """The share of random subsets that agree less, ties counted half.

        >>> found = SubsetAgreement(0.75, np.array([0.5, 0.75, 0.75, 1.0]))
        >>> found.share_beaten, found.mean_random
        (0.5, 0.75)
        """
        return float((self.random < self.tau).mean() + 0.5 * (self.random == self.tau).mean())


def subset_agreement(
    features: ArrayLike,
    reference: FrechetReference,
    indices: NDArray[np.integer[Any]],
    rng: np.random.Generator,
    *,
    draws: int = 200,
    threads: int = 1,
) -> SubsetAgreement:
    """Measure a subset on held-out variants.

    Args:
        features: Float [variants, prompts, d], of variants that the search has not seen, on the
            same prompts in the same order.
        reference: The reference that was searched with.
        indices: int [N], the subset.
        rng: The generator that draws the random subsets.
        draws: Number of random subsets.
        threads: Number of variants computed at a time.

    Raises:
        SettingError: No draws.
        DataError: Features that cannot be used, or fewer than two variants.

    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(4, 30, 3)) + np.arange(4)[:, None, None]  # ever farther away
    >>> reference = FrechetReference.of(rng.normal(size=(200, 3)))
    >>> found = subset_agreement(features, reference, np.arange(10), rng, draws=20)
    >>> found.tau, len(found.random)
    (1.0, 20)

    """
    values = as_population(features, reference.width)
    chosen = np.asarray(indices)
    check_draws(draws)
    if len(values) < 2:
        raise DataError(f"{len(values)} held-out variants; a ranking needs at least 2")
    if not 2 <= chosen.size <= values.shape[1]:
        raise DataError(f"a subset of {chosen.size} prompts; expected from 2 to {values.shape[1]}")
    full = full_distances(values, reference, threads=threads)
    random = [rng.choice(values.shape[1], len(chosen), replace=False) for _ in range(draws)]
    sets = np.stack([chosen, *random]).astype(np.int32)
    found = distances_of_sets(values, reference, sets, threads=threads)
    taus = kendall_tau_b_many(np.ascontiguousarray(found.T), full)
    return SubsetAgreement(float(taus[0]), taus[1:])
