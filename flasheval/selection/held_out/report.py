"""`ValidationReport`: what a validation found; it can be saved, loaded and printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_class
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import View
from flasheval.base.errors import DataError
from flasheval.base.suggest import nearest
from flasheval.base.text import first_few
from flasheval.selection.held_out.contenders import Contender
from flasheval.selection.held_out.records import (
    MEASURES,
    LearningCurve,
    RandomCurve,
    RandomPoint,
    SplitKind,
    Summary,
    ValidationCell,
)
from flasheval.selection.held_out.report_files import load_report, save_report

__all__ = ["ValidationReport"]


@checked_class
@dataclass(frozen=True, repr=False)
class ValidationReport(Shown):
    """Methods compared on held-out variants, by kind of splits, size and metric.

    Attributes:
        prompt_set: Name of the prompt set.
        n_prompts: Prompts in it.
        n_variants: Complete variants.
        metrics: The metrics.
        kinds: The kinds of splits, in the order given.
        methods: `random` first, then as given.
        sizes: Ascending.
        main_size: The size that was given first.
        reference: Label of the method the others are paired with, or None.
        cluster: The factor whose groups were drawn again, or None.
        seed: Seed of everything.
        draws: Random subsets per size.
        summaries: One per kind, method, size and metric, the mean over metrics (None) first.
        curves: The random curve per kind and metric.
        learning: Agreement by number of search variants, where asked for.
        warnings: What a reader must know, one line each.
        notes: What else a reader should know.
        dropped: Variants left out for missing scores.
        prompts_left_out: Prompts left out for missing scores.
        interrupted: Whether Ctrl-C left searches out.
        versions: Library name to version.
        created: ISO 8601 in UTC.
        cells: Every measurement.
        random: The random baseline, split by split.
        learning_cells: The measurements behind `learning`.

    Example:
        >>> from flasheval import validate
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> report = validate(synthetic_scores(24, 200), size=10, methods="balanced", draws=20)
        >>> report.summary(method="balanced").equivalent_random_size.estimate.value > 10
        True

    """

    kind = "validation"

    prompt_set: str
    n_prompts: int
    n_variants: int
    metrics: tuple[str, ...]
    kinds: tuple[SplitKind, ...]
    methods: tuple[Contender, ...]
    sizes: tuple[int, ...]
    main_size: int
    reference: str | None = None
    cluster: str | None = None
    seed: int = 0
    draws: int = 200
    summaries: tuple[Summary, ...] = ()
    curves: tuple[RandomCurve, ...] = ()
    learning: tuple[LearningCurve, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    prompts_left_out: int = 0
    interrupted: bool = False
    versions: Mapping[str, str] = field(default_factory=dict, hash=False)
    created: str = ""
    cells: tuple[ValidationCell, ...] = field(default=(), repr=False)
    random: tuple[RandomPoint, ...] = field(default=(), repr=False)
    learning_cells: tuple[ValidationCell, ...] = field(default=(), repr=False)

    def summary(
        self,
        kind: str | None = None,
        method: str | None = None,
        size: int | None = None,
        metric: str | None = None,
    ) -> Summary:
        """Return one summary.

        Args:
            kind: The kind of splits; the first when not given.
            method: The method's label; the first after random when not given.
            size: The size; the one given first when not given.
            metric: The metric; the mean over metrics when not given.

        Raises:
            DataError: The report has no such summary.

        Example:
            >>> kinds = (SplitKind("random:10", "random:10", ()),)
            >>> rows = (Summary("random:10", "random", 50),)
            >>> methods = (Contender("random", "random"),)
            >>> found = ("coco", 5000, 48, ("clip",), kinds, methods, (50,), 50)
            >>> report = ValidationReport(*found, summaries=rows)
            >>> report.summary().size
            50
            >>> report.summary(method="pooled")
            Traceback (most recent call last):
            flasheval.base.errors.DataError: the report has no method 'pooled'; there are: random

        """
        kind = self.kinds[0].name if kind is None else kind
        method = (
            self.methods[-1 if len(self.methods) < 2 else 1].label if method is None else method
        )
        size = self.main_size if size is None else size
        for found in self.summaries:
            if (found.kind, found.method, found.size, found.metric) == (kind, method, size, metric):
                return found
        known = {
            "kind": (kind, [one.name for one in self.kinds]),
            "method": (method, [one.label for one in self.methods]),
            "size": (str(size), list(map(str, self.sizes))),
            "metric": (metric, list(self.metrics)),
        }
        for key, (wanted, names) in known.items():
            if wanted is not None and wanted not in names:
                raise DataError(
                    f"the report has no {key} {wanted!r}; there are: {', '.join(names)}"
                    f"{nearest(wanted, names)}"
                )
        raise DataError(f"{method} was not measured at {size} prompts on {kind} before it ended")

    def values(
        self,
        what: str = "held_out_tau",
        *,
        kind: str | None = None,
        method: str | None = None,
        size: int | None = None,
        metric: str | None = None,
    ) -> NDArray[np.float64]:
        """Return a measure split by split: float64 [splits], NaN where it is undefined.

        Args:
            what: One of `MEASURES`, or `seconds`.
            kind: As for `summary`, here and below.
            method: The method's label.
            size: The size.
            metric: The metric; the mean over metrics when not given.

        Raises:
            DataError: The report has no such measure or summary.

        Example:
            >>> report = ValidationReport("coco", 5000, 48, ("clip",), (), (), (50,), 50)
            >>> report.values("tau")  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            flasheval.base.errors.DataError: a cell has no measure 'tau'; there are: ...

        """
        if what not in (*MEASURES, "seconds"):
            raise DataError(
                f"a cell has no measure {what!r}; there are: {', '.join(MEASURES)}, seconds"
            )
        found = self.summary(kind, method, size, metric)
        (splits,) = (one.splits for one in self.kinds if one.name == found.kind)
        row = {split.name: number for number, split in enumerate(splits)}
        column = {name: number for number, name in enumerate(self.metrics)}
        values = np.full((len(splits), len(self.metrics)), np.nan)
        for cell in self.cells:
            if (cell.kind, cell.method, cell.size) == (found.kind, found.method, found.size):
                values[row[cell.split], column[cell.metric]] = getattr(cell, what)
        chosen: NDArray[np.float64] = (
            values.mean(axis=1) if metric is None else values[:, column[metric]]
        )
        return chosen

    def save(self, folder: str | Path) -> Path:
        """Write `validation.json`, `cells.parquet` and `random.parquet`; return the folder.

        `learning.parquet` too, where the number of search variants was varied. Raises DataError
        when a file cannot be written.

        Example:
            >>> import tempfile
            >>> report = ValidationReport("coco", 5000, 48, ("clip",), (), (), (50,), 50)
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     ValidationReport.load(report.save(folder)) == report
            True

        """
        return save_report(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> ValidationReport:
        """Read a folder written by `save`.

        Raises DataError in one line for a file that is missing, damaged or of another kind.

        Example:
            >>> ValidationReport.load("no-such-folder")  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            flasheval.base.errors.DataError: no-such-folder/validation.json does not exist; ...

        """
        report = load_report(cls, Path(folder))
        if not report.sizes or min(report.sizes) < 1:
            found = list(report.sizes)
            raise DataError(f"{folder}: its sizes are {found}; expected sizes of at least 1")
        return report

    def view(self, *, detail: bool = False) -> View:
        """Return the answer, tables for 80 columns and plots; in detail every table there is."""
        from flasheval.selection.held_out.table import full_view, short_view

        return full_view(self) if detail else short_view(self)

    def _brief(self) -> str:
        methods = first_few([one.label for one in self.methods])
        sizes = first_few(list(map(str, self.sizes)))
        kinds = first_few([one.name for one in self.kinds])
        return f"{methods} at {sizes} of {self.n_prompts:,} prompts of {self.prompt_set}, {kinds}"

    def _data(self) -> dict[str, object]:
        heavy = ("cells", "random", "learning_cells")  # split by split: `to_pandas`, and `save`
        every = (one.name for one in fields(self))
        return {name: getattr(self, name) for name in every if name not in heavy}

    def _rows(self) -> list[dict[str, object]]:
        return list(map(asdict, self.cells))
