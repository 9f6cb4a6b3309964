"""Tables a person understands, the answer first; made for 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from flasheval.subset.evidence import EquivalentSize, Evidence, RandomSize, Spread

if TYPE_CHECKING:
    from flasheval.subset import Subset

__all__ = [
    "SIZE_TITLES",
    "agreement_table",
    "answer",
    "as_text",
    "equivalent_cells",
    "fewer",
    "plain_table",
    "shortened",
    "size_row",
    "subset_report",
    "warning_lines",
]

_DASH = "\N{EN DASH}"


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
    kind = evidence.pooled.held_out_tau.kind.replace("-", _DASH)
    titles = (
        "\nmetric",
        "search\ntau",
        f"held-out tau\n({kind})",
        f"random {evidence.size}: tau\n(5{_DASH}95%)",
        "as good as\nrandom (90%)",
        "fewer\nprompts",
    )
    table = _table(titles, left=1)
    for name, row in evidence.rows.items():
        table.add_row(
            shortened(name, 13),
            "-" if row.search_tau is None else f"{row.search_tau:.3f}",
            Text(_spread(row.held_out_tau), style="bold"),
            _spread(row.random_tau),
            *equivalent_cells(row.equivalent_random_size, evidence.size),
        )
    return table


def equivalent_cells(equivalent: EquivalentSize | None, size: int) -> tuple[str, str]:
    """Return how many random prompts agree as well, with its interval, and that over the size.

    >>> equivalent_cells(EquivalentSize(RandomSize(248)), 50), equivalent_cells(None, 50)
    (('248', '5.0x'), ('-', '-'))
    """
    if equivalent is None:
        return "-", "-"
    interval = "" if equivalent.low is None else f" ({equivalent.low}{_DASH}{equivalent.high})"
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


def plain_table(
    titles: Sequence[str], rows: Sequence[Sequence[str | Text]], *, left: int = 1
) -> Table:
    """Return rows of text under titles; the first `left` columns stand left, the others right."""
    table = _table(titles, left=left)
    for row in rows:
        table.add_row(*row)
    return table


def warning_lines(warnings: Sequence[str]) -> list[RenderableType]:
    """Return each warning as a yellow line."""
    return [Text(f"warning: {warning}", style="yellow") for warning in warnings]


def as_text(*parts: RenderableType | Mapping[str, str], width: int = 80) -> str:
    r"""Return what would be printed, without colour, for files.

    >>> as_text(Text("a line", style="red"))
    'a line\n'
    """
    stream = StringIO()
    console = Console(file=stream, width=width, color_system=None, highlight=False)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str), markup=False)
    lines = (line.rstrip() for line in stream.getvalue().splitlines())
    return "".join(f"{line}\n" for line in lines)


def _table(titles: Sequence[str], *, left: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for number, title in enumerate(titles):
        table.add_column(
            title,
            justify="left" if number < left else "right",
            overflow="fold",
            vertical="bottom" if "\n" in title else "top",
        )
    return table


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.3f} ({_short_tau(spread.low)}{_DASH}{_short_tau(spread.high)})"


def _short_tau(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1)


def shortened(name: str, width: int) -> str:
    """Return a name cut to a width, with dots where it is longer."""
    return name if len(name) <= width else name[: width - 1] + "\N{HORIZONTAL ELLIPSIS}"
