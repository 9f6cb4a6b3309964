"""Searching prompts whose images rank variants by Frechet distance as all prompts' images do.

FlashEval's Algorithm 1 (see `flasheval.selection.methods.frequency`) with another fitness: the
tau-b, over the search variants, of the Frechet distances of a set's images with those of all
images. One set costs as many Frechet distances as there are variants, a thousand times what a mean
score costs; so sets are few, and those of equal tau-b, which are many, are told apart by the
correlation of the distances themselves. The bias of the distance at small N is about the same for
every variant, since all are judged on the same prompts; it is the ranking that is kept, not the
value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.ranking import kendall_tau_b_many
from flasheval.selection.methods.frequency import default_pools
from flasheval.selection.methods.random_sets import draw_key, draw_sets
from flasheval.set_metrics.arrays import as_population
from flasheval.set_metrics.frechet import FrechetReference, frechet_distance
from flasheval.set_metrics.per_variant import each_variant
from flasheval.set_metrics.subset_distances import SubsetDistances

__all__ = ["SubsetSearch", "distances_of_sets", "full_distances", "search_subset"]


@dataclass(frozen=True, eq=False)
class SubsetSearch:
    """The result of a search.

    Attributes:
        indices: int64 [N], the chosen prompts, ascending.
        tau: Agreement on the *search* variants; on others it is lower: see `subset_agreement`.
        distances: float64 [variants], the search variants' Frechet distances on the subset.
        full_distances: float64 [variants], their Frechet distances on all prompts.
        history: One row a pool: its size, and the best, kept and mean tau-b of its sets.

    """

    indices: NDArray[np.int64]
    tau: float
    distances: NDArray[np.float64]
    full_distances: NDArray[np.float64]
    history: list[dict[str, float]]


def search_subset(
    features: ArrayLike,
    reference: FrechetReference,
    size: int,
    rng: np.random.Generator,
    *,
    n_sets: int = 1000,
    keep: float = 0.1,
    pools: tuple[int, ...] | None = None,
    threads: int = 1,
    report: Callable[[int, int], None] | None = None,
) -> SubsetSearch:
    """Search `size` prompts that rank variants by Frechet distance as all prompts do.

    Args:
        features: Float [variants, prompts, d], the search variants' features, any float type; an
            array on disk (`numpy.load(..., mmap_mode="r")`) is read one variant at a time.
        reference: The reference's statistics, d wide.
        size: Number of prompts to choose, at least 2.
        rng: The generator that draws the sets; the same generator gives the same answer on any
            number of threads.
        n_sets: Sets drawn from every pool.
        keep: Share of them kept: the prompts most frequent in these make the next pool.
        pools: Sizes of the pools after the first; by default the official ones, scaled.
        threads: Number of variants computed at a time; each needs at most a gigabyte.
        report: Called with the pools done and their number.

    Raises:
        SettingError: A size, share or pool out of range.
        DataError: Features that cannot be used; fewer than three variants, or all equally far.

    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(5, 40, 2)) + 0.3 * np.arange(5)[:, None, None]
    >>> reference = FrechetReference.of(rng.normal(size=(500, 2)))
    >>> found = search_subset(features, reference, 8, rng, n_sets=50)
    >>> found.indices.shape, found.tau, found.distances.shape
    ((8,), 1.0, (5,))

    """
    values = as_population(features, reference.width)
    n_variants, n_prompts = values.shape[:2]
    schedule = _schedule(n_prompts, size, pools)
    if n_sets < 1 or not 0 < keep <= 1:
        raise SettingError(f"n_sets={n_sets}, keep={keep}: expected sets, and a share up to 1")
    if n_variants < 3:
        raise DataError(f"{n_variants} variants; a ranking to be searched for needs at least 3")
    full = full_distances(values, reference, threads=threads)
    if len(np.unique(full)) == 1:
        raise DataError("all variants are equally far from the reference: there is no ranking")
    frequency = np.zeros(n_prompts)
    pool = np.arange(n_prompts, dtype=np.int32)
    chosen, distances, best = pool[:size], full, (-np.inf, -np.inf)
    history = []
    for stage, count in enumerate(schedule):
        pool = np.sort(pool[np.argsort(-frequency[pool], kind="stable")[:count]])
        sets = draw_sets(draw_key(rng), np.arange(n_sets), pool, size, False)
        found = distances_of_sets(values, reference, sets, threads=threads)
        tau, closeness = _fitness(found, full)
        order = np.lexsort((-closeness, -tau))
        kept = order[: max(1, int(n_sets * keep))]
        frequency = np.bincount(sets[kept].ravel(), minlength=n_prompts).astype(np.float64)
        top = int(order[0])
        if (tau[top], closeness[top]) >= best:
            chosen, distances = sets[top], found[:, top]
            best = (float(tau[top]), float(closeness[top]))
        history.append(
            {
                "step": stage + 1,
                "pool": len(pool),
                "sets": n_sets,
                "best_tau": float(tau[top]),
                "kept_tau": float(tau[kept].mean()),
                "mean_tau": float(tau.mean()),
            }
        )
        if report is not None:
            report(stage + 1, len(schedule))
    return SubsetSearch(np.sort(chosen).astype(np.int64), best[0], distances, full, history)


def distances_of_sets(
    features: ArrayLike,
    reference: FrechetReference,
    sets: NDArray[np.int32],
    *,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Return the distance of every variant on every set [n_sets, N]: float64 [variants, n_sets].

    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(3, 40, 2))
    >>> sets = np.array([[0, 1, 2], [3, 4, 5]], dtype=np.int32)
    >>> distances_of_sets(features, FrechetReference.of(rng.normal(size=(500, 2))), sets).shape
    (3, 2)
    """
    values = as_population(features, reference.width)
    pool, places = np.unique(sets, return_inverse=True)
    places = places.reshape(sets.shape)
    return np.stack(
        each_variant(
            lambda row: SubsetDistances(values[row, pool], reference).of_sets(places),
            len(values),
            threads,
        )
    )


