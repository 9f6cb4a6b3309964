"""The text and tables that show a subset's evidence: the answer first, then a table."""

from __future__ import annotations

from collections.abc import Sequence

from flasheval.base.drawing.view import Line, Table, View, lines
from flasheval.base.text import DASH
from flasheval.subset.evidence import (
    Agreement,
    EquivalentSize,
    Evidence,
    RandomSize,
    Record,
    Spread,
)

__all__ = [
    "SIZE_TITLES",
    "agreement_rows",
    "agreement_table",
    "answer",
    "equivalent_cells",
    "fewer",
    "other_seeds_answer",
    "record_view",
    "size_row",
]


def record_view(
    about: str, record: Record, metrics: Sequence[str], notes: Sequence[str] = ()
) -> View:
    """Return the view of a subset: the answer, its evidence, its warnings.

    Args:
        about: One line that describes the subset.
        record: The record of its manifest.
        metrics: The metrics it serves.
        notes: Lines to put before the warnings.

    """
    evidence, calibration = record.evidence, record.calibration
    parts: list[Line | Table] = [Line(about)]
    if evidence is not None:
        others = "sets chosen in the same way, not on this one"
        where = others if evidence.applies_to == "procedure" else "this exact set"
        parts = [
            Line(answer(evidence), "headline"),
            Line(about),
            Line(""),
            agreement_table(evidence),
            Line(f"measured on {where}; {_splits(evidence)} ({evidence.split_spec})"),
        ]
        parts += [Line(other_seeds_answer(one)) for one in _on_other_seeds(record)]
    if calibration is not None:
        served = [name for name in metrics if name in calibration.metrics]
        parts.append(Line(calibration.summary(served)))
        if record.other_seeds is not None:
            parts.append(Line(record.other_seeds.summary(served)))
    parts += lines(notes)
    if record.warnings:
        parts += [Line(""), *lines(record.warnings, "warning")]
    return View(tuple(parts))


def answer(evidence: Evidence) -> str:
    """Return the one sentence a reader came for."""
    pooled, size = evidence.pooled, evidence.size
    who = "the variants searched" if evidence.split_spec == "seeds" else "unseen variants"
    who += " on other seeds" if evidence.seeds == "other" else ""
    equivalent = pooled.equivalent_random_size
    if equivalent is None:
        return (
            f"These prompts rank {who} with tau {pooled.held_out_tau.mean:.3f}; "
            f"{size} random prompts with {pooled.random_tau.mean:.3f}."
        )
    estimate = equivalent.estimate
    rank = f"these prompts rank {who} as"
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


def _on_other_seeds(record: Record) -> list[Evidence]:
    """Return the further evidence on other seeds that is of the subset's own size."""
    main = record.evidence
    return [
        one
        for one in record.further_evidence
        if main is not None and one.seeds == "other" and one.size == main.size
    ]


def other_seeds_answer(evidence: Evidence) -> str:
    """Return one sentence about images of other seeds than those searched on.

    >>> spread, random = Spread(0.83, 0.77, 0.89), Spread(0.75, 0.7, 0.8)
    >>> as_good = Agreement(spread, random, equivalent_random_size=EquivalentSize(RandomSize(31)))
    >>> other_seeds_answer(Evidence(10, "random:10+seeds", (), as_good, seeds="other"))
    'On other seeds, searched on half of the images: tau 0.830, random prompts 0.750; as good as \
31.'
    """
    pooled = evidence.pooled
    equivalent = pooled.equivalent_random_size
    said = (
        f"On other seeds, searched on half of the images: tau {pooled.held_out_tau.mean:.3f}, "
        f"random prompts {pooled.random_tau.mean:.3f}"
    )
    if equivalent is None:
        return f"{said}."
    word = {"=": "", ">": "more than ", "<": "fewer than "}[equivalent.estimate.relation]
    count = f"{word}{equivalent.estimate.value:,.0f}"
    return f"{said}; as good as {count}."


