"""What a score table shows: its size, factors, metrics, the best and the worst variant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np

from flasheval.base.drawing.view import Line, Part, Table, View, lines
from flasheval.generators.seeds import ImageSeeds
from flasheval.generators.variants import Factor, Variant
from flasheval.prompts import PromptSet
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.precision import exact_warnings
from flasheval.scores.twins import named_twins
from flasheval.scores.variance import variance_shares

__all__ = ["direction", "mean_range", "metrics_table", "table_data", "table_view"]

_MOSTLY = 0.5  # of a variant's prompts have all images, or it is left out of the variance
_VARIANCE = ("metric", "model", "prompt", "model by prompt", "seed noise", "of it common")


class MeasuredTable(Protocol):
    """What a view asks of a `ScoreTable`."""

    @property
    def prompts(self) -> PromptSet:
        """The prompts."""

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The variants."""

    @property
    def matrices(self) -> Mapping[str, ScoreMatrix]:
        """The scores by metric."""

    @property
    def seeds(self) -> ImageSeeds | None:
        """How the seeds of the images were made."""

    @property
    def exact_metrics(self) -> tuple[str, ...]:
        """The metrics kept in float64."""

    def __len__(self) -> int: ...

    def factor(self, name: str) -> tuple[Factor, ...]:
        """Return each variant's value of a factor."""

    def with_metrics(self, names: Sequence[str]) -> Self:
        """Return the table of some metrics."""

    def on_measured_prompts(self) -> Self:
        """Return the table without the prompts that no variant is measured on."""

    def named_twins(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of variants with the same scores."""

    def keepable(self) -> str:
        """Say what leaving out prompts would keep."""


def table_view(
    table: MeasuredTable,
    twins: Sequence[Sequence[str]] | None = None,
    more: Sequence[Part] = (),
) -> View:
    """Return what `flasheval show` prints of scores.

    Args:
        table: The scores.
        twins: Names of the variants with the same scores; the table's own unless given.
        more: What to put before the warnings.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table_view(synthetic_scores(4, 10)).headline  # doctest: +ELLIPSIS
        '4 variants, 10 prompts of synthetic (texts known, hash ...)'

    """
    known = "known" if table.prompts.texts is not None else "not known"
    said = f"{len(table)} variants, {len(table.prompts):,} prompts of {table.prompts.name}"
    parts: list[Part] = [
        Line(f"{said} (texts {known}, hash {table.prompts.hash[:12]})", "headline")
    ]
    several = any(matrix.images is not None for matrix in table.matrices.values())
    if table.seeds is not None or several:
        parts.append(Line(_images(table)))
    parts.append(Line(""))
    if factors := list(_factors(table)):
        values = [(name, _values(table, name)) for name in factors]
        parts += [Table(("factor", "values"), values, left=2), Line("")]
    titles = ("metric", "better", "complete", "near ties", "full means")
    metrics = _parts(table)
    rows = [_metric_row(len(table), matrix) for matrix in metrics]
    parts += [Table(titles, rows, left=2), Line("")]
    extremes = [(matrix.metric, *_extremes(matrix)) for matrix in metrics]
    parts.append(Table(("metric", "best variant", "worst variant"), extremes, left=3))
    if shares := _variance_rows(table):
        parts += [Line(""), Line("shares of a single image's variance"), Table(_VARIANCE, shares)]
    return View((*parts, *more, *lines(_warnings(table, metrics, twins), "warning")))


def table_data(table: MeasuredTable) -> dict[str, Any]:
    """Return a table as plain data: what each metric and variant is, and every mean.

    >>> from flasheval.scores.synthetic import synthetic_scores
    >>> table_data(synthetic_scores(4, 10))["prompt_set"]["size"]
    10
    """
    metrics = _parts(table)
    coverage = {name: matrix.coverage for name, matrix in table.matrices.items()}
    means = {name: matrix.full_means for name, matrix in table.matrices.items()}
    return {
        "prompt_set": {
            "name": table.prompts.name,
            "hash": table.prompts.hash,
            "size": len(table.prompts),
            "texts": table.prompts.texts is not None,
            "tags": list(table.prompts.tags),
        },
        "seeds": table.seeds,
        "metrics": [_metric_data(matrix) for matrix in metrics],
        "variants": [
            {
                "name": variant.name,
                "factors": variant.factors,
                "means": {name: values[row] for name, values in means.items()},
                "coverage": {name: values[row] for name, values in coverage.items()},
            }
            for row, variant in enumerate(table.variants)
        ],
        "warnings": _warnings(table, metrics, None),
    }


def metrics_table(table: MeasuredTable) -> Table:
    """Return a table of the metrics: direction, coverage and means.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> found = metrics_table(synthetic_scores(4, 10))
        >>> len(found.rows), len(found.titles)  # one row a metric
        (2, 5)

    """
    rows = [
        (
            metric,
            direction(matrix),
            f"{int((matrix.coverage >= 1).sum())} of {len(table)}",
            f"{matrix.coverage.mean():.1%}",
            mean_range(matrix),
        )
        for metric, matrix in table.matrices.items()
    ]
    titles = ("metric", "better", "complete variants", "scores there", "full means")
    return Table(titles, rows, left=2)


def direction(matrix: ScoreMatrix) -> str:
    """Return whether higher or lower is better, in one word.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> direction(synthetic_scores(4, 10)["quality"])
        'higher'

    """
    return "higher" if matrix.higher_is_better else "lower"


def mean_range(matrix: ScoreMatrix) -> str:
    """Return the least and greatest full mean over the complete variants.

    Example:
        >>> scores = np.array([[1, 2], [3, 4], [5, np.nan]], dtype=np.float32)
        >>> mean_range(ScoreMatrix("clip", scores, ("a", "b", "c"), ("1", "2")))  # c is incomplete
        '1.5 to 3.5'

    """
    known = matrix.full_means[~np.isnan(matrix.full_means)]
    return f"{known.min():.4g} to {known.max():.4g}" if known.size else "no complete variant"


def _parts(table: MeasuredTable) -> list[ScoreMatrix]:
    """Return each metric on its own prompts: another may be measured on other categories."""
    parts = [(name, table.with_metrics([name]).on_measured_prompts()) for name in table.matrices]
    return [part.matrices[name] for name, part in parts]


def _factors(table: MeasuredTable) -> Iterator[str]:
    yield from dict.fromkeys(name for variant in table.variants for name in variant.factors)


def _values(table: MeasuredTable, factor: str) -> str:
    values = dict.fromkeys(str(value) for value in table.factor(factor) if value is not None)
    return ", ".join(list(values)[:8]) + (", ..." if len(values) > 8 else "")


def _warnings(
    table: MeasuredTable,
    metrics: Sequence[ScoreMatrix],
    twins: Sequence[Sequence[str]] | None,
) -> list[str]:
    found = table.named_twins() if twins is None else twins
    warnings = [*named_twins(found), *exact_warnings(table.exact_metrics)]
    prompts = len(table.prompts)
    partly = [one for one in metrics if len(one.prompt_ids) < prompts]
    if partly:
        counts = ", ".join(f"{one.metric} on {len(one.prompt_ids):,}" for one in partly[:4])
        warnings.append(
            f"{len(partly)} of {len(metrics)} metrics are measured on a part of the "
            f"{prompts:,} prompts ({counts}{', ...' if len(partly) > 4 else ''}): search "
            "for one alone (metric=NAME)"
        )
    elif keepable := table.keepable():
        warnings.append(f"some variants lack scores; {keepable}")
    return warnings


def _images(table: MeasuredTable) -> str:
    counts = {name: _counts(matrix) for name, matrix in table.matrices.items()}
    if len(set(counts.values())) == 1:
        count = next(iter(counts.values()))
        one = count == "1"
        said = "1 image a prompt" if one else f"{count} images a prompt, a score is their mean"
    else:
        each = ", ".join(f"{count} ({name})" for name, count in counts.items())
        said = f"images a prompt, a score is their mean: {each}"
    return said if table.seeds is None else f"{said}; {table.seeds}"


def _counts(matrix: ScoreMatrix) -> str:
    """Return how many images a score is the mean of, such as "1 to 4"."""
    if matrix.images is None:
        return "1"
    there = (~np.isnan(matrix.images)).sum(axis=2)[~np.isnan(matrix.values)]
    low, high = (there.min(), there.max()) if there.size else (0, matrix.images_per_prompt)
    return f"{high}" if low == high else f"{low} to {high}"


def _variance_rows(table: MeasuredTable) -> list[tuple[str, ...]]:
    """Return the shares of variance of each metric that has several images a prompt."""
    shared = table.seeds is not None and not table.seeds.variant_seeds
    rows = []
    for metric, matrix in table.matrices.items():
        if matrix.images is None:
            continue
        whole = ~np.isnan(matrix.images).any(axis=2)
        images = matrix.images[whole.mean(axis=1) > _MOSTLY]  # others would leave no prompt
        found = variance_shares(images, shared_seeds=shared)
        if found is not None:
            parts = (found.model, found.prompt, found.model_by_prompt, found.seed_noise)
            common = f"{found.shared_noise:.1%}" if shared else "-"
            rows.append((metric, *(f"{part:.1%}" for part in parts), common))
    return rows


def _near_ties(matrix: ScoreMatrix) -> float | None:
    from flasheval.scores.ranking.significant import near_tie_share

    complete = np.flatnonzero(matrix.coverage >= 1)
    return float(near_tie_share(matrix.values[complete])) if len(complete) > 1 else None


def _metric_row(variants: int, matrix: ScoreMatrix) -> tuple[str, ...]:
    ties = _near_ties(matrix)
    complete = int((matrix.coverage >= 1).sum())
    return (
        matrix.metric,
        direction(matrix),
        f"{complete} of {variants}",
        "-" if ties is None else f"{ties:.0%}",
        mean_range(matrix),
    )


def _ends(matrix: ScoreMatrix) -> tuple[int, int] | None:
    """Return the rows of the best and of the worst complete variant."""
    complete = np.flatnonzero(~np.isnan(matrix.full_means))
    if not complete.size:
        return None
    means = matrix.full_means[complete] * matrix.sign
    return int(complete[np.argmax(means)]), int(complete[np.argmin(means)])


def _extremes(matrix: ScoreMatrix) -> tuple[str, str]:
    ends = _ends(matrix)
    return ("-", "-") if ends is None else (matrix.variants[ends[0]], matrix.variants[ends[1]])


def _metric_data(matrix: ScoreMatrix) -> dict[str, Any]:
    ends = _ends(matrix)
    return {
        "metric": matrix.metric,
        "higher_is_better": matrix.higher_is_better,
        "scorer": matrix.scorer,
        "scorer_version": matrix.scorer_version,
        "prompts": len(matrix.prompt_ids),
        "images_per_prompt": matrix.images_per_prompt,
        "complete": int((matrix.coverage >= 1).sum()),
        "coverage": float(matrix.coverage.mean()),
        "near_ties": _near_ties(matrix),
        "best": None if ends is None else matrix.variants[ends[0]],
        "worst": None if ends is None else matrix.variants[ends[1]],
    }
