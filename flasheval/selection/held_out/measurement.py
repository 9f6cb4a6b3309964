"""Everything measured on held-out variants, in memory: cells, and random subsets beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flasheval.base.drawing.brief import Brief
from flasheval.selection.held_out.clusters import GroupResampler
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.random_curve import RandomAgreement
from flasheval.selection.held_out.records import MEASURES, ValidationCell
from flasheval.selection.held_out.splits import Split

__all__ = ["Measurement"]

Floats = NDArray[np.float64]


@dataclass(repr=False)
class Measurement(Brief):
    """Every cell of a held-out evaluation, beside random.

    Attributes:
        kinds: The kinds of splits.
        metrics: The metrics.
        labels: The methods' labels; `random` first where random subsets are judged too.
        sizes: Sizes, ascending.
        baseline: Per kind, the agreement of random subsets on its splits.
        seed: Seed of the bootstraps.
        resampler: Draws groups of variants, where a factor to group by was given.
        cells: Cells done so far.
        resampled: Tau-b in each of its draws, by kind, split, method, size and metric.
        smaller: Cells of searches on fewer variants, which stand apart.
        interrupted: Whether Ctrl-C left searches out.

    Example:
        >>> split = Split("0", np.array([0, 1]), np.array([2, 3]))
        >>> kinds = (Kind("random:1", "random:1", (split,)),)
        >>> found = Measurement(kinds, ("clip",), ("pooled",), (50,), baseline={}, seed=0)
        >>> measures = (0.9, 0.8, 0.8, 0.9, 0.85, 0.3)  # in the order of MEASURES
        >>> found.add(ValidationCell("random:1", "0", "pooled", 50, "clip", *measures, 2, 2, 0.1))
        >>> found.values(50, "clip", "held_out_tau"), found.judged_sizes
        (array([0.8]), (50,))

    """

    kinds: tuple[Kind, ...]
    metrics: tuple[str, ...]
    labels: tuple[str, ...]
    sizes: tuple[int, ...]
    baseline: dict[str, RandomAgreement]
    seed: int
    resampler: GroupResampler | None = None
    cells: list[ValidationCell] = field(default_factory=list)
    resampled: dict[tuple[str, str, str, int, str], Floats] = field(default_factory=dict)
    smaller: list[ValidationCell] = field(default_factory=list)
    interrupted: bool = False

    def add(self, cell: ValidationCell, resampled: Floats | None = None) -> None:
        """File a cell, and its tau-b in every draw of groups where there are some."""
        self.cells.append(cell)
        if resampled is not None:
            key = (cell.kind, cell.split, cell.method, cell.size, cell.metric)
            self.resampled[key] = resampled

    def arrays(self) -> dict[tuple[str, str, int], dict[str, Floats]]:
        """By kind, method and size each measure: float64 [splits, metrics], NaN where not done.

        Example:
            >>> split = Split("0", np.arange(2), np.arange(2, 4))
            >>> kinds = (Kind("random:1", "random:1", (split,)),)
            >>> found = Measurement(kinds, ("clip", "hps"), ("pooled",), (50,), baseline={}, seed=0)
            >>> cell = ValidationCell("random:1", "0", "pooled", 50, "hps", *[0.8] * 6, 2, 2, 0.1)
            >>> found.add(cell)
            >>> found.arrays()["random:1", "pooled", 50]["held_out_tau"]  # clip is not done yet
            array([[nan, 0.8]])

        """
        columns = {metric: number for number, metric in enumerate(self.metrics)}
        rows = {
            kind.name: {split.name: number for number, split in enumerate(kind.splits)}
            for kind in self.kinds
        }
        found: dict[tuple[str, str, int], dict[str, Floats]] = {}
        for cell in self.cells:
            shape = (len(rows[cell.kind]), len(columns))
            arrays = found.setdefault(
                (cell.kind, cell.method, cell.size),
                {what: np.full(shape, np.nan) for what in (*MEASURES, "seconds")},
            )
            for what, array in arrays.items():
                array[rows[cell.kind][cell.split], columns[cell.metric]] = getattr(cell, what)
        return found

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits of the first kind."""
        return self.kinds[0].splits

    @property
    def random(self) -> RandomAgreement:
        """The random baseline on the splits of the first kind."""
        return self.baseline[self.kinds[0].name]

    @property
    def judged_sizes(self) -> tuple[int, ...]:
        """The sizes with at least one cell, ascending; after Ctrl-C not all of them."""
        return tuple(sorted({cell.size for cell in self.cells}))

    def values(self, size: int, metric: str | None, what: str, kind: int = 0) -> Floats:
        """Return a measure of one kind of splits and the last method, split by split.

        Args:
            size: Prompts in the subset.
            metric: The metric; None for the mean over metrics.
            what: One of `MEASURES`, or `seconds`.
            kind: The kind's number; the first by default.

        Returns:
            float64 [splits], NaN where it is undefined or not done.

        Example:
            >>> split = Split("0", np.arange(2), np.arange(2, 4))
            >>> kinds = (Kind("random:1", "random:1", (split,)),)
            >>> found = Measurement(kinds, ("clip",), ("pooled",), (50,), baseline={}, seed=0)
            >>> found.values(50, None, "held_out_tau")  # nothing is done yet
            array([nan])

        """
        asked = self.kinds[kind]
        arrays = self.arrays().get((asked.name, self.labels[-1], size))
        if arrays is None:
            return np.full(len(asked.splits), np.nan)
        if metric is not None:
            return arrays[what][:, self.metrics.index(metric)]
        mean: Floats = arrays[what].mean(axis=1)
        return mean

    def done(self, kind: Kind, label: str, size: int) -> tuple[int, ...]:
        """Return the numbers of a kind's splits on which a method was judged at a size.

        Example:
            >>> kind = Kind("random:1", "random:1", (Split("0", np.arange(2), np.arange(2, 4)),))
            >>> found = Measurement((kind,), ("clip",), ("pooled",), (50,), baseline={}, seed=0)
            >>> found.done(kind, "pooled", 50)
            ()

        """
        names = {
            cell.split
            for cell in self.cells
            if (cell.kind, cell.method, cell.size) == (kind.name, label, size)
        }
        return tuple(row for row, split in enumerate(kind.splits) if split.name in names)
