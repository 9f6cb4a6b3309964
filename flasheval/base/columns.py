"""Columns of a table file, read as ids, texts, plain values or scores; every cell is checked."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.cells import CellError, Kind, is_text, kind_of, numbers_in
from flasheval.base.errors import DataError
from flasheval.base.suggest import nearest

__all__ = ["Columns"]

# Numbers that are written back as they were read: "007" is a label.
_INTEGER = re.compile(r"-?[1-9]\d{0,17}|0")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d{1,2})?")

# How many rows at the head and at the end tell what a column holds.
_LOOK = (200, 50)

# Wide files are read so many columns at a time: the matrix and one batch, never two matrices.
_BATCH = 64

# An object of more keys describes nothing: it is a map.
_MOST_KEYS = 50

# Columns that float32 may be too coarse for: numbers from here on, and so narrow a range.
_LARGE, _NARROW = 2.0**17, 0.02


@dataclass(frozen=True)
class Columns:
    """The columns of one file, read when asked for.

    ``fetch`` returns Arrow arrays for column names. ``where`` turns a row number (from 0) into
    words for messages. ``metadata`` is the key-value metadata of a Parquet file. ``typed`` is
    False for CSV and TSV, where every cell is text; ``commas`` is True where decimal commas are
    likely, as between semicolons. ``head`` returns the first rows of columns where reading all of
    them is dear.

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
    commas: bool = False
    head: Callable[[Sequence[str]], list[Any]] | None = None
    _looks: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

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
            f"{nearest(given if given is not None else usual[0], self.names)}"
        )

    def ids(self, name: str) -> tuple[str, ...]:
        """Return a column of ids as strings; integers are written in decimal.

        Raises DataError for an empty id and for a column of another type.
        """
        import pyarrow as pa

        values = self._objects(self._labels(name).cast(pa.string()), name)
        if None in values or "" in values:
            row = next(i for i, value in enumerate(values) if not value)
            raise DataError(f"{self.path} {self.where(row)}: {name} is empty; give an id")
        return tuple(values)

    def codes(self, name: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return a column's distinct labels in order of appearance, and each row's place in them.

        White space around labels of text is no part of them. Raises DataError as `ids` does.

        >>> import pyarrow as pa
        >>> cells = [pa.array(["x", "y ", "x"])]
        >>> Columns(Path("a.csv"), ("m",), 3, lambda _: cells, str).codes("m")
        (('x', 'y'), array([0, 1, 0]))
        """
        import pyarrow as pa

        array = self._labels(name)
        if not pa.types.is_integer(array.type):
            array = array.cast(pa.string())
        coded = array.dictionary_encode()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.unify_dictionaries().combine_chunks()
        written = self._objects(coded.dictionary.cast(pa.string()), name)
        labels = [(label or "").strip() for label in written]
        codes = coded.indices.fill_null(-1).to_numpy().astype(np.int64)
        if coded.indices.null_count or "" in labels:
            blank = [-1, *(place for place, label in enumerate(labels) if not label)]
            row = int(np.argmax(np.isin(codes, blank)))
            raise DataError(f"{self.path} {self.where(row)}: {name} is empty; give an id")
        kept = tuple(dict.fromkeys(labels))
        if len(kept) < len(labels):  # some differ in white space only
            place_of = {label: place for place, label in enumerate(kept)}
            codes = np.array([place_of[label] for label in labels])[codes]
        return kept, codes

    def kinds(self, names: Sequence[str]) -> list[Kind]:
        """Return what each column holds, told from a look at its first and last rows.

        >>> import pyarrow as pa
        >>> Columns(Path("a.csv"), ("m",), 1, lambda _: [pa.array(["0.5"])], str).kinds(["m"])
        ['number']
        """
        return [kind_of(array) for array in self.look(names)]

    def look(self, names: Sequence[str]) -> list[Any]:
        """Return the first and the last rows of columns, as Arrow arrays."""
        new = [name for name in dict.fromkeys(names) if name not in self._looks]
        if new:
            looks = map(_ends, self.fetch(new)) if self.head is None else self.head(new)
            self._looks.update(zip(new, looks, strict=True))
        return [self._looks[name] for name in names]

    def _labels(self, name: str) -> Any:
        import pyarrow as pa

        (array,) = self.fetch([name])
        kind = array.type
        if not (pa.types.is_integer(kind) or is_text(kind)):
            if array.null_count == len(array):
                raise DataError(f"{self.path} {self.where(0)}: {name} is empty; give an id")
            raise DataError(
                f"{self.path}: the ids in column {name!r} are of type {kind}; "
                "write them as integers or strings"
            )
        return array

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a column of texts, unchanged.

        Raises DataError for a missing text and for a column of another type.
        """
        (array,) = self.fetch([name])
        if not is_text(array.type) and array.null_count < len(array):
            raise DataError(f"{self.path}: column {name!r} is of type {array.type}, not text")
        values = self._objects(array, name)
        if None in values:
            row = values.index(None)
            raise DataError(f"{self.path} {self.where(row)}: {name} is missing; give a text")
        return tuple(values)

    def holds_lists(self, name: str) -> bool:
        """Tell whether a column holds lists of texts."""
        import pyarrow as pa

        kind = self.look([name])[0].type
        listed = pa.types.is_list(kind) or pa.types.is_large_list(kind)
        return bool(listed and is_text(kind.value_type))

    def text_lists(self, name: str) -> list[list[str]]:
        """Return a column of lists of texts; no list is an empty one.

        Raises DataError for a missing text in a list.
        """
        (array,) = self.fetch([name])
        lists = [own or [] for own in self._objects(array, name)]
        for row, own in enumerate(lists):
            if None in own:
                raise DataError(f"{self.path} {self.where(row)}: {name} lacks a text; give it")
        return lists

    def plain(self, name: str) -> list[Any] | None:
        """Return a column of numbers, booleans or texts as Python objects.

        Returns None for a column of any other type, such as lists.
        """
        import pyarrow as pa

        (array,) = self.fetch([name])
        kind = array.type
        tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)
        if not is_text(kind) and not any(test(kind) for test in tests):
            return None
        return self._objects(array, name)

    def described(self, name: str) -> dict[str, list[Any]]:
        """Return what a column says beside ids, texts and scores, as columns of Python objects.

        A column of plain values, or of lists of texts, integers or booleans, is one. A column of
        objects (in JSON, or JSON objects as text in each cell) becomes one for each key of such
        values. Any other column is none.

        >>> import pyarrow as pa
        >>> cells = [pa.array(['{"kind": "cat", "wet": ["no"]}', '{"kind": "dog"}'])]
        >>> Columns(Path("a.csv"), ("tags",), 2, lambda _: cells, str).described("tags")
        {'kind': ['cat', 'dog'], 'wet': [['no'], None]}
        """
        import pyarrow as pa

        (array,) = self.fetch([name])
        kind = array.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            inner = kind.value_type
            tests = (is_text, pa.types.is_integer, pa.types.is_boolean, pa.types.is_null)
            return {name: array.to_pylist()} if any(test(inner) for test in tests) else {}
        if pa.types.is_struct(kind):
            return _by_key(array.to_pylist())
        values = self.plain(name)
        if values is None:
            return {}
        objects = _objects_in(values) if is_text(kind) else None
        return (_by_key(objects) if objects else {}) or {name: values}

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
        spellings: dict[str, str] = {}
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            for offset, array in enumerate(self.fetch(batch)):
                given, spelling = self._fill(out[start + offset], array, batch[offset])
                if kind is np.float32 and _needs_digits(given):
                    return None
                if not np.isnan(out[start + offset]).all():
                    spellings.setdefault(spelling, batch[offset])
        others = [one for one in spellings if one != "percent"]
        if "percent" in spellings and others:
            raise DataError(
                f"{self.path}: column {spellings['percent']!r} is written in percent but "
                f"{spellings[others[0]]!r} is not; write both one way"
            )
        return out

    def lists(self, name: str) -> NDArray[np.float32]:
        """Return a column of lists of numbers, [n_rows, longest], NaN where there is none.

        Float32, or float64 as in `floats`.

        >>> import pyarrow as pa
        >>> lists = pa.chunked_array([[[1, 2], None, [3]]])
        >>> Columns(Path("a.json"), ("r",), 3, lambda _: [lists], str).lists("r").tolist()
        [[1.0, 2.0], [nan, nan], [3.0, nan]]
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        (array,) = self.fetch([name])
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy().astype(np.int64)
        values = array.flatten().cast(pa.float64()).to_numpy(zero_copy_only=False)
        rows = np.repeat(np.arange(len(lengths)), lengths)
        places = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        dtype = np.float64 if _needs_digits(values) else np.float32
        out = np.full((len(lengths), int(lengths.max(initial=0))), np.nan, dtype=dtype)
        with np.errstate(over="ignore"):
            out[rows, places] = values
        self._refuse_infinite(np.asarray(np.isinf(out).any(axis=1)), array, name)
        return out

    def _fill(self, out: NDArray[np.float32], array: Any, name: str) -> tuple[NDArray[Any], str]:
        """Fill in a column's numbers; return them as given and how its cells are written."""
        import pyarrow as pa

        kind = array.type
        numbers, spelling = array, "plain"
        if is_text(kind):
            try:
                numbers, spelling = numbers_in(array, commas=self.commas)
            except CellError as error:
                row = error.row or 0
                raise DataError(
                    f"{self.path} {self.where(row)}: column {name!r} is {array[row].as_py()!r}; "
                    f"{error}"
                ) from error
        elif pa.types.is_boolean(kind):
            numbers, spelling = array.cast(pa.int8()).cast(pa.float64()), "truth"
        elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            if pa.types.is_decimal(kind) or pa.types.is_null(kind):
                numbers = array.cast(pa.float64())
            else:
                raise DataError(f"{self.path}: column {name!r} is of type {kind}; expected numbers")
        with np.errstate(over="ignore", invalid="ignore"):
            given: NDArray[Any] = numbers.to_numpy()
            out[:] = given
        self._refuse_infinite(np.isinf(out), array, name)
        return given, spelling

    def _refuse_infinite(self, infinite: NDArray[np.bool_], array: Any, name: str) -> None:
        if infinite.any():
            row = int(np.argmax(infinite))
            raise DataError(
                f"{self.path} {self.where(row)}: column {name!r} is {array[row].as_py()}; expected "
                "a finite number, or an empty cell for what was not measured"
            )


