"""Opening CSV, TSV, Parquet and JSON files as columns, for prompts and scores."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.files import content_suffix, read_text, require_file
from flasheval.base.ids import prompt_id
from flasheval.base.records import Records, read_records

__all__ = ["TABLE_SUFFIXES", "read_columns"]

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson")


def read_columns(path: Path, what: str = "table") -> Columns:
    r"""Open a CSV, TSV, Parquet, JSON or JSON-lines file as columns.

    ``what`` is the kind of file expected, for messages. Raises DataError when the file cannot be
    read in the format of its suffix.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "clip.csv"
    ...     _ = file.write_text("prompt_id,sd15\n7,0.25\n")
    ...     columns = read_columns(file)
    >>> columns.names, columns.n_rows, columns.ids("prompt_id")
    (('prompt_id', 'sd15'), 1, ('7',))
    """
    suffix = content_suffix(path)
    if suffix == ".parquet":
        return _from_parquet(path, what)
    if suffix in (".csv", ".tsv"):
        return _from_csv(path, what, "," if suffix == ".csv" else "\t")
    if suffix in (".json", ".jsonl", ".ndjson"):
        return _from_records(path, read_records(path, what))
    require_file(path, what)
    raise DataError(
        f"{path}: the suffix {suffix!r} does not say what it holds; expected one of "
        f"{', '.join(TABLE_SUFFIXES)}"
    )


def _from_parquet(path: Path, what: str) -> Columns:
    import pyarrow as pa
    import pyarrow.parquet as pq

    require_file(path, what)
    try:
        # Checksums are verified where the writer left some, as this package does.
        file = pq.ParquetFile(path, page_checksum_verification=True)
        names = tuple(file.schema_arrow.names)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    _refuse_repeated(path, names)

    def fetch(wanted: Sequence[str]) -> list[Any]:
        try:
            table = file.read(columns=list(wanted), use_threads=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(path, error) from error
        if table.num_rows != file.metadata.num_rows:
            raise DataError(f"{path} is damaged: its columns differ in length; fetch it again")
        return [_decoded(table.column(name)) for name in wanted]

    raw = file.schema_arrow.metadata or {}
    metadata = {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in raw.items()}
    return Columns(path, names, file.metadata.num_rows, fetch, _row, metadata)


def _damaged(path: Path, error: Exception) -> DataError:
    reason = str(error).split(". ")[0].splitlines()[0]
    return DataError(f"{path} is not a readable Parquet file ({reason}); is it cut short?")


def _from_csv(path: Path, what: str, delimiter: str) -> Columns:
    import pyarrow as pa
    from pyarrow import csv as pa_csv

    text = read_text(path, what)
    try:
        # A header of more than 4 MiB is none; the slice saves a copy of a large file.
        names = tuple(next(csv.reader(io.StringIO(text[: 1 << 22]), delimiter=delimiter), ()))
    except csv.Error as error:
        raise DataError(f"{path}: the header cannot be read: {error}") from error
    if not text.strip():
        raise DataError(f"{path} holds only white space; expected a {what}")
    _refuse_repeated(path, names)
    try:
        table = pa_csv.read_csv(
            io.BytesIO(text.encode()),
            # One thread, or the message could not say which row is at fault.
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0][:120]
        raise DataError(f"{path} cannot be read as a table: {reason}; mend that row") from error
    return _from_table(path, table, _row, typed=False)


def _from_records(path: Path, records: Records) -> Columns:
    import pyarrow as pa

    names = tuple(dict.fromkeys(key for _, record in records for key in record))
    try:
        columns = [_json_column([record.get(name) for _, record in records]) for name in names]
    except UnicodeEncodeError as error:
        raise DataError(f"{path}: a string holds a lone surrogate, which is no text") from error
    table = pa.table([pa.chunked_array([column]) for column in columns], names=list(names))
    return _from_table(path, table, lambda row: records[row][0])


def _from_table(
    path: Path, table: Any, where: Callable[[int], str], *, typed: bool = True
) -> Columns:
    names = tuple(table.column_names)

    def fetch(wanted: Sequence[str]) -> list[Any]:
        return [table.column(name) for name in wanted]

    return Columns(path, names, table.num_rows, fetch, where, typed=typed)


def _json_column(values: list[Any]) -> Any:
    """Return JSON values as one Arrow array; a mixture becomes strings, in JSON's spelling."""
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([_spelled(value) for value in values], type=pa.string())


def _spelled(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return prompt_id(value) if isinstance(value, int) else repr(value)


def _decoded(array: Any) -> Any:
    import pyarrow as pa

    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _row(row: int) -> str:
    return f"row {row + 1}"


def _refuse_repeated(path: Path, names: tuple[str, ...]) -> None:
    repeated = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if repeated is not None:
        raise DataError(f"{path} has the column {repeated!r} more than once; name each once")
