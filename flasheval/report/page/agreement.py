"""Agreement against size as the run measured it, with the random curve drawn once more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from flasheval.report.page.origin import Origin
from flasheval.report.page.replay import Replay
from flasheval.selection.held_out.judge import Agreements
from flasheval.selection.held_out.measure import Cell, Measurement, random_agreement
from flasheval.subset.evidence import Evidence

__all__ = ["measured_again", "median_split"]

_DRAWS = 200
_NAN = float("nan")


def measured_again(origin: Origin, replay: Replay) -> Measurement | None:
    """Return the measurement behind a subset's evidence, of every size it was made at.

    The method's numbers are those the run wrote down (a manifest alone has one size); only random
    subsets are measured, on the same splits and from the same seed.
    """
    evidence = origin.subset.record.evidence
    if evidence is None:
        return None
    written = None if origin.folder is None else _rows(origin.folder / "agreement.parquet")
    rows = _told(evidence) if written is None else written
    metrics = replay.plan.table.metrics
    names = {split.name for split in replay.splits}
    cells = tuple(
        cell
        for cell in _cells(rows)
        if cell.split in names and tuple(one.metric for one in cell.agreements) == metrics
    )
    if not cells:
        return None
    random = random_agreement(
        replay.plan.table,
        replay.splits,
        sorted({cell.size for cell in cells}),
        seed=replay.plan.seed,
        draws=int(origin.settings.get("draws") or _DRAWS),
    )
    return Measurement(metrics, replay.splits, cells, random)


def median_split(evidence: Evidence) -> int | None:
    """Return which split's held-out tau is the (lower) median; None where none is known."""
    taus = [_NAN if tau is None else tau for tau in evidence.pooled.held_out_tau_by_split]
    order = [int(row) for row in np.argsort(taus, kind="stable") if not np.isnan(taus[row])]
    return order[(len(order) - 1) // 2] if order else None


def _rows(path: Path) -> list[Mapping[str, Any]] | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[Mapping[str, Any]] = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException):  # a run without it, or a file cut short
        return None
    wanted = {"split", "size", "metric", "search_tau", "held_out_tau", "seconds"}
    return rows if rows and wanted <= set(rows[0]) else None


def _told(evidence: Evidence) -> list[Mapping[str, Any]]:
    """Return the rows that a manifest's evidence tells of."""
    return [
        {
            "split": split.name,
            "size": evidence.size,
            "metric": metric,
            "search_tau": agreement.search_tau,
            "held_out_tau": tau,
            "seconds": _NAN,
        }
        for number, split in enumerate(evidence.splits)
        for metric, agreement in evidence.metrics.items()
        for tau in agreement.held_out_tau_by_split[number : number + 1]
    ]


def _cells(rows: Iterable[Mapping[str, Any]]) -> list[Cell]:
    found: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((int(row["size"]), str(row["split"])), []).append(row)
    return [
        Cell(
            split,
            size,
            tuple(
                Agreements(
                    str(row["metric"]),
                    _number(row["search_tau"]),
                    _number(row["held_out_tau"]),
                    _NAN,
                    _NAN,
                )
                for row in group
            ),
            _number(group[0]["seconds"]),
        )
        for (size, split), group in found.items()
    ]


def _number(value: float | None) -> float:
    return _NAN if value is None else float(value)