def _objects_in(values: Sequence[str | None]) -> list[Any] | None:
    """Return texts as the JSON objects they hold, or None where one holds none."""
    given = [value for value in values if value and value.strip()]
    if not given or not all(value.lstrip().startswith("{") for value in given):
        return None
    try:
        found = [json.loads(value) if value and value.strip() else None for value in values]
    except (ValueError, RecursionError):
        return None
    return found


def _by_key(objects: Sequence[Mapping[str, Any] | None]) -> dict[str, list[Any]]:
    """Return the keys of objects whose values are plain, or lists of plain values, as columns."""
    keys = dict.fromkeys(key for one in objects if one for key in one)
    found = {key: [None if one is None else one.get(key) for one in objects] for key in keys}
    return {
        key: column
        for key, column in list(found.items())[:_MOST_KEYS]
        if all(map(_is_described, column))
    }


def _is_described(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, str | int) for one in value)
    return value is None or isinstance(value, str | int | float)


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


def _chunks(array: Any) -> list[Any]:
    return list(array.chunks) if hasattr(array, "chunks") else [array]


def _ends(array: Any) -> Any:
    """Return the first and the last rows of an Arrow array."""
    import pyarrow as pa

    first, last = _LOOK
    if len(array) <= first + last:
        return array
    return pa.chunked_array([*_chunks(array[:first]), *_chunks(array[-last:])])


def _needs_digits(values: NDArray[Any]) -> bool:
    """Tell whether a column has large numbers, or a narrow range far from 0."""
    if values.dtype.itemsize < 4 or values.dtype == np.float32 or not len(values):
        return False
    with np.errstate(invalid="ignore"):
        least, most = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    size = max(abs(least), abs(most))
    return bool(np.isfinite(size) and (size >= _LARGE or 0 < most - least < _NARROW * size))