def fewer(equivalent: RandomSize, size: int) -> str:
    """Return how many times fewer prompts a subset needs than random ones.

    >>> fewer(RandomSize(248), 50), fewer(RandomSize(5, "<"), 10)
    ('5.0x', '<0.5x')
    """
    relation = "" if equivalent.relation == "=" else equivalent.relation
    return f"{relation}{equivalent.value / size:.1f}x"


def agreement_rows(evidence: Evidence) -> list[dict[str, object]]:
    """Return the numbers of the table of evidence: a row a metric, their mean first.

    >>> one = Agreement(Spread(0.8, 0.7, 0.9), Spread(0.7, 0.6, 0.8), search_tau=0.85)
    >>> rows = agreement_rows(Evidence(50, "halves:1", (), one, {"clip": one}))
    >>> rows[0]["metric"], rows[0]["held_out_tau"], rows[0]["equivalent_random_size"]
    ('clip', 0.8, None)
    """
    rows: list[dict[str, object]] = []
    for metric, one in evidence.rows.items():
        equivalent = one.equivalent_random_size
        sizes = [
            None if size is None else size.value
            for size in (
                (None, None, None)
                if equivalent is None
                else (equivalent.estimate, equivalent.low, equivalent.high)
            )
        ]
        rows.append(
            {
                "metric": metric,
                "size": evidence.size,
                "search_tau": one.search_tau,
                "held_out_tau": one.held_out_tau.mean,
                "held_out_low": one.held_out_tau.low,
                "held_out_high": one.held_out_tau.high,
                "random_tau": one.random_tau.mean,
                "random_low": one.random_tau.low,
                "random_high": one.random_tau.high,
                "equivalent_random_size": sizes[0],
                "equivalent_low": sizes[1],
                "equivalent_high": sizes[2],
                **one.companions,
            }
        )
    return rows


def agreement_table(evidence: Evidence, *, detail: bool = False) -> Table:
    """Return one row a metric, and their mean first where there are several.

    Args:
        evidence: What was measured.
        detail: Whether to make a table wider than 80 columns: with a caption, whole metric names,
            and agreement on the pairs that the full set tells apart.

    """
    kind = evidence.pooled.held_out_tau.kind.replace("-", DASH)
    titles: tuple[str, ...] = (
        "\nmetric",
        "search\ntau",
        f"held-out tau\n({kind})",
        f"random {evidence.size}: tau\n(5{DASH}95%)",
        "as good as\nrandom (90%)",
        "fewer\nprompts",
    )
    rows = [(name, *_cells(row, evidence.size)) for name, row in evidence.rows.items()]
    if not detail:
        return Table(titles, rows, strong=2)
    titles += ("held-out tau,\npairs beyond 2 SE", "held-out pairs\nordered right")
    more = map(_companions, evidence.rows.values())
    exact = evidence.applies_to == "this set"
    where = "this exact set" if exact else "sets chosen in the same way"
    caption = (
        f"{evidence.split_spec}: {_splits(evidence)}, {evidence.size} prompts, measured on {where}"
    )
    wide = [(*row, *cells) for row, cells in zip(rows, more, strict=True)]
    return Table(titles, wide, strong=2, caption=caption)


def _cells(row: Agreement, size: int) -> tuple[str, ...]:
    return (
        "-" if row.search_tau is None else f"{row.search_tau:.3f}",
        _spread(row.held_out_tau),
        _spread(row.random_tau),
        *equivalent_cells(row.equivalent_random_size, size),
    )


def _companions(row: Agreement) -> tuple[str, str]:
    significant = row.companions.get("tau_significant")
    accuracy = row.companions.get("pairwise_accuracy")
    return (
        "-" if significant is None else f"{significant:.3f}",
        "-" if accuracy is None else f"{accuracy:.1%}",
    )


def _splits(evidence: Evidence) -> str:
    count = len(evidence.splits)
    return f"{count} split{'' if count == 1 else 's'}"


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
