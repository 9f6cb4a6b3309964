"""Opening CSV, TSV, Excel, Parquet, Feather and JSON files as columns, for prompts and scores."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.excel import read_sheets
from flasheval.base.files import as_text, content_suffix, read_bytes, require_file
from flasheval.base.ids import prompt_id
from flasheval.base.json_tables import table_in
from flasheval.base.records import Records, read_document, read_records

__all__ = [
    "EXCEL_SUFFIXES",
    "TABLE_SUFFIXES",
    "columns_of_sheets",
    "columns_of_table",
    "read_columns",
]

EXCEL_SUFFIXES = (".xlsx", ".xlsm")
_ARROW_SUFFIXES = (".feather", ".arrow", ".ipc")
TABLE_SUFFIXES = (
    *(".csv", ".tsv", ".parquet", ".json", ".jsonl", ".ndjson"),
    *_ARROW_SUFFIXES,
    *EXCEL_SUFFIXES,
)

_SEPARATORS = (",", "\t", ";", "|")
_SNIFFED = 1 << 16  # characters at the head of a file that tell its separator
_HEAD = 200  # rows
_HEADER = 1 << 22  # bytes; a header of more is none


def read_columns(
    path: Path, what: str = "table", *, records_in: Callable[[Any], Records | None] | None = None
) -> Columns:
    r"""Open a CSV, TSV, Excel, Parquet, Feather, JSON or JSON-lines file as columns.

    ``what`` is the kind of file expected, for messages. What parts the cells of a CSV or TSV is
    told from its first rows: commas, tabs, semicolons or upright strokes. ``records_in`` may know
    a JSON document's objects, each with its place in words, better than a table's layouts do; it
    returns None for any other document. Raises DataError when the file cannot be read in the
    format of its suffix.

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
    if suffix == ".json":
        return _from_json(path, what, records_in)
    if suffix in (".jsonl", ".ndjson"):
        return _from_records(path, read_records(path, what))
    if suffix in _ARROW_SUFFIXES:
        return _from_arrow(path, what)
    if suffix in EXCEL_SUFFIXES:
        sheets = columns_of_sheets(path, what)
        if len(sheets) > 1:
            names = ", ".join(sheet.path.name for sheet in sheets)
            raise DataError(f"{path} has several sheets ({names}); save the one to read by itself")
        return sheets[0]
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
        # Without a buffer a look at the first rows would read the columns whole.
        file = pq.ParquetFile(path, page_checksum_verification=True, buffer_size=1 << 16)
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

    def head(wanted: Sequence[str]) -> list[Any]:
        try:
            batch = next(file.iter_batches(_HEAD, columns=list(wanted), use_threads=False), None)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(path, error) from error
        empty = pa.nulls(0)
        return [empty if batch is None else _decoded(batch.column(name)) for name in wanted]

    raw = file.schema_arrow.metadata or {}
    metadata = {k.decode("utf-8", "replace"): v.decode("utf-8", "replace") for k, v in raw.items()}
    return Columns(path, names, file.metadata.num_rows, fetch, _row, metadata, head=head)


def _damaged(path: Path, error: Exception) -> DataError:
    reason = str(error).split(". ")[0].splitlines()[0]
    return DataError(f"{path} is not a readable Parquet file ({reason}); is it cut short?")


def _from_arrow(path: Path, what: str) -> Columns:
    import pyarrow as pa
    from pyarrow import feather

    require_file(path, what)
    try:
        try:
            table = feather.read_table(path, memory_map=False)
        except pa.ArrowInvalid:  # the streaming form, as `datasets` writes it
            with pa.OSFile(str(path)) as file:
                table = pa.ipc.open_stream(file).read_all()
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:100]
        raise DataError(f"{path} is not a readable Feather file ({reason})") from error
    table = pa.table([_decoded(column) for column in table.columns], names=table.column_names)
    return _from_table(path, table, _row)


def _from_csv(path: Path, what: str, delimiter: str) -> Columns:
    import pyarrow as pa
    from pyarrow import csv as pa_csv

    data = read_bytes(path, what)
    cut = data.rfind(b"\n", 0, _HEADER) if len(data) > _HEADER else -1
    head = as_text(data[:cut] if cut > 0 else data, path)
    if not head.strip() and not as_text(data, path).strip():
        raise DataError(f"{path} holds only white space; expected a {what}")
    delimiter = _separator(head, delimiter)
    try:
        names = tuple(next(csv.reader(io.StringIO(head), delimiter=delimiter), ()))
    except csv.Error as error:
        raise DataError(f"{path}: the header cannot be read: {error}") from error
    _refuse_repeated(path, names)
    quoted = not (delimiter == "\t" and _a_row_a_line(data, len(names)))

    def read(threads: bool) -> Any:
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(use_threads=threads, block_size=1 << 24),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=quoted, quote_char='"' if quoted else False
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
        return table if quoted else _without_quotes(table, names)

    try:
        try:
            table = read(threads=True)
        except pa.ArrowException:  # one thread, or the message could not say which row is at fault
            table = read(threads=False)
    except pa.ArrowException as error:
        as_text(data, path)  # says it where the bytes are no text
        reason = str(error).splitlines()[0][:120]
        raise DataError(f"{path} cannot be read as a table: {reason}; mend that row") from error
    return _from_table(path, table, _row, typed=False, commas=delimiter == ";")


