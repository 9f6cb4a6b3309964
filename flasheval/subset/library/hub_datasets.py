"""A copy of a prompt set that the `datasets` library opens, from the Hub or a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flasheval.base.errors import DataError
from flasheval.prompts.hub_datasets import dataset_parts, unreadable
from flasheval.subset.library.rows import Copy, Rows, columns_of, rows_of

__all__ = ["open_dataset"]

_BATCH = 1_000


def open_dataset(name: str) -> Copy:
    """Return the rows of a data set, streamed: images beside the texts are not fetched.

    ``name`` is as for `flasheval.prompts.hub_datasets.dataset_parts`, which says what is raised.
    """
    parts = dataset_parts(name)

    def batches() -> Iterator[Rows]:
        for part in parts.values():
            yield from _batches(name, part)

    return Copy(name, batches)


def _batches(name: str, part: Any) -> Iterator[Rows]:
    import pyarrow as pa

    try:
        names = part.column_names or list(next(iter(part), {}))
        roles = columns_of(names, name)
        for batch in part.select_columns(list(roles.values())).iter(batch_size=_BATCH):
            columns = {role: pa.array(batch[column]) for role, column in roles.items()}
            yield rows_of(columns, name)
    except DataError:
        raise
    except Exception as error:
        raise unreadable(name, error) from error
