"""Cells of text read as numbers: percent, truth values, decimal commas; and what a column holds."""

import re
from typing import Any, Literal, NamedTuple

__all__ = ["CellError", "Kind", "Numbers", "all_whole", "is_text", "kind_of", "numbers_in"]

Kind = Literal["number", "truth", "percent", "text", "list", "empty", "other"]
"""What the cells of a column are, told from a look at some of them."""

# Spellings, in any case, of a cell that was not measured.
_MISSING = ("", "nan", "na", "n/a", "#n/a", "null", "none", "-nan")
_TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}

_PLAIN = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|^[-+]?inf(inity)?$"
_COMMA = r"^[-+]?\d+,\d+([eE][-+]?\d+)?$"  # 0,25
_GROUPED = r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$"  # 1,234.5
_GROUPED_COMMA = r"^[-+]?\d{1,3}(\.\d{3})+,\d+$"  # 1.234,5
_NUMBER = re.compile("|".join((_PLAIN, _COMMA, _GROUPED, _GROUPED_COMMA)))


class CellError(ValueError):
    """A cell that is no number: its row (None where it is the whole column), and what to say."""

    def __init__(self, row: int | None, said: str) -> None:
        super().__init__(said)
        self.row = row


class Numbers(NamedTuple):
    """A column read as numbers: a float64 Arrow array, and how its cells were written."""

    array: Any
    spelling: Literal["plain", "percent", "truth", "comma"]


def numbers_in(array: Any, *, commas: bool = False) -> Numbers:
    """Return cells of text as numbers; a cell that says nothing was not measured.

    Beside plain numbers all of a column may be written as percent (27% is 0.27), as truth values
    (true or yes is 1, false or no is 0) or with decimal commas; ``commas`` says that a comma is a
    decimal one where it could part thousands.

    Raises CellError for a cell that is no number, and for commas that could be either.

    >>> import pyarrow as pa
    >>> numbers_in(pa.array(["27%", "", "50 %"])).array.to_pylist()
    [0.27, None, 0.5]
    >>> numbers_in(pa.array(["0,25", "1"])).array.to_pylist()
    [0.25, 1.0]
    >>> numbers_in(pa.array(["Yes"])).spelling
    'truth'
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if (plain := _as_they_are(array)) is not None:  # most columns: no cell needs a look
        return Numbers(plain, "plain")
    cells = _measured(array)
    if (plain := _as_they_are(cells)) is not None:
        return Numbers(plain, "plain")
    given = cells.drop_null()
    words = pc.utf8_lower(cells)
    if _all(pc.is_in(pc.utf8_lower(given), value_set=pa.array(list(_TRUTH)))):
        true = pc.is_in(words, value_set=pa.array([w for w, value in _TRUTH.items() if value]))
        return Numbers(pc.if_else(pc.is_null(cells), None, true.cast(pa.float64())), "truth")
    if _all(pc.match_substring_regex(given, r"%$")):
        bare = pc.utf8_trim_whitespace(pc.utf8_rtrim(cells, characters="%"))
        return Numbers(pc.divide(_plain_numbers(bare, array, commas)[0], 100.0), "percent")
    numbers, comma = _plain_numbers(cells, array, commas)
    return Numbers(numbers, "comma" if comma else "plain")


def kind_of(array: Any) -> Kind:
    """Return what most cells of an Arrow array are; half of them decide for numbers.

    >>> import pyarrow as pa
    >>> kind_of(pa.array(["0.5", "high"])), kind_of(pa.array(["a cat"])), kind_of(pa.array([""]))
    ('number', 'text', 'empty')
    """
    import pyarrow as pa

    kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_boolean(kind):
        return "truth"
    if pa.types.is_null(kind):
        return "empty"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = kind.value_type
        return "list" if pa.types.is_integer(inner) or pa.types.is_floating(inner) else "other"
    if not is_text(kind):
        return "other"
    cells = [cell.strip() for cell in array.to_pylist() if cell is not None]
    cells = [cell for cell in cells if cell.lower() not in _MISSING]
    if not cells:
        return "empty"
    if all(cell.lower() in _TRUTH for cell in cells):
        return "truth"
    percent = sum(cell.endswith("%") and _is_number(cell[:-1].strip()) for cell in cells)
    plain = sum(map(_is_number, cells))
    if 2 * (percent + plain) < len(cells):
        return "text"
    return "percent" if percent else "number"


def is_text(kind: Any) -> bool:
    """Tell whether an Arrow type is one of its kinds of strings."""
    import pyarrow as pa

    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def all_whole(array: Any) -> bool:
    """Tell whether the numbers among cells of text are whole, and there is one.

    >>> import pyarrow as pa
    >>> all_whole(pa.array(["1", "2", "Average"])), all_whole(pa.array(["1", "2.5"]))
    (True, False)
    """
    cells = [cell.strip() for cell in array.to_pylist() if cell is not None]
    numbers = [cell for cell in cells if _is_number(cell)]
    return bool(numbers) and all(re.fullmatch(r"[-+]?\d+(\.0*)?", cell) for cell in numbers)


def _is_number(cell: str) -> bool:
    return _NUMBER.match(cell) is not None


def _as_they_are(cells: Any) -> Any | None:
    import pyarrow as pa

    try:
        return cells.cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _measured(array: Any) -> Any:
    """Return texts without white space around them, null for what was not measured."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(array.cast(pa.string()))
    missing = pc.is_in(pc.utf8_lower(cells), value_set=pa.array(_MISSING))
    return pc.if_else(missing, None, cells)


def _plain_numbers(cells: Any, array: Any, commas: bool) -> tuple[Any, bool]:
    """Return texts with commas, thousands or a plus sign as numbers; whether a comma is decimal."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.replace_substring_regex(cells, pattern=r"^\+", replacement="")
    given = cells.drop_null()
    with_comma = given.filter(pc.match_substring(given, ","))
    comma = False
    if len(with_comma):
        grouped = _all(pc.match_substring_regex(with_comma, _GROUPED))
        decimal = _all(pc.match_substring_regex(with_comma, f"{_COMMA}|{_GROUPED_COMMA}"))
        points = _any(pc.match_substring_regex(given, r"\.\d")) and not _any(
            pc.match_substring_regex(given, _GROUPED_COMMA)
        )
        if decimal and grouped and not (commas or points):
            where = pc.index(array.cast(pa.string()), with_comma[0]).as_py()
            raise CellError(
                None if where < 0 else where,
                "which could be a decimal comma or parted thousands; write a decimal point",
            )
        if decimal and not points:
            comma = True
            cells = pc.replace_substring(cells, pattern=".", replacement="")
            cells = pc.replace_substring(cells, pattern=",", replacement=".")
        elif grouped:
            cells = pc.replace_substring(cells, pattern=",", replacement="")
    try:
        return cells.cast(pa.float64()), comma
    except pa.ArrowInvalid as error:
        raise CellError(_first_that_fails(cells), "expected a number") from error


def _all(mask: Any) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(mask).as_py())


def _any(mask: Any) -> bool:
    import pyarrow.compute as pc

    return bool(pc.any(mask).as_py())


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