def _a_row_a_line(data: bytes, width: int) -> bool:
    """Tell whether tabs part every line alike, so that a quotation mark joins no two of them.

    A writer that quotes its header quotes as CSV does.
    """
    if width < 2 or b'"' not in data:  # most files, and the largest: no line of them is looked at
        return False
    header, *lines = data.strip(b"\r\n").replace(b"\r\n", b"\n").split(b"\n")
    if b'"' in header:
        return False
    return all(line.count(b"\t") == width - 1 and b"\r" not in line for line in lines)


def _without_quotes(table: Any, names: Sequence[str]) -> Any:
    """Return a table whose cells lose quotation marks only where they are wholly quoted.

    Writers of TSV seldom quote: a mark at a cell's start may be the text's own.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = []
    for column in table.columns:
        whole = pc.match_substring_regex(column, r'(?s)^"([^"]|"")*"$')
        if pc.any(whole).as_py():
            inner = pc.replace_substring(pc.utf8_slice_codeunits(column, 1, -1), '""', '"')
            column = pc.if_else(whole, inner, column)
        columns.append(column)
    return pa.table(columns, names=list(names))


def _separator(text: str, usual: str) -> str:
    """Return what parts the cells: in the header, and as often in every row looked at."""
    rows = text[:_SNIFFED].split("\n")
    sample = "\n".join(rows[:-1] if len(text) > _SNIFFED and len(rows) > 1 else rows)
    best, most = usual, 1
    for separator in (usual, *(one for one in _SEPARATORS if one != usual)):
        try:
            parsed = [row for row in csv.reader(io.StringIO(sample), delimiter=separator) if row]
        except csv.Error:
            continue
        widths = {len(row) for row in parsed[:_HEAD]}
        if len(widths) != 1:
            continue
        width = widths.pop()
        if width > most:
            best, most = separator, width
        if separator == usual and width > 1:
            break
    return best


def columns_of_sheets(path: Path, what: str = "table") -> list[Columns]:
    """Return the sheets of an Excel file that hold something, each called FILE/SHEET.

    Needs the extra `excel`. Raises DataError where it is not installed or the file is damaged.
    """
    sheets = []
    for name, names, rows in read_sheets(path, what):
        own = path / name
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        sheets.append(_from_table(own, _table_of(own, columns, names), _row))
    return sheets


def _from_json(
    path: Path, what: str, records_in: Callable[[Any], Records | None] | None
) -> Columns:
    document = read_document(path, what)
    records = None if records_in is None else records_in(document)
    if records is not None:
        return _from_records(path, records)
    found = None if document is None else table_in(document)
    if found is None:
        return _from_records(path, read_records(path, what))
    names, columns = found
    return _from_table(path, _table_of(path, columns, names), _row)


def _from_records(path: Path, records: Records) -> Columns:
    names = tuple(dict.fromkeys(key for _, record in records for key in record))
    columns = ([record.get(name) for _, record in records] for name in names)
    return _from_table(path, _table_of(path, columns, names), lambda row: records[row][0])


def _table_of(path: Path, columns: Iterable[Sequence[Any]], names: Sequence[str]) -> Any:
    """Return an Arrow table of columns of JSON values."""
    import pyarrow as pa

    try:
        arrays = [pa.chunked_array([_json_column(list(column))]) for column in columns]
        return pa.table(arrays, names=list(names))
    except UnicodeEncodeError as error:
        raise DataError(f"{path}: a string holds a lone surrogate, which is no text") from error


def columns_of_table(path: Path, table: Any) -> Columns:
    """Return an Arrow table as columns; ``path`` names it in messages.

    >>> import pyarrow as pa
    >>> columns_of_table(Path("pets"), pa.table({"id": [1, 2]})).names
    ('id',)
    """
    _refuse_repeated(path, tuple(table.column_names))
    return _from_table(path, table, _row)


def _from_table(
    path: Path,
    table: Any,
    where: Callable[[int], str],
    *,
    typed: bool = True,
    commas: bool = False,
) -> Columns:
    names = tuple(table.column_names)
    _refuse_repeated(path, names)

    def fetch(wanted: Sequence[str]) -> list[Any]:
        return [table.column(name) for name in wanted]

    return Columns(path, names, table.num_rows, fetch, where, typed=typed, commas=commas)


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
