"""Labelled columns of a file: ids, texts, plain values and scores, or what is wrong in them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError
from flasheval.base.suggest import nearest

__all__ = ["Columns"]

# Spellings, in any case, of a cell that was not measured.
_MISSING = ("", "nan", "na", "n/a", "#n/a", "null", "none", "-nan")

# Numbers that are written back as they were read: "007" is a label.
_INTEGER = re.compile(r"-?[1-9]\d{0,17}|0")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d{1,2})?")

# Wide files are read so many columns at a time: the matrix and one batch, never two matrices.
_BATCH = 64


@dataclass(frozen=True)
class Columns:
    """The columns of one file, read when asked for.

    ``fetch`` gives Arrow arrays by name, ``where`` words for a row's place (from 0),
    ``metadata`` what a Parquet file says of itself, and ``typed`` whether the file's values
    have types: in CSV and TSV all is text.
    """

    path: Path
    names: tuple[str, ...]
    n_rows: int
    fetch: Callable[[Sequence[str]], list[Any]]
    where: Callable[[int], str]
    metadata: Mapping[str, str] = field(default_factory=dict)
    typed: bool = True

    def pick(self, given: str | None, usual: Sequence[str], what: str) -> str:
        """Return the column to use: the one given, else the first usual one there is."""
        for name in (given,) if given is not None else usual:
            if name in self.names:
                return name
        wanted = repr(given) if given is not None else " or ".join(map(repr, usual))
        have = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
        raise DataError(
            f"{self.path} has no column {wanted} for the {what}; it has: {have}"
            f"{nearest(given or usual[0], self.names)}"
        )

    def ids(self, name: str) -> tuple[str, ...]:
        """Return a column of ids as strings, integers in decimal."""
        import pyarrow as pa

        (array,) = self.fetch([name])
        kind = array.type
        if not (pa.types.is_integer(kind) or _is_text(kind)):
            if array.null_count == len(array):
                raise DataError(f"{self.path} {self.where(0)}: {name} is empty; give an id")
            raise DataError(
                f"{self.path}: the ids in column {name!r} are of type {kind}; "
                "write them as integers or strings"
            )
        values = self._objects(array.cast(pa.string()), name)
        if None in values or "" in values:
            row = next(i for i, value in enumerate(values) if not value)
            raise DataError(f"{self.path} {self.where(row)}: {name} is empty; give an id")
        return tuple(values)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a column of texts, exactly as they are."""
        (array,) = self.fetch([name])
        if not _is_text(array.type) and array.null_count < len(array):
            raise DataError(f"{self.path}: column {name!r} is of type {array.type}, not text")
        values = self._objects(array, name)
        if None in values:
            row = values.index(None)
            raise DataError(f"{self.path} {self.where(row)}: {name} is missing; give a text")
        return tuple(values)

    def plain(self, name: str) -> list[Any] | None:
        """Return a column of plain values as Python objects, None where it holds anything else."""
        import pyarrow as pa

        (array,) = self.fetch([name])
        kind = array.type
        tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
        if not _is_text(kind) and not any(test(kind) for test in tests):
            return None
        return self._objects(array, name)

    def factors(self, name: str) -> list[Any] | None:
        """Return what plain does, with the numbers and truth values of a text file read as such."""
        values = self.plain(name)
        return values if self.typed or values is None else _guessed(values)

    def _objects(self, array: Any, name: str) -> list[Any]:
        try:
            values: list[Any] = array.to_pylist()
        except UnicodeDecodeError as error:  # Parquet readers do not check what they call a string
            raise DataError(f"{self.path}: column {name!r} is not UTF-8 text") from error
        return values

    def floats(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return columns of scores, float32 [len(names), n_rows], NaN for an empty cell.

        Raises DataError naming the column and row of a cell that is no finite number.
        """
        out = np.empty((len(names), self.n_rows), dtype=np.float32)
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            for offset, array in enumerate(self.fetch(batch)):
                self._fill(out[start + offset], array, batch[offset])
        return out

    def _fill(self, out: NDArray[np.float32], array: Any, name: str) -> None:
        import pyarrow as pa

        kind = array.type
        numbers = array
        if _is_text(kind):
            numbers = self._parse(array, name)
        elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            if pa.types.is_decimal(kind) or pa.types.is_null(kind):
                numbers = array.cast(pa.float64())
            else:
                raise DataError(f"{self.path}: column {name!r} is of type {kind}; expected numbers")
        with np.errstate(over="ignore", invalid="ignore"):
            out[:] = numbers.to_numpy()
        infinite = np.isinf(out)
        if infinite.any():
            row = int(np.argmax(infinite))
            raise DataError(
                f"{self.path} {self.where(row)}: column {name!r} is {array[row].as_py()}; expected "
                "a finite number, or an empty cell for what was not measured"
            )

    def _parse(self, array: Any, name: str) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = pc.utf8_trim_whitespace(array.cast(pa.string()))
        missing = pc.is_in(pc.utf8_lower(cells), value_set=pa.array(_MISSING))
        cells = pc.if_else(missing, None, cells)
        try:
            return cells.cast(pa.float64())
        except pa.ArrowInvalid as error:
            row = _first_that_fails(cells)
            raise DataError(
                f"{self.path} {self.where(row)}: column {name!r} is {array[row].as_py()!r}; "
                "expected a number"
            ) from error


def _guessed(values: list[str]) -> list[Any]:
    """Return texts as integers, else numbers, where all of them are; an empty one is None."""
    given = [value for value in values if value]
    if all(_INTEGER.fullmatch(value) for value in given):
        return [int(value) if value else None for value in values]
    if all(_NUMBER.fullmatch(value) for value in given):
        return [float(value) if value else None for value in values]
    if set(given) <= {"true", "false"}:
        return [value == "true" if value else None for value in values]
    return [value or None for value in values]


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def _first_that_fails(cells: Any) -> int:
    """Return the first row that is no number, by halves: millions of rows may be good."""
    import pyarrow as pa

    start, stop = 0, len(cells)
    while stop - start > 1:
        middle = (start + stop) // 2
        try:
            cells.slice(start, middle - start).cast(pa.float64())
        except pa.ArrowInvalid:
            stop = middle
        else:
            start = middle
    return start
