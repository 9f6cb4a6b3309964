"""The folder of one search: what it is called and what lies in it.

The name follows from the settings alone, so the same command finds the same folder and continues.
Beside the command line's own `config/` a finished run holds `subset.json` (the manifest),
`history.parquet` (the search, a row a step), `agreement.parquet` (every split's numbers),
`agreement.png`, `search.log`, and `units/`, the searches already done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.drawing.figures import save_png
from flasheval.base.files import atomic_write
from flasheval.base.run_folders import MANIFEST
from flasheval.selection.search_view import search_figure

if TYPE_CHECKING:
    from flasheval.selection.held_out.measurement import Measurement
    from flasheval.selection.search import SearchResult

__all__ = [
    "write_search",
]

_MEASURES = (
    "search_tau",
    "held_out_tau",
    "held_out_tau_significant",
    "held_out_accuracy",
)


def write_search(result: SearchResult, folder: Path) -> None:
    """Write the manifest, the tables and the plot of a search; DataError where it cannot be."""
    subset, measurement = result.subset, result.measurement
    subset.save(folder / MANIFEST)
    _write_rows(result.history or [{"step": 0}], folder / "history.parquet")
    if measurement is None:
        for stale in ("agreement.parquet", "agreement.png"):
            (folder / stale).unlink(missing_ok=True)
        return

    _write_rows(_agreement_rows(measurement), folder / "agreement.parquet")
    save_png(search_figure(subset, measurement), folder / "agreement.png")


def _agreement_rows(measurement: Measurement) -> list[dict[str, Any]]:
    names = ("split", "size", "metric", *_MEASURES, "seconds")
    return [{name: getattr(cell, name) for name in names} for cell in measurement.cells]


def _write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = dict.fromkeys(name for row in rows for name in row)
    table = pa.table({name: [row.get(name) for row in rows] for name in names})
    with atomic_write(path) as temporary:
        pq.write_table(table, temporary)
