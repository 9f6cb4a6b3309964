"""Agreement against size as the run measured it, with the random curve drawn once more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from flasheval.report.page.origin import Origin
from flasheval.report.page.replay import Replay
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.random_curve import random_agreement
from flasheval.selection.held_out.records import ValidationCell
from flasheval.selection.held_out.splits import Split
from flasheval.subset.evidence import Evidence

__all__ = ["measured_again", "median_split"]

_DRAWS = 200
_KIND, _METHOD = "splits", "method"
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
    table, splits = replay.request.table, replay.splits
    cells = _cells(rows, splits)
    metrics = {cell.metric for cell in cells}
    if metrics != set(table.metrics):
        return None
    sizes = tuple(sorted({cell.size for cell in cells}))
    draws = int(origin.settings.get("draws") or _DRAWS)
    seed = replay.request.seed
    random = random_agreement(table, splits, sizes, seed=seed, draws=draws)
    return Measurement(
        kinds=(Kind(_KIND, _KIND, splits),),
        metrics=table.metrics,
        labels=(_METHOD,),
        sizes=sizes,
        baseline={_KIND: random},
        seed=seed,
        cells=cells,
    )


def median_split(evidence: Evidence) -> int | None:
    """Return which split's held-out tau is the (lower) median; None where none is known.

    Example:
        >>> from flasheval.subset.evidence import Agreement, Spread, SplitSizes
        >>> spread = Spread(0.8, 0.7, 0.9)
        >>> splits = tuple(SplitSizes(str(number), 8, 8) for number in range(3))
        >>> pooled = Agreement(spread, spread, held_out_tau_by_split=(0.9, 0.7, 0.8))
        >>> median_split(Evidence(50, "random:3", splits, pooled))
        2

    """
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


def _cells(rows: Iterable[Mapping[str, Any]], splits: Iterable[Split]) -> list[ValidationCell]:
    known = {split.name: split for split in splits}
    return [
        ValidationCell(
            kind=_KIND,
            split=split.name,
            method=_METHOD,
            size=int(row["size"]),
            metric=str(row["metric"]),
            search_tau=_number(row["search_tau"]),
            held_out_tau=_number(row["held_out_tau"]),
            held_out_tau_significant=_NAN,
            held_out_accuracy=_NAN,
            held_out_weighted_tau=_NAN,
            full_score_error=_NAN,
            n_search=len(split.search),
            n_held_out=len(split.held_out),
            seconds=_number(row["seconds"]),
        )
        for row in rows
        if (split := known.get(str(row["split"]))) is not None
    ]


def _number(value: float | None) -> float:
    return _NAN if value is None else float(value)
