"""Boil a measurement down to the evidence a manifest carries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.held_out.equivalent import (
    equivalent_random_size,
    equivalent_size_with_interval,
)
from flasheval.selection.held_out.measure import Measurement
from flasheval.selection.held_out.splits import Split
from flasheval.subset.evidence import Agreement, EquivalentSize, Evidence, SplitSizes, Spread

__all__ = ["ENOUGH", "enough_splits", "evidence_of", "spread_of"]

ENOUGH = 8
"""How many splits, or groups, an interval takes."""


def evidence_of(measurement: Measurement, size: int, spec: str, seed: int) -> Evidence | None:
    """Summarise the cells of one size.

    Args:
        measurement: From `measure`.
        size: The subset's size.
        spec: The splits as the user named them.
        seed: Seed of the bootstrap over splits.

    Returns:
        The evidence of the procedure; None when no split gave a held-out agreement.

    """
    done = sum(cell.size == size for cell in measurement.cells)
    splits = measurement.splits[:done]  # they are done in order, after Ctrl-C not all of them
    if not splits or np.isnan(measurement.pooled(size, "held_out_tau")).all():
        return None
    return Evidence(
        size=size,
        split_spec=spec,
        splits=tuple(
            SplitSizes(split.name, len(split.search), len(split.held_out)) for split in splits
        ),
        pooled=_agreement(measurement, size, measurement.metrics, seed),
        metrics={
            metric: _agreement(measurement, size, (metric,), seed) for metric in measurement.metrics
        },
    )


def spread_of(values: NDArray[np.float64], *, quantiles: bool) -> Spread:
    """Mean of the values that are there, with their 5-95% range or their least and greatest."""
    known = values[~np.isnan(values)]
    if quantiles:
        low, high = np.quantile(known, [0.05, 0.95])
        return Spread(float(known.mean()), float(low), float(high), "5-95%")
    return Spread(float(known.mean()), float(known.min()), float(known.max()), "min-max")


def enough_splits(splits: Sequence[Split], n_done: int) -> bool:
    """Whether quantiles and intervals over the splits mean anything.

    It takes 8 splits; where whole groups are held out it takes 8 groups, however they are paired.

    Args:
        splits: All splits of one kind.
        n_done: How many of them gave a number.

    """
    groups = {group for split in splits for group in split.groups}
    return n_done >= ENOUGH and (not groups or len(groups) >= ENOUGH)


def _agreement(
    measurement: Measurement, size: int, metrics: tuple[str, ...], seed: int
) -> Agreement:
    def by_split(what: str) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = np.mean(
            [measurement.values(size, metric, what) for metric in metrics], axis=0
        )
        return mean

    held_out = by_split("held_out_tau")
    if np.isnan(held_out).all():
        raise ValueError(f"no held-out agreement for {metrics}")
    enough = enough_splits(measurement.splits, len(held_out))
    draws = np.mean(
        [measurement.random.at(metric, size, splits=len(held_out)) for metric in metrics], axis=0
    )
    companions = {
        name: float(np.nanmean(values))
        for name, values in (
            ("tau_significant", by_split("held_out_tau_significant")),
            ("pairwise_accuracy", by_split("held_out_accuracy")),
        )
        if not np.isnan(values).all()
    }
    return Agreement(
        held_out_tau=spread_of(held_out, quantiles=enough),
        random_tau=spread_of(draws, quantiles=True),
        search_tau=float(np.nanmean(by_split("search_tau"))),
        held_out_tau_by_split=tuple(None if np.isnan(tau) else float(tau) for tau in held_out),
        equivalent_random_size=_equivalent(measurement, metrics, held_out, enough, seed),
        companions=companions,
    )


def _equivalent(
    measurement: Measurement,
    metrics: tuple[str, ...],
    held_out: NDArray[np.float64],
    enough: bool,
    seed: int,
) -> EquivalentSize | None:
    if np.isnan(held_out).any():
        return None
    curves = measurement.random.curves(metrics)[: len(held_out)]
    sizes = measurement.random.sizes
    if not enough:
        size = equivalent_random_size(float(held_out.mean()), sizes, curves.mean(axis=0))
        return None if size is None else EquivalentSize(size)
    rng = np.random.default_rng([seed, 11])
    return equivalent_size_with_interval(held_out, sizes, curves, rng)
