"""Tables of what was measured on held-out variants, as text."""

from __future__ import annotations

from dataclasses import dataclass

from flasheval.subset import Subset
from flasheval.subset.evidence import Agreement, Evidence, Spread
from flasheval.subset.evidence_table import equivalent_cells

__all__ = ["EvidenceTable", "evidence_tables"]

_DASH = "\N{EN DASH}"


@dataclass(frozen=True)
class EvidenceTable:
    """What one kind of splits showed.

    Attributes:
        title: Which splits, and of what it is evidence.
        titles: Of the columns.
        rows: A row a metric, their mean first.
        exact: Whether it is evidence of this very set, not of the procedure.

    """

    title: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    exact: bool = False


def evidence_tables(subset: Subset) -> list[EvidenceTable]:
    """Return a table for each kind of splits the manifest has evidence of."""
    return [_table(one) for one in subset.record.all_evidence]


def _table(evidence: Evidence) -> EvidenceTable:
    count = len(evidence.splits)
    of = "of this exact set" if evidence.applies_to == "this set" else "of the procedure"
    kind = evidence.pooled.held_out_tau.kind.replace("-", _DASH)
    return EvidenceTable(
        f"{evidence.split_spec}: {count} split{'' if count == 1 else 's'}, "
        f"{evidence.size} prompts, {of}",
        (
            "metric",
            "search tau",
            f"held-out tau ({kind})",
            f"random {evidence.size}: tau (5{_DASH}95%)",
            "as good as random (90%)",
            "fewer prompts",
            "held-out tau, pairs beyond 2 SE",
            "held-out pairs ordered right",
        ),
        tuple((name, *_cells(row, evidence.size)) for name, row in evidence.rows.items()),
        evidence.applies_to == "this set",
    )


def _cells(row: Agreement, size: int) -> tuple[str, ...]:
    significant = row.companions.get("tau_significant")
    accuracy = row.companions.get("pairwise_accuracy")
    return (
        "-" if row.search_tau is None else f"{row.search_tau:.3f}",
        _spread(row.held_out_tau),
        _spread(row.random_tau),
        *equivalent_cells(row.equivalent_random_size, size),
        "-" if significant is None else f"{significant:.3f}",
        "-" if accuracy is None else f"{accuracy:.1%}",
    )


def _spread(spread: Spread) -> str:
    return f"{spread.mean:.3f} ({spread.low:.2f}{_DASH}{spread.high:.2f})"
