"""Agreement of a subset on variants its search never saw, beside random subsets of its size."""

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
        random: float64 [draws], that of random subsets of the same size.

    """

    tau: float
    random: NDArray[np.float64]

    @property
    def mean_random(self) -> float:
        """The mean tau-b of random subsets."""
        return float(self.random.mean())

    @property
    def share_beaten(self) -> float:
        """The share of random subsets that agree less, ties counted half."""
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
        rng: Where the random subsets come from.
        draws: How many.
        threads: Variants at work at a time.

    Raises:
        SettingError: No draws.
        DataError: Features that cannot be used, or fewer than two variants.

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
