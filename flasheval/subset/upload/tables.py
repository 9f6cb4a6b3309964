"""The tables of a published folder: the prompts of a subset, and the evidence of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.files import atomic_write, write_text
from flasheval.prompts.tags import written
from flasheval.subset.evidence import Agreement, Evidence
from flasheval.subset.subset import Subset

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["evidence_rows", "prompt_table", "write_evidence", "write_prompt_table"]

_OWN = ("prompt_id", "text_sha256", "weight", "multiplicity", "text")

EVIDENCE_COLUMNS = (
    "subset",
    "size",
    "metric",
    "splits",
    "n_splits",
    "evidence_of",
    "held_out_tau",
    "held_out_tau_low",
    "held_out_tau_high",
    "interval",
    "random_tau",
    "random_tau_low",
    "random_tau_high",
    "search_tau",
    "equivalent_random_size",
    "equivalent_random_size_low",
    "equivalent_random_size_high",
)


def prompt_table(subset: Subset) -> pa.Table:
    """Return the prompts of a subset, a row each, in order.

    Columns: ``prompt_id``, ``text_sha256``, ``weight`` (float64), ``multiplicity`` (int64), then
    other keys to look it up by (``image_name``, ``part_id``), tags, and ``text`` when any is known.

    >>> from flasheval.subset.subset import Method, SubsetPrompt
    >>> prompts = (SubsetPrompt("1", sources={"image_name": "a.png"}),)
    >>> table = prompt_table(Subset("one", "pets", None, prompts, (), Method("random")))
    >>> table.column_names
    ['prompt_id', 'text_sha256', 'weight', 'multiplicity', 'image_name']
    """
    import pyarrow as pa

    prompts = subset.prompts
    columns = {
        "prompt_id": pa.array([p.id for p in prompts], pa.string()),
        "text_sha256": pa.array([p.text_hash for p in prompts], pa.string()),
        "weight": pa.array([p.weight for p in prompts], pa.float64()),
        "multiplicity": pa.array([p.multiplicity for p in prompts], pa.int64()),
    }
    for key in sorted({key for p in prompts for key in p.sources} - set(_OWN)):
        columns[key] = pa.array([p.sources.get(key) for p in prompts], pa.string())
    for tag in sorted({tag for p in prompts for tag in p.tags} - columns.keys() - set(_OWN)):
        columns[tag] = pa.array([written(p.tags.get(tag, ())) for p in prompts], pa.string())
    if any(p.text is not None for p in prompts):
        columns["text"] = pa.array([p.text for p in prompts], pa.string())
    about = {
        "flasheval.subset": subset.name,
        "flasheval.content_hash": subset.content_hash,
        "flasheval.prompt_set": subset.prompt_set_name,
    }
    return pa.table(columns).replace_schema_metadata(about)


def write_prompt_table(subset: Subset, path: Path) -> None:
    """Write :func:`prompt_table` as Parquet."""
    import pyarrow.parquet as pq

    with atomic_write(path) as temporary:
        pq.write_table(
            prompt_table(subset), temporary, compression="zstd", write_page_checksum=True
        )


def evidence_rows(subsets: Sequence[Subset]) -> Iterator[dict[str, object]]:
    """Yield a row for every subset, kind of splits and metric, and for the ``mean`` over metrics.

    Equivalent random sizes are strings: ``248``, ``<5`` or ``>5000``.

    >>> from flasheval.subset.library import find_subset
    >>> row = next(evidence_rows([find_subset("coco-shared-50")]))
    >>> row["metric"], row["size"], row["evidence_of"]
    ('mean', 50, 'procedure')
    """
    for subset in subsets:
        for evidence in subset.record.all_evidence:
            for metric, agreement in evidence.rows.items():
                yield _row(subset, evidence, metric, agreement)


def _row(
    subset: Subset, evidence: Evidence, metric: str, agreement: Agreement
) -> dict[str, object]:
    held_out, random = agreement.held_out_tau, agreement.random_tau
    equivalent = agreement.equivalent_random_size
    sizes = (
        (None, None, None)
        if equivalent is None
        else (equivalent.estimate, equivalent.low, equivalent.high)
    )
    cells = (
        subset.name,
        evidence.size,
        metric,
        evidence.split_spec,
        len(evidence.splits),
        evidence.applies_to,
        held_out.mean,
        held_out.low,
        held_out.high,
        held_out.kind,
        random.mean,
        random.low,
        random.high,
        agreement.search_tau,
        *(None if size is None else str(size) for size in sizes),
    )
    return dict(zip(EVIDENCE_COLUMNS, cells, strict=True))


def write_evidence(subsets: Sequence[Subset], path: Path) -> None:
    """Write :func:`evidence_rows` as CSV."""
    rows = [tuple(row.values()) for row in evidence_rows(subsets)]
    write_text(path, csv_for_people([EVIDENCE_COLUMNS, *rows]))
