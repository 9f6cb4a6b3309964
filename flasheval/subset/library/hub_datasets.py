"""Opening a copy of a prompt set with the `datasets` library, from the Hub or a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flasheval.base.errors import DataError, SettingError
from flasheval.subset.library.rows import Copy, Rows, columns_of, rows_of

__all__ = ["open_dataset"]

_BATCH = 1_000


def open_dataset(name: str, address: str) -> Copy:
    """Return the rows of a data set, streamed: images beside the texts are not fetched.

    Args:
        name: Its name in messages.
        address: OWNER/NAME or a folder, then ``:SPLIT`` or ``:CONFIG:SPLIT``; all splits if none
            is said.

    Raises:
        SettingError: An address of another form.
        DataError: The library is missing, or cannot read the data set.

    >>> open_dataset("datasets:a/b:c:d:e", "a/b:c:d:e")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: datasets:a/b:c:d:e: expected ...

    """
    path, *rest = address.split(":")
    if not path or len(rest) > 2 or not all(rest):
        raise SettingError(f"{name}: expected datasets:OWNER/NAME[:SPLIT] or [:CONFIG:SPLIT]")
    try:
        import datasets
    except ImportError as error:
        raise DataError(
            f"{name} needs the datasets library: pip install datasets, or give a file"
        ) from error
    split, config = (rest[-1] if rest else None), (rest[0] if len(rest) == 2 else None)
    try:
        loaded: Any = datasets.load_dataset(path, config, split=split, streaming=True)
    except Exception as error:  # whatever the library, the Hub and the network raise
        raise _unreadable(name, error) from error
    parts = loaded if isinstance(loaded, Mapping) else {"": loaded}

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
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: Exception) -> DataError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return DataError(
        f"{name} cannot be read by the datasets library ({reason}); is it online, public and "
        "spelt so? Or download it and give the file"
    )