def full_distances(
    features: ArrayLike, reference: FrechetReference, *, threads: int = 1
) -> NDArray[np.float64]:
    """Return the distance of every variant on all its prompts: float64 [variants].

    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(3, 40, 2)) + np.arange(3)[:, None, None]
    >>> full_distances(features, FrechetReference.of(rng.normal(size=(500, 2)))).round().tolist()
    [0.0, 2.0, 8.0]
    """
    values = as_population(features, reference.width)
    return np.array(
        each_variant(
            lambda row: frechet_distance(values[row], reference).value, len(values), threads
        )
    )


def _fitness(
    found: NDArray[np.float64], full: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return tau-b and correlation with the full distances of each column, -1 where undefined."""
    tau = kendall_tau_b_many(np.ascontiguousarray(found.T), full)
    centred = found - found.mean(axis=0)
    target = full - full.mean()
    spread = np.sqrt((centred * centred).sum(axis=0) * (target @ target))
    closeness = np.divide(target @ centred, spread, out=np.full(len(tau), -1.0), where=spread > 0)
    return np.nan_to_num(tau, nan=-1.0), closeness


def _schedule(n_prompts: int, size: int, pools: tuple[int, ...] | None) -> tuple[int, ...]:
    if not 2 <= size <= n_prompts:
        raise SettingError(f"size={size}: expected from 2 to the {n_prompts} prompts there are")
    after = default_pools(n_prompts, size) if pools is None else pools
    schedule = (n_prompts, *(int(pool) for pool in after))
    falling = all(later < earlier for earlier, later in pairwise(schedule))
    if not falling or schedule[-1] < size:
        raise SettingError(
            f"pools={list(after)}: expected sizes that shrink, the first below the {n_prompts} "
            f"prompts, the last no smaller than the {size} to choose"
        )
    return schedule
