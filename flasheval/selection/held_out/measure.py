"""Measure a search procedure: repeat it on every split, judge it on the variants held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import SettingError
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.finished_searches import FinishedSearches
from flasheval.selection.held_out.judge import Agreements, Judge
from flasheval.selection.held_out.one_search import ProgressCallback, search_part, search_progress
from flasheval.selection.held_out.random_curve import curve_sizes, random_means
from flasheval.selection.held_out.splits import Split
from flasheval.selection.methods.hints import Hints
from flasheval.selection.methods.selector import Selector

__all__ = [
    "Cell",
    "Measurement",
    "ProgressCallback",
    "RandomAgreement",
    "check_draws",
    "measure",
    "random_agreement",
]

_CURVE_ADDITIONS = 4_000_000_000


@dataclass(frozen=True)
class Cell:
    """One search on one split: how its subset ranks each metric's variants.

    Attributes:
        split: The split's name.
        size: Prompts asked for.
        agreements: One per metric.
        seconds: Wall time of the search.

    """

    split: str
    size: int
    agreements: tuple[Agreements, ...]
    seconds: float


@dataclass(frozen=True)
class RandomAgreement:
    """Held-out tau-b of random subsets, on the same splits.

    Attributes:
        sizes: The subsets' sizes, ascending.
        tau: Per metric float64 [splits, draws, sizes].

    """

    sizes: tuple[int, ...]
    tau: Mapping[str, NDArray[np.float64]]

    def curves(self, metrics: Sequence[str]) -> NDArray[np.float64]:
        """Mean over the metrics and draws: float64 [splits, sizes]."""
        by_metric = [np.mean(self.tau[metric], axis=1) for metric in metrics]
        mean: NDArray[np.float64] = np.mean(by_metric, axis=0)
        return mean

    def at(self, metric: str, size: int, *, splits: int | None = None) -> NDArray[np.float64]:
        """All draws of one metric and size, over the first `splits` splits (all by default)."""
        return self.tau[metric][:splits, :, self.sizes.index(size)].ravel()


@dataclass(frozen=True)
class Measurement:
    """Every cell of a procedure's held-out evaluation, beside random.

    Attributes:
        metrics: The metrics searched jointly and judged one by one.
        splits: The splits, in order.
        cells: One per split and size; of each size in the order of the splits.
        random: The random baseline on the same splits.
        interrupted: Whether Ctrl-C left splits out.

    """

    metrics: tuple[str, ...]
    splits: tuple[Split, ...]
    cells: tuple[Cell, ...]
    random: RandomAgreement
    interrupted: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes with at least one cell, ascending."""
        return tuple(sorted({cell.size for cell in self.cells}))

    def values(self, size: int, metric: str, what: str) -> NDArray[np.float64]:
        """One number a split (in order) of a metric: a field of `Agreements`, float64 [splits]."""
        found = [
            getattr(agreement, what)
            for cell in self.cells
            if cell.size == size
            for agreement in cell.agreements
            if agreement.metric == metric
        ]
        return np.asarray(found, dtype=np.float64)

    def pooled(self, size: int, what: str) -> NDArray[np.float64]:
        """Return the mean over metrics, one number a split: float64 [splits]."""
        by_metric = [self.values(size, metric, what) for metric in self.metrics]
        mean: NDArray[np.float64] = np.mean(by_metric, axis=0)
        return mean


def measure(
    table: ScoreTable,
    selector: Selector[Any],
    sizes: Sequence[int],
    splits: Sequence[Split],
    *,
    seed: int = 0,
    required: Sequence[int] = (),
    forbidden: Sequence[int] = (),
    warm_start: Sequence[int] | None = None,
    hints: Hints | None = None,
    nested: bool = False,
    units: FinishedSearches | None = None,
    draws: int = 200,
    random: RandomAgreement | None = None,
    progress: ProgressCallback | None = None,
) -> Measurement:
    """Search every size on every split's search variants and judge the subsets.

    Args:
        table: Complete variants only; all of its metrics are searched jointly.
        selector: The method.
        sizes: Subset sizes.
        splits: From `make_splits`.
        seed: Each search's generator comes from it, the split and the size alone.
        required: Prompts every subset must contain.
        forbidden: Prompts no subset may contain.
        warm_start: Subset to start every search from.
        hints: What a method that borrows may look at beside the table, of the same variants.
        nested: Whether the sizes are prefixes of one search a split.
        units: Where finished searches are kept, so that a second call skips them.
        draws: Random subsets per size.
        random: The random baseline, when already measured on these splits and sizes.
        progress: See `ProgressCallback`.

    Returns:
        The measurement; Ctrl-C ends it early with what is done, marked `interrupted`.

    """
    blocks = [table[metric].values for metric in table.metrics]
    if progress is not None:
        progress("random prompts", 0, len(splits) * (1 if nested else len(sizes)))
    if random is None:
        random = random_agreement(table, splits, sizes, seed=seed, draws=draws)
    judges = [Judge(table[metric]) for metric in table.metrics]
    groups = [tuple(sorted(sizes))] if nested else [(size,) for size in sizes]
    plan = [(group, split) for group in groups for split in splits]
    cells: list[Cell] = []
    try:
        for done, (group, split) in enumerate(plan):
            steps = search_progress(progress, f"{split.name}, {group[-1]} prompts", done, len(plan))
            outcome = search_part(
                selector,
                blocks,
                table.metrics,
                group,
                split.search,
                seed=seed,
                required=required,
                forbidden=forbidden,
                warm_start=warm_start,
                hints=hints,
                units=units,
                progress=steps,
            )
            if outcome.interrupted:
                return Measurement(table.metrics, tuple(splits), tuple(cells), random, True)
            for size in group:
                part = outcome.selection.first(size)
                agreements = tuple(judge(split, part) for judge in judges)
                cells.append(Cell(split.name, size, agreements, outcome.seconds))
    except KeyboardInterrupt:  # between two searches: what is judged is kept
        return Measurement(table.metrics, tuple(splits), tuple(cells), random, True)
    return Measurement(table.metrics, tuple(splits), tuple(cells), random)


def check_draws(draws: int) -> None:
    """Raise SettingError for a number of random subsets that cannot be."""
    if draws < 1:
        raise SettingError(f"draws={draws}: expected at least 1 random subset a size")


def random_agreement(
    table: ScoreTable, splits: Sequence[Split], sizes: Sequence[int], *, seed: int, draws: int
) -> RandomAgreement:
    """Held-out agreement of random subsets of many sizes, up to the whole set.

    On very large tables the curve ends early, at the size that keeps the work at four thousand
    million additions, but never below the sizes asked for.

    Args:
        table: Complete variants only.
        splits: The splits.
        sizes: Sizes that must be on the curve.
        seed: Seed of the draws, which all metrics share.
        draws: Random subsets per size, at least 1 (SettingError).

    """
    check_draws(draws)
    longest = max([_CURVE_ADDITIONS // (draws * len(table)), *sizes])
    grid = curve_sizes(min(table.n_prompts, longest), sizes)
    tau = {}
    for metric in table.metrics:
        block = table[metric].values
        target = block.mean(axis=1, dtype=np.float64)
        means = random_means(block, grid, np.random.default_rng([seed, 7]), draws=draws)
        tau[metric] = np.stack([means.tau(target, split.held_out) for split in splits])
    return RandomAgreement(grid, tau)
