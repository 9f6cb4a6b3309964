"""What a comparison with a reference shows: the nearest first, and what subsets are worth."""

from __future__ import annotations

from collections.abc import Sequence

from flasheval.base.drawing.view import Line, Table, View, lines
from flasheval.set_metrics.comparison import SetComparison
from flasheval.set_metrics.references import Reference
from flasheval.set_metrics.subset_choice import BEATEN
from flasheval.subset import Subset

__all__ = ["distance_view"]

_ROWS = 40


def distance_view(
    found: SetComparison, reference: Reference, subsets: Sequence[Subset], version: str
) -> View:
    """Return what to know of a comparison: the answer, what to beware of, the distances, subsets.

    Args:
        found: The comparison.
        reference: What was compared with.
        subsets: Prompts chosen for it, if any, by size.
        version: What the features depend on.

    """
    first = found.distances[0]
    answer = f"Nearest to {found.reference}: {first.variant}, at {_number(first.frechet)}"
    warnings = [*found.warnings, *_subset_warnings(subsets)]
    answer += "" if len(found.distances) > 1 else "."
    more = len(found.distances) - _ROWS
    parts: list[Line | Table] = [
        Line(answer, "headline"),
        Line(f"{found.metric} distance of features by {version}; lower is better"),
        Line(""),
        *([*lines(warnings, "warning"), Line("")] if warnings else []),
        _table(found),
        *([Line(f"and {more} more, in the file")] if more > 0 else []),
        *lines(_absent(reference)),
    ]
    if subsets:
        parts += [Line(""), _subset_table(subsets), _about(subsets[0])]
    return View(tuple(parts))


def _absent(reference: Reference) -> list[str]:
    """Say why a column is empty, where no warning does."""
    lines = []
    if reference.features is None:
        lines.append("KID takes the reference's images; their statistics do not tell it")
    if reference.ids is not None:
        lines.append("nothing is extrapolated from images of the same prompts as the reference's")
    return lines


def _table(found: SetComparison) -> Table:
    rows = [
        (
            row.variant,
            f"{row.images:,}",
            _number(row.frechet),
            _with_error(row.infinity, row.infinity_error),
            _number(row.kid),
        )
        for row in found.distances[:_ROWS]
    ]
    return Table(("variant", "images", "Frechet", "extrapolated", "KID"), rows)


def _subset_table(subsets: Sequence[Subset]) -> Table:
    rows = []
    for subset in subsets:
        evidence = subset.record.evidence
        if evidence is None:
            rows.append((str(subset.size), *["-"] * 4))
            continue
        measured = evidence.pooled
        rows.append(
            (
                str(subset.size),
                f"{measured.search_tau:.3f}",
                f"{measured.held_out_tau.mean:.3f}",
                str(measured.random_tau),
                f"{measured.companions[BEATEN]:.0%}",
            )
        )
    titles = ("prompts", "search tau", "held-out tau", "random (5 to 95%)", "random beaten")
    return Table(titles, rows)


def _about(subset: Subset) -> Line:
    evidence = subset.record.evidence
    held_out = "" if evidence is None else f", judged by {evidence.splits[0].n_held_out} others"
    return Line(
        f"prompts chosen on {len(subset.searched_variants)} variants{held_out}; the distance on "
        "them ranks variants, and is no estimate of the one on all prompts"
    )


def _subset_warnings(subsets: Sequence[Subset]) -> list[str]:
    several = len(subsets) > 1
    told: dict[str, list[int]] = {}
    for subset in subsets:
        for warning in subset.record.warnings:
            told.setdefault(warning, []).append(subset.size)
    return [
        f"size {sizes[0]}: {warning}" if several and len(sizes) == 1 else warning
        for warning, sizes in told.items()
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _with_error(value: float | None, error: float | None) -> str:
    return "-" if value is None or error is None else f"{_number(value)} +- {error:.2g}"
