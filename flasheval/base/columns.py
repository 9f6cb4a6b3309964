"""Columns of a table file, read as ids, texts, plain values or scores; every cell is checked."""

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

# Columns that float32 may be too coarse for: numbers from here on, and so narrow a range.
_LARGE, _NARROW = 2.0**17, 0.02


@dataclass(frozen=True)
class Columns:
    """The columns of one file, read when asked for.

    ``fetch`` returns Arrow arrays for column names. ``where`` turns a row number (from 0) into
    words for messages. ``metadata`` is the key-value metadata of a Parquet file. ``typed`` is
    False for CSV and TSV, where every cell is text.

    >>> import pyarrow as pa
    >>> table = pa.table({"id": [1, 2], "clip": ["0.25", ""]})
    >>> columns = Columns(Path("a.csv"), ("id", "clip"), 2, lambda n: list(table.select(n)), str)
    >>> columns.ids("id"), columns.floats(["clip"]).tolist()  # an empty cell was not measured
    (('1', '2'), [[0.25, nan]])
    """

    path: Path
    names: tuple[str, ...]
    n_rows: int
    fetch: Callable[[Sequence[str]], list[Any]]
    where: Callable[[int], str]
    metadata: Mapping[str, str] = field(default_factory=dict)
    typed: bool = True

    def pick(self, given: str | None, usual: Sequence[str], what: str) -> str:
        """Return the name of the column to use: ``given``, else the first of ``usual`` that exists.

        Raises DataError, listing the columns, when there is none; ``what`` names its content.

        >>> columns = Columns(Path("a.csv"), ("id", "clip"), 0, lambda names: [], str)
        >>> columns.pick(None, ("prompt_id", "id"), "prompt ids")
        'id'
        >>> columns.pick("clpi", (), "scores")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: a.csv has no column 'clpi' for the scores; it has: id, ...
        """
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
        """Return a column of ids as strings; integers are written in decimal.

        Raises DataError for an empty id and for a column of another type.
        """
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
        """Return a column of texts, unchanged.

        Raises DataError for a missing text and for a column of another type.
        """
        (array,) = self.fetch([name])
        if not _is_text(array.type) and array.null_count < len(array):
            raise DataError(f"{self.path}: column {name!r} is of type {array.type}, not text")
        values = self._objects(array, name)
        if None in values:
            row = values.index(None)
            raise DataError(f"{self.path} {self.where(row)}: {name} is missing; give a text")
        return tuple(values)

    def plain(self, name: str) -> list[Any] | None:
        """Return a column of numbers, booleans or texts as Python objects.

        Returns None for a column of any other type, such as lists.
        """
        import pyarrow as pa

        (array,) = self.fetch([name])
        kind = array.type
        tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
        if not _is_text(kind) and not any(test(kind) for test in tests):
            return None
        return self._objects(array, name)

    def factors(self, name: str) -> list[Any] | None:
        """Return a column as `plain` does; texts of a CSV or TSV become numbers or booleans.

        A column becomes numbers only when every cell reads back as it is written ("007" stays a
        text). An empty cell is None.

        >>> import pyarrow as pa
        >>> cells = [pa.array(["10", "", "50"])]
        >>> columns = Columns(Path("a.csv"), ("steps",), 3, lambda _: cells, str, typed=False)
        >>> columns.factors("steps")
        [10, None, 50]
        """
        values = self.plain(name)
        return values if self.typed or values is None else _guessed(values)

    def _objects(self, array: Any, name: str) -> list[Any]:
        try:
            values: list[Any] = array.to_pylist()
        except UnicodeDecodeError as error:  # Parquet readers do not check what they call a string
            raise DataError(f"{self.path}: column {name!r} is not UTF-8 text") from error
        return values

    def floats(self, names: Sequence[str], *, exact: bool = False) -> NDArray[np.float32]:
        """Return columns of scores, float32 [len(names), n_rows], NaN for an empty cell.

        Float64 where it must be ``exact``, and where a column has large numbers, or a narrow range
        far from 0: the scores of several variants may then differ by digits that float32 lacks.
        Raises DataError naming the column and row of a cell that is no finite number.

        >>> import pyarrow as pa
        >>> cells = [pa.chunked_array([["0.5", "n/a", "1e3"]])]
        >>> Columns(Path("a.csv"), ("clip",), 3, lambda _: cells, str).floats(["clip"]).tolist()
        [[0.5, nan, 1000.0]]
        """
        out = None if exact else self._floats(names, np.float32)
        return self._floats(names, np.float64) if out is None else out  # type: ignore[return-value]

    def _floats(self, names: Sequence[str], kind: type[np.floating]) -> NDArray[np.float32] | None:
        out = np.empty((len(names), self.n_rows), dtype=kind)
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            for offset, array in enumerate(self.fetch(batch)):
                given = self._fill(out[start + offset], array, batch[offset])
                if kind is np.float32 and _needs_digits(given):
                    return None
        return out

    def _fill(self, out: NDArray[np.float32], array: Any, name: str) -> NDArray[Any]:
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
            given: NDArray[Any] = numbers.to_numpy()
            out[:] = given
        infinite = np.isinf(out)
        if infinite.any():
            row = int(np.argmax(infinite))
            raise DataError(
                f"{self.path} {self.where(row)}: column {name!r} is {array[row].as_py()}; expected "
                "a finite number, or an empty cell for what was not measured"
            )
        return given

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


def _needs_digits(values: NDArray[Any]) -> bool:
    """Tell whether a column has large numbers, or a narrow range far from 0."""
    if values.dtype.itemsize < 4 or values.dtype == np.float32 or not len(values):
        return False
    with np.errstate(invalid="ignore"):
        least, most = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    size = max(abs(least), abs(most))
    return bool(np.isfinite(size) and (size >= _LARGE or 0 < most - least < _NARROW * size))


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
