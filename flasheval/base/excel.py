"""Excel files: the cells of each sheet."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError
from flasheval.base.extras import pip_command
from flasheval.base.files import refuse_dense_zip, require_file

__all__ = ["read_sheets"]


def read_sheets(path: Path, what: str) -> Iterator[tuple[str, tuple[str, ...], list[list[Any]]]]:
    """Yield the sheets that hold something: name, titles of the columns, rows of cells.

    Raises DataError where openpyxl is missing, and for a file that is no Excel file or holds
    nothing.
    """
    refuse_dense_zip(require_file(path, what))
    try:
        import openpyxl
    except ImportError as error:
        raise DataError(
            f"{path} needs openpyxl to be read: {pip_command('openpyxl')}, or save it as CSV"
        ) from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = [
            (sheet.title, [list(row) for row in sheet.iter_rows(values_only=True)])
            for sheet in book.worksheets
        ]
        book.close()
    except Exception as error:  # zipfile, xml and openpyxl raise many kinds for damaged files
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise DataError(f"{path} is not a readable Excel file ({reason})") from error
    found = 0
    for title, cells in sheets:
        rows = [row for row in cells if any(_given(cell) for cell in row)]
        if not rows:
            continue
        found += 1
        width = max(_width(row) for row in rows)
        header, *body = [[*row, *[None] * (width - len(row))][:width] for row in rows]
        names = tuple("" if cell is None else str(cell) for cell in header)
        yield title, names, body
    if not found:
        raise DataError(f"{path} has no sheet that holds anything; expected a {what}")


def _given(cell: Any) -> bool:
    return cell is not None and cell != ""


def _width(row: list[Any]) -> int:
    return max((place + 1 for place, cell in enumerate(row) if _given(cell)), default=0)
