"""From the cells of a validation to what each method does, beside random and the reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.ranking.bootstrap import bootstrap_interval
from flasheval.selection.held_out.clusters import GroupResampler, too_few_groups
from flasheval.selection.held_out.contenders import RANDOM
from flasheval.selection.held_out.equivalent import (
    equivalent_random_size,
    equivalent_size_with_interval,
)
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.records import (
    MEASURES,
    Gain,
    Grouped,
    RandomCurve,
    RandomPoint,
    Summary,
)
from flasheval.selection.held_out.splits import Split
from flasheval.selection.held_out.spread import enough_splits, spread_of
from flasheval.subset.evidence import EquivalentSize, Spread

__all__ = ["Cut", "paired_gain", "random_curves", "random_points", "summarise"]

Floats = NDArray[np.float64]


def summarise(measurement: Measurement, reference: str | None) -> tuple[Summary, ...]:
    """Summarise each method at each size on each kind of splits.

    Args:
        measurement: What was measured.
        reference: Label of the method the others are paired with.

    Returns:
        One summary per kind, size, method and metric, the mean over metrics first; none where
        nothing is done yet.

    Example:
        >>> split = Split("0", np.arange(2), np.arange(2, 4))
        >>> kinds = (Kind("random:1", "random:1", (split,)),)
        >>> summarise(Measurement(kinds, ("clip",), ("pooled",), (50,), {}, seed=0), reference=None)
        ()

    """
    arrays = measurement.arrays()
    found = []
    for kind in measurement.kinds:
        for size in measurement.sizes:
            for label in measurement.labels:
                for metric in (None, *measurement.metrics):
                    if (kind.name, label, size) in arrays:
                        one = Cut(measurement, arrays, kind, size, metric)
                        found.append(one.summary(label, reference))
    return tuple(found)


@dataclass(frozen=True)
class Cut:
    """What a measurement holds of one kind of splits, size and metric (None for their mean).

    Attributes:
        measurement: The whole.
        arrays: Its arrays, made once.
        kind: The kind of splits.
        size: Prompts in the subset.
        metric: The metric; None for the mean over metrics.

    """

    measurement: Measurement
    arrays: dict[tuple[str, str, int], dict[str, Floats]]
    kind: Kind
    size: int
    metric: str | None

    def summary(self, label: str, reference: str | None) -> Summary:
        """Return what one method does here, beside random and the reference."""
        held_out = self.values(label, "held_out_tau")
        others = {"over_random": RANDOM.label, "over_reference": reference}
        gains = {
            key: paired_gain(
                held_out,
                self.values(other, "held_out_tau"),
                self.kind.splits,
                self.measurement.seed,
            )
            for key, other in others.items()
            if other not in (None, label)
        }
        return Summary(
            kind=self.kind.name,
            method=label,
            size=self.size,
            metric=self.metric,
            measures=self.measures(label),
            held_out_tau_by_split=_plain(held_out),
            equivalent_random_size=None if label == RANDOM.label else self.equivalent(held_out),
            seconds=float(np.nanmedian(self.arrays[self.kind.name, label, self.size]["seconds"])),
            clustered=self.clustered(label, others),
            **gains,
        )

    def values(self, label: str | None, what: str) -> Floats:
        """One value a split: float64 [splits]."""
        arrays = self.arrays.get((self.kind.name, str(label), self.size))
        if arrays is None:
            return np.full(len(self.kind.splits), np.nan)
        if self.metric is not None:
            return arrays[what][:, self.measurement.metrics.index(self.metric)]
        mean: Floats = arrays[what].mean(axis=1)
        return mean

    def measures(self, label: str) -> dict[str, Spread]:
        """Return each measure that is defined, with its spread over the splits."""
        found = {}
        for what in MEASURES:
            values = self.values(label, what)
            known = values[~np.isnan(values)]
            if known.size:
                enough = enough_splits(self.kind.splits, known.size)
                found[what] = spread_of(known, quantiles=enough)
        return found

    def random(self, rows: Sequence[int]) -> Spread:
        """Return the held-out tau-b of random subsets on some of the splits, over all draws."""
        baseline = self.measurement.baseline[self.kind.name]
        metrics = self.measurement.metrics if self.metric is None else (self.metric,)
        at = baseline.sizes.index(self.size)
        draws = [baseline.tau[metric][list(rows), :, at].ravel() for metric in metrics]
        return spread_of(np.mean(draws, axis=0), quantiles=True)

    def equivalent(self, held_out: Floats) -> EquivalentSize | None:
        """Return how many random prompts agree as well; splits where either is NaN do not count.

        Args:
            held_out: float64 [splits], a method's held-out tau-b.

        """
        baseline = self.measurement.baseline[self.kind.name]
        metrics = self.measurement.metrics if self.metric is None else (self.metric,)
        curves = baseline.curves(metrics)
        known = ~np.isnan(held_out) & ~np.isnan(curves).any(axis=1)
        if not known.any():
            return None
        taus, curves = held_out[known], curves[known]
        if enough_splits(self.kind.splits, int(known.sum())):
            rng = np.random.default_rng([self.measurement.seed, 11])
            return equivalent_size_with_interval(taus, baseline.sizes, curves, rng)
        size = equivalent_random_size(float(taus.mean()), baseline.sizes, curves.mean(axis=0))
        return None if size is None else EquivalentSize(size)

    def clustered(self, label: str, others: dict[str, str | None]) -> dict[str, Grouped]:
        """Return agreement and gains when whole groups of held-out variants are drawn again."""
        resampler = self.measurement.resampler
        if resampler is None:
            return {}
        taus = self.resampled(label)
        found = {"held_out_tau": self.grouped(resampler, taus, self.values(label, "held_out_tau"))}
        for key, other in others.items():
            if other not in (None, label):
                gain = self.values(label, "held_out_tau") - self.values(other, "held_out_tau")
                found[key] = self.grouped(resampler, taus - self.resampled(str(other)), gain)
        return {key: value for key, value in found.items() if value is not None}

    def resampled(self, label: str) -> Floats:
        """Tau-b of every split in every draw: float64 [splits, draws + groups]."""
        metrics = self.measurement.metrics if self.metric is None else (self.metric,)
        return np.stack([self._resampled(label, split, metrics) for split in self.kind.splits])

    def _resampled(self, label: str, split: Split, metrics: Sequence[str]) -> Floats:
        keys = [(self.kind.name, split.name, label, self.size, metric) for metric in metrics]
        known = [
            self.measurement.resampled[key] for key in keys if key in self.measurement.resampled
        ]
        if len(known) < len(keys):
            some = next(iter(self.measurement.resampled.values()))
            return np.full(len(some), np.nan)
        mean: Floats = np.mean(known, axis=0)
        return mean

    def grouped(
        self, resampler: GroupResampler, values: Floats, by_split: Floats
    ) -> Grouped | None:
        """Return one number with its interval over groups; None where no split gave it."""
        if np.isnan(by_split).all():
            return None
        weights = np.stack([resampler.weights(split.held_out) for split in self.kind.splits])
        weights[np.isnan(values)] = 0.0
        total = weights.sum(axis=0)
        drawn = (weights * np.nan_to_num(values)).sum(axis=0) / np.where(total > 0, total, np.nan)
        mean = float(np.nanmean(by_split))
        names = resampler.groups_in([split.held_out for split in self.kind.splits])
        n_draws = len(resampler.draws)
        if too_few_groups(len(names)):
            left_out = dict(zip(resampler.names, drawn[n_draws:].tolist(), strict=True))
            without = {name: left_out[name] for name in names if not np.isnan(left_out[name])}
            return Grouped(mean, without=without)
        low, high = np.nanquantile(drawn[:n_draws], [0.05, 0.95])
        return Grouped(mean, float(low), float(high))


def paired_gain(values: Floats, other: Floats, splits: Sequence[Split], seed: int) -> Gain | None:
    """Pair two methods split by split; None where no split gave a number for both.

    Args:
        values: float64 [splits], NaN where unknown.
        other: The same of what it is paired with.
        splits: The splits, which say whether an interval means anything.
        seed: Seed of the bootstrap.

    Example:
        >>> splits = [Split("a", np.array([0, 1]), np.array([2, 3]))] * 2
        >>> paired_gain(np.array([0.5, 0.75]), np.array([0.25, 0.25]), splits, 0)
        Gain(mean=0.375, low=None, high=None, by_split=(0.25, 0.5))

    """
    gains = values - other
    known = gains[~np.isnan(gains)]
    if not known.size:
        return None
    low = high = None
    if enough_splits(splits, known.size):
        rng = np.random.default_rng([seed, 13])
        low, high = bootstrap_interval(known, rng=rng, level=0.9, draws=1000)
    return Gain(float(known.mean()), low, high, _plain(gains))


def random_points(measurement: Measurement) -> tuple[RandomPoint, ...]:
    """Return the random baseline split by split, metric by metric, all sizes.

    Example:
        >>> split = Split("0", np.arange(2), np.arange(2, 4))
        >>> kinds = (Kind("random:1", "random:1", (split,)),)
        >>> from flasheval.selection.held_out.random_curve import RandomAgreement
        >>> baseline = {"random:1": RandomAgreement((5,), {"clip": np.array([[[0.5], [1.0]]])})}
        >>> found = Measurement(kinds, ("clip",), ("pooled",), (5,), baseline, seed=0)
        >>> [(point.size, point.held_out_tau) for point in random_points(found)]
        [(5, 0.75)]

    """
    found = []
    for kind in measurement.kinds:
        baseline = measurement.baseline[kind.name]
        for metric in measurement.metrics:
            taus = np.moveaxis(baseline.tau[metric], 1, 0)
            low, high = _quantiles(taus)
            mean = taus.mean(axis=0)
            found += [
                RandomPoint(
                    kind.name,
                    split.name,
                    metric,
                    size,
                    float(mean[row, k]),
                    float(low[row, k]),
                    float(high[row, k]),
                )
                for row, split in enumerate(kind.splits)
                for k, size in enumerate(baseline.sizes)
            ]
    return tuple(found)


def random_curves(measurement: Measurement) -> tuple[RandomCurve, ...]:
    """Return the random curve of each kind, of the mean over metrics and of each.

    Example:
        >>> split = Split("0", np.arange(2), np.arange(2, 4))
        >>> kinds = (Kind("random:1", "random:1", (split,)),)
        >>> from flasheval.selection.held_out.random_curve import RandomAgreement
        >>> baseline = {"random:1": RandomAgreement((5,), {"clip": np.array([[[0.5], [1.0]]])})}
        >>> found = Measurement(kinds, ("clip",), ("pooled",), (5,), baseline, seed=0)
        >>> [(curve.metric, curve.mean) for curve in random_curves(found)]
        [(None, (0.75,)), ('clip', (0.75,))]

    """
    found = []
    for kind in measurement.kinds:
        baseline = measurement.baseline[kind.name]
        for metric in (None, *measurement.metrics):
            names = measurement.metrics if metric is None else (metric,)
            taus = np.mean([baseline.tau[name] for name in names], axis=0)
            flat = taus.reshape(-1, taus.shape[-1])
            flat = flat[~np.isnan(flat).any(axis=1)]
            if not len(flat):
                continue
            low, high = _quantiles(flat)
            found.append(
                RandomCurve(
                    kind.name,
                    metric,
                    baseline.sizes,
                    tuple(flat.mean(axis=0).tolist()),
                    tuple(low.tolist()),
                    tuple(high.tolist()),
                )
            )
    return tuple(found)


def _quantiles(draws: Floats) -> Floats:
    """5% and 95% quantiles over the first axis, NaN where any draw is."""
    found: Floats = np.quantile(draws, [0.05, 0.95], axis=0)
    return found


def _plain(values: Floats) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else float(value) for value in values)
