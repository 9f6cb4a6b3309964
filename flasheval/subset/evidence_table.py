"""Tables a person understands, the answer first; made for 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from flasheval.base.text import DASH, plain_table, shortened, warning_lines
from flasheval.subset.evidence import EquivalentSize, Evidence, RandomSize, Spread

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = [
    "SIZE_TITLES",
    "agreement_table",
    "answer",
    "equivalent_cells",
    "fewer",
    "size_row",
    "subset_report",
]


def subset_report(
    subset: Subset, n_prompts: int | None = None, notes: Sequence[str] = ()
) -> RenderableType:
    """Return what to know of a subset: the answer, its evidence, its warnings.

    Args:
        subset: A subset with its record.
        n_prompts: Prompts of the whole set, where known.
        notes: Lines to put before the warnings.

    """
    evidence = subset.record.evidence
    whole = f" of {n_prompts:,}" if n_prompts else ""
    about = Text(
        f"{subset.name}: {subset.size}{whole} prompts of {subset.prompt_set_name}, "
        f"chosen by {subset.method.name} from the scores of "
        f"{len(subset.searched_variants)} variants"
    )
    parts: list[RenderableType] = [about]
    if evidence is not None:
        count = len(evidence.splits)
        label = "the procedure, not of this exact set"
        label = label if evidence.applies_to == "procedure" else "this exact set"
        splits = f"{count} split{'' if count == 1 else 's'} ({evidence.split_spec})"
        parts = [
            Text(answer(evidence), style="bold"),
            about,
            "",
            agreement_table(evidence),
            Text(f"evidence of {label}; {splits}"),
        ]
    calibration = subset.record.calibration
    if calibration is not None:
        served = [metric.name for metric in subset.metrics if metric.name in calibration.metrics]
        parts.append(Text(calibration.summary(served)))
    parts += [Text(note) for note in notes]
    if subset.record.warnings:
        parts += ["", *warning_lines(subset.record.warnings)]
    return Group(*parts)


def answer(evidence: Evidence) -> str:
    """Return the one sentence a reader came for."""
    pooled, size = evidence.pooled, evidence.size
    equivalent = pooled.equivalent_random_size
    if equivalent is None:
        return (
            f"These prompts rank unseen variants with tau {pooled.held_out_tau.mean:.3f}; "
            f"{size} random prompts with {pooled.random_tau.mean:.3f}."
        )
    estimate = equivalent.estimate
    rank = "these prompts rank unseen variants as"
    if estimate.relation == "<" or estimate.value <= size:
        return f"No gain: {rank} {estimate} random prompts would."
    if equivalent.low is not None and equivalent.low.value <= size:
        return f"No clear gain: {rank} {equivalent} random prompts would."
    least = "more than " if estimate.relation == ">" else ""
    if evidence.pooled.held_out_tau.kind == "min-max":
        count = len(evidence.splits)
        over = f"average over {count} splits" if count > 1 else "one split"
        rank = f"On {over} {rank}"
    return (
        f"{rank[0].upper()}{rank[1:]} well as {least}{estimate.value:,.0f} random prompts would: "
        f"{fewer(estimate, size)} fewer prompts."
    )


def fewer(equivalent: RandomSize, size: int) -> str:
    """Return how many times fewer prompts a subset needs than random ones.

    >>> fewer(RandomSize(248), 50), fewer(RandomSize(5, "<"), 10)
    ('5.0x', '<0.5x')
    """
    relation = "" if equivalent.relation == "=" else equivalent.relation
    return f"{relation}{equivalent.value / size:.1f}x"


def agreement_table(evidence: Evidence) -> Table:
    """Return one row a metric, and their mean first where there are several."""
    kind = evidence.pooled.held_out_tau.kind.replace("-", DASH)
    titles = (
        "\nmetric",
        "search\ntau",
        f"held-out tau\n({kind})",
        f"random {evidence.size}: tau\n(5{DASH}95%)",
        "as good as\nrandom (90%)",
        "fewer\nprompts",
    )
    rows = [
        (
            shortened(name, 13),
            "-" if row.search_tau is None else f"{row.search_tau:.3f}",
            Text(_spread(row.held_out_tau), style="bold"),
            _spread(row.random_tau),
            *equivalent_cells(row.equivalent_random_size, evidence.size),
        )
        for name, row in evidence.rows.items()
    ]
    return plain_table(titles, rows)


def equivalent_cells(equivalent: EquivalentSize | None, size: int) -> tuple[str, str]:
    """Return how many random prompts agree as well, with its interval, and that over the size.

    >>> equivalent_cells(EquivalentSize(RandomSize(248)), 50), equivalent_cells(None, 50)
    (('248', '5.0x'), ('-', '-'))
    """
    if equivalent is None:
        return "-", "-"
    interval = "" if equivalent.low is None else f" ({equivalent.low}{DASH}{equivalent.high})"
    return f"{equivalent.estimate}{interval}", fewer(equivalent.estimate, size)


SIZE_TITLES = ("first", "search", "held-out tau", "random", "as good as", "fewer")


def size_row(evidence: Evidence) -> tuple[str, ...]:
    """Return one row under `SIZE_TITLES`: the mean over metrics at one size."""
    pooled = evidence.pooled
    equivalent = pooled.equivalent_random_size
    return (
        str(evidence.size),
        "-" if pooled.search_tau is None else f"{pooled.search_tau:.3f}",
        _spread(pooled.held_out_tau),
        f"{pooled.random_tau.mean:.3f}",
        "-" if equivalent is None else str(equivalent.estimate),
        "-" if equivalent is None else fewer(equivalent.estimate, evidence.size),
    )


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.3f} ({_short_tau(spread.low)}{DASH}{_short_tau(spread.high)})"


def _short_tau(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1)
