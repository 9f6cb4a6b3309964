"""Parquet: a row a prompt."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flasheval.subset.exports.rows import rows

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["Parquet"]


@dataclass(frozen=True)
class Parquet:
    """A row a prompt: the columns of JSON lines, ``sources`` and ``tags`` as JSON.

    The file's metadata name the subset and hold its content hash (``flasheval.subset`` and
    ``flasheval.content_hash``).
    """

    name: ClassVar[str] = "parquet"
    binary: ClassVar[bool] = True
    suffix: ClassVar[None] = None

    def write(self, subset: Subset) -> bytes:
        """Return the file; see `Format`.

        >>> import pyarrow.parquet as pq
        >>> from flasheval.subset.subset import Method, Subset, SubsetPrompt
        >>> prompts = (SubsetPrompt("7", text="a cat"),)
        >>> subset = Subset("one", "pets", None, prompts, (), Method("random"))
        >>> table = pq.read_table(io.BytesIO(Parquet().write(subset)))
        >>> table.num_rows, table["text"].to_pylist()
        (1, ['a cat'])
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = [
            {key: json.dumps(cell) if isinstance(cell, dict) else cell for key, cell in row.items()}
            for row in rows(subset)
        ]
        schema = pa.schema(
            [
                ("prompt_id", pa.string()),
                ("text", pa.string()),
                ("weight", pa.float64()),
                ("multiplicity", pa.int64()),
                ("text_sha256", pa.string()),
                ("sources", pa.string()),
                *([("tags", pa.string())] if "tags" in table[0] else []),
            ],
            {"flasheval.subset": subset.name, "flasheval.content_hash": subset.content_hash},
        )
        file = io.BytesIO()
        pq.write_table(
            pa.Table.from_pylist(table, schema), file, compression="zstd", write_page_checksum=True
        )
        return file.getvalue()

    def how(self, path: str) -> tuple[str, ...]:
        """Return how to use it; see `Format`."""
        return (f"pandas.read_parquet({path!r})",)
