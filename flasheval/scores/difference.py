"""Comparing two score tables cell by cell, to see whether a run reproduced its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import ConflictError, DataError, SettingError
from flasheval.base.suggest import nearest
from flasheval.scores.merging import check_prompts
from flasheval.scores.table import ScoreTable

__all__ = [
    "MetricDifference",
    "TableDifference",
    "check_comparable",
    "score_difference",
    "tolerances",
]


@dataclass(frozen=True, eq=False)
class MetricDifference:
    """One metric's scores in two tables, for the variants and prompts that both have.

    A cell is a variant on a prompt; it is compared where both tables have a score.

    Attributes:
        scores: Scores of the new table, float32 [variants, prompts], NaN where not measured.
        reference: Scores of the reference table, of the same shape.

    >>> nan = np.nan
    >>> one = MetricDifference("clip", ("x", "y"), ("1", "2"),
    ...     np.float32([[0.5, 0.25], [0.5, nan]]), np.float32([[0.5, 0.5], [0.5, 0.5]]))
    >>> one.n_cells, one.n_unpaired, one.largest, one.worst()
    (3, 1, 0.25, (0, 1))

    """

    metric: str
    variants: tuple[str, ...]
    prompt_ids: tuple[str, ...]
    scores: NDArray[np.float32]
    reference: NDArray[np.float32]

    @cached_property
    def off(self) -> NDArray[np.float64]:
        """The absolute difference of every cell, float64 [variants, prompts], NaN where none."""
        return np.abs(self.scores.astype(np.float64) - self.reference)

    @cached_property
    def n_cells(self) -> int:
        """The number of cells compared."""
        return int(np.count_nonzero(~np.isnan(self.off)))

    @cached_property
    def n_unpaired(self) -> int:
        """The number of cells with a score in one of the tables only."""
        return int(np.count_nonzero(np.isnan(self.scores) != np.isnan(self.reference)))

    @property
    def largest(self) -> float:
        """The largest absolute difference; NaN where no cell is compared."""
        return float(np.nanmax(self.off)) if self.n_cells else float("nan")

    @property
    def mean(self) -> float:
        """The mean absolute difference; NaN where no cell is compared.

        >>> old, new = np.float32([[0.25, 0.5]]), np.float32([[0.5, 0.5]])
        >>> MetricDifference("clip", ("x",), ("1", "2"), new, old).mean
        0.125
        """
        return float(np.nanmean(self.off)) if self.n_cells else float("nan")

    @cached_property
    def tau(self) -> float:
        """Kendall's tau-b of the variants' means over the cells compared, NaN where undefined."""
        from flasheval.scores.ranking import kendall_tau_b

        paired = ~np.isnan(self.off)
        rows = np.flatnonzero(paired.any(axis=1))
        new, old = (
            [float(values[row, paired[row]].mean(dtype=np.float64)) for row in rows]
            for values in (self.scores, self.reference)
        )
        return kendall_tau_b(new, old)

    def worst(self) -> tuple[int, int]:
        """Return row and column of the largest difference, the first of equal ones.

        >>> old, new = np.float32([[0.25, 0.5, 1]]), np.float32([[0.5, 0.5, 0.5]])
        >>> MetricDifference("clip", ("x",), ("1", "2", "3"), new, old).worst()
        (0, 2)
        """
        row, column = np.unravel_index(int(np.nanargmax(self.off)), self.off.shape)
        return int(row), int(column)


@dataclass(frozen=True, eq=False)
class TableDifference:
    """How two score tables differ on what they share.

    Attributes:
        metrics: The metrics of both, in the new table's order.
        variants: How many variants are in both, in the new one only, in the reference only.
        prompts: How many prompts are in both, in the new one only, in the reference only.

    >>> from flasheval.scores.synthetic import synthetic_scores
    >>> table = synthetic_scores(4, 6)
    >>> found = score_difference(table.take_prompts([0, 1]), table.with_variants([0, 1, 2]))
    >>> found.variants, found.prompts  # in both, in the new table only, in the reference only
    ((3, 1, 0), (2, 0, 4))

    """

    metrics: tuple[MetricDifference, ...]
    variants: tuple[int, int, int]
    prompts: tuple[int, int, int]

    def check(self, tolerance: float | Mapping[str, float], reference: str = "reference") -> None:
        """Check that no score differs by more than ``tolerance``, in the metric's own units.

        Args:
            tolerance: One number for all metrics, or a mapping with one for each.
            reference: How the message names the reference table.

        Raises:
            DataError: A score differs by more; the message names the worst cell.
            SettingError: A bad tolerance; see `tolerances`.

        >>> old, new = np.float32([[0.25, 0.5]]), np.float32([[0.5, 0.5]])
        >>> one = MetricDifference("clip", ("x",), ("1", "2"), new, old)
        >>> TableDifference((one,), (1, 0, 0), (2, 0, 0)).check(0.1)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: clip of variant 'x' on prompt '1' is 0.5, in ...

        """
        allowed = tolerances(tolerance, [one.metric for one in self.metrics])
        beyond = [one for one in self.metrics if one.largest > allowed[one.metric]]
        if not beyond:
            return
        with np.errstate(divide="ignore"):
            excess = [np.divide(one.largest, allowed[one.metric]) for one in beyond]
        one = beyond[int(np.argmax(excess))]
        limit, (row, column) = allowed[one.metric], one.worst()
        count = int(np.count_nonzero(one.off > limit))
        raise DataError(
            f"{one.metric} of variant {one.variants[row]!r} on prompt {one.prompt_ids[column]!r} "
            f"is {one.scores[row, column]:.6g}, in {reference} {one.reference[row, column]:.6g}: "
            f"they differ by {one.largest:.2g}, tolerance {limit:g} ({count:,} of "
            f"{one.n_cells:,} scores of {one.metric} are beyond it)"
        )


def score_difference(scores: ScoreTable, reference: ScoreTable) -> TableDifference:
    """Return how new scores differ from those of a reference, cell by cell.

    Variants are the same by name, prompts by id and text. What only one of the tables has is
    counted, not compared.

    Raises:
        DataError: They have no metric, variant, prompt or score in common.
        ConflictError: An id stands for another text, or a metric's direction differs; or the texts
            of one table are unknown, and the ids alone do not tell.

    >>> from flasheval import PromptSet, ScoreMatrix, Variant
    >>> prompts = PromptSet("pets", ("1", "2"), ("A cat.", "A dog."))
    >>> def table(*values):
    ...     matrix = ScoreMatrix("clip", values, ("x", "y"), prompts.ids)
    ...     return ScoreTable(prompts, (Variant("x"), Variant("y")), {"clip": matrix})
    >>> found = score_difference(table([0.25, 0.5], [0.5, 0.5]), table([0.25, 0.5], [0.5, 0.75]))
    >>> clip = found.metrics[0]
    >>> clip.n_cells, clip.largest, clip.mean, clip.tau
    (4, 0.25, 0.0625, 1.0)
    >>> found.check(0.3)  # raises DataError for 0.01, naming variant y on prompt 2

    """
    check_comparable(scores, reference)
    variants = _shared(scores.variant_names, reference.variant_names)
    ids = _shared(scores.prompts.ids, reference.prompts.ids)
    metrics = tuple(
        MetricDifference(
            metric, variants, ids, *(_part(table, metric, ids, variants) for table in both)
        )
        for both in [(scores, reference)]
        for metric in _shared(scores.metrics, reference.metrics)
    )
    if not any(one.n_cells for one in metrics):
        raise DataError(
            "the tables have variants and prompts in common, but no cell is measured in both"
        )
    return TableDifference(
        metrics,
        _counts(variants, scores.variant_names, reference.variant_names),
        _counts(ids, scores.prompts.ids, reference.prompts.ids),
    )


def check_comparable(scores: ScoreTable, reference: ScoreTable) -> None:
    """Check that two tables have cells in common, measured or not.

    Raises DataError or ConflictError as `score_difference` does.

    >>> from flasheval.scores.synthetic import synthetic_scores
    >>> table = synthetic_scores(4, 6)
    >>> check_comparable(table.with_variants([0]), table.with_variants([1]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: there is nothing to compare: no variant is in both tables; ...
    """
    for what, new, old in (
        ("metric", scores.metrics, reference.metrics),
        ("variant", scores.variant_names, reference.variant_names),
        ("prompt id", scores.prompts.ids, reference.prompts.ids),
    ):
        if not _shared(new, old):
            raise DataError(
                f"there is nothing to compare: no {what} is in both tables; the new one has "
                f"{_few(new)}, the reference {_few(old)}"
            )
    check_prompts(scores, reference)
    for metric in _shared(scores.metrics, reference.metrics):
        higher = scores[metric].higher_is_better
        if higher != reference[metric].higher_is_better:
            raise ConflictError(
                f"metric {metric!r} is better {'higher' if higher else 'lower'} in the new scores, "
                f"{'lower' if higher else 'higher'} in the reference: these are different metrics"
            )


def tolerances(value: object, metrics: list[str]) -> dict[str, float]:
    """Return the tolerance of each metric.

    ``value`` is one number for all metrics, or a mapping with one for each. Raises SettingError
    for a negative number, and for a mapping that lacks a metric or names another.

    >>> tolerances(0.01, ["clip", "hps"])
    {'clip': 0.01, 'hps': 0.01}
    """
    given: Mapping[str, Any] = (
        value if isinstance(value, Mapping) else dict.fromkeys(metrics, value)
    )
    for metric in metrics:
        if metric not in given:
            raise SettingError(f"tolerance has none for {metric}; give one number, or one for each")
    for metric, number in given.items():
        if metric not in metrics:
            raise SettingError(
                f"tolerance.{metric}: no such metric is compared; compared are: "
                f"{', '.join(metrics)}{nearest(str(metric), metrics)}"
            )
        if isinstance(number, bool) or not isinstance(number, int | float) or not number >= 0:
            raise SettingError(
                f"tolerance={number}: expected a number from 0, for all metrics, or "
                "{METRIC:NUMBER}"
            )
    return {metric: float(given[metric]) for metric in metrics}


def _part(
    table: ScoreTable, metric: str, ids: tuple[str, ...], variants: tuple[str, ...]
) -> NDArray[np.float32]:
    position = {name: row for row, name in enumerate(table.variant_names)}
    rows = np.array([position[name] for name in variants])
    part: NDArray[np.float32] = table[metric].values[rows[:, None], table.prompts.index_of(ids)]
    return part


def _shared(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    there = set(second)
    return tuple([name for name in first if name in there])


def _counts(
    both: tuple[str, ...], first: tuple[str, ...], second: tuple[str, ...]
) -> tuple[int, int, int]:
    return len(both), len(first) - len(both), len(second) - len(both)


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f", ... ({len(names):,})" if len(names) > 3 else "")
