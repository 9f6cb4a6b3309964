"""Canonical JSON: one text, and so one hash, for one meaning.

A content hash must not depend on the order of keys, on white space, on the last digits of a float
or on whether a whole number was written ``2`` or ``2.0``. The rules, in the spirit of RFC 8785:

- keys sorted by code point, no white space, UTF-8, nothing escaped that need not be;
- floats rounded to 6 significant digits; one that is then whole is written as an integer, so
  ``2.0`` and ``2`` are the same, and so are ``-0.0`` and ``0``;
- integers exact, as far as the range of a float goes (1,024 bits);
- NaN, infinities, keys that are not strings and anything JSON has no word for are refused.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError

__all__ = ["JSON", "canonical_json", "canonical_value", "sha256_of", "sha256_of_array"]

if TYPE_CHECKING:
    JSON: TypeAlias = bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"] | None
else:  # a recursive alias cannot be evaluated, and flasheval.base.json_data evaluates annotations
    JSON = object

SIGNIFICANT_DIGITS = 6
_MAX_DEPTH = 64  # far beyond any manifest, far below the interpreter's recursion limit
_MAX_BITS = 1024  # Python itself stops turning integers into text at 4,300 digits


def canonical_value(
    value: object, *, path: str = "value", digits: int = SIGNIFICANT_DIGITS
) -> JSON:
    """Return ``value`` as plain JSON data with its floats in canonical form.

    ``value`` may hold None, bool, int, float, str, lists, tuples, mappings and NumPy scalars.
    Tuples become lists, NumPy scalars become Python numbers. Applying it twice changes nothing.
    17 ``digits`` keep every float as it is.

    Raises DataError for NaN, an infinity, a key that is not a string, a string that UTF-8 cannot
    hold, an integer of over 1,024 bits, nesting deeper than 64 levels, or a type that JSON has no
    word for. The message names the key path, such as ``settings.pools[2]``; it starts with
    ``path``.

    >>> canonical_value({"lambda": 2.0, "share": 1 / 30, "pools": (500, 100)})
    {'lambda': 2, 'share': 0.0333333, 'pools': [500, 100]}
    """
    return _canonical(value, path, digits, 0)


def canonical_json(value: object, *, path: str = "value", digits: int = SIGNIFICANT_DIGITS) -> str:
    """Return the canonical JSON text of ``value``.

    Raises DataError as :func:`canonical_value` does.

    >>> canonical_json({"b": 0.1 + 0.2, "a": [True, None, "é"]})
    '{"a":[true,null,"é"],"b":0.3}'
    """
    plain = canonical_value(value, path=path, digits=digits)
    return json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256_of(value: object, *, path: str = "value", digits: int = SIGNIFICANT_DIGITS) -> str:
    """Return the sha256 of the UTF-8 canonical JSON of ``value``: 64 lower-case hex digits.

    Raises DataError as :func:`canonical_value` does.

    >>> sha256_of([]) == hashlib.sha256(b"[]").hexdigest()
    True
    >>> sha256_of({"a": 1, "b": 2.0}) == sha256_of({"b": 2, "a": 1.0000000001})
    True
    """
    return hashlib.sha256(canonical_json(value, path=path, digits=digits).encode()).hexdigest()


def _canonical(value: object, path: str, digits: int, depth: int) -> JSON:
    if depth > _MAX_DEPTH:
        raise DataError(f"{_short(path)} is nested deeper than {_MAX_DEPTH} levels; flatten it")
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if value.bit_length() > _MAX_BITS:
            raise DataError(f"{_short(path)} is an integer of over {_MAX_BITS} bits; use a string")
        return int(value)
    if isinstance(value, float):
        return _canonical_float(float(value), path, digits)
    if isinstance(value, str):
        return _canonical_text(value, path)
    if isinstance(value, Mapping):
        return {
            _canonical_key(key, path): _canonical(item, f"{path}.{key}", digits, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_canonical(item, f"{path}[{i}]", digits, depth + 1) for i, item in enumerate(value)]
    raise DataError(
        f"{_short(path)} is a {type(value).__name__}, which JSON cannot hold; "
        "use numbers, strings, lists, mappings, true, false or null"
    )


def _canonical_float(value: float, path: str, digits: int) -> int | float:
    if not math.isfinite(value):
        raise DataError(f"{_short(path)} is {value}; a finite number is expected: leave it out")
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded.is_integer() else rounded


def _canonical_text(value: str, path: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"{_short(path)} holds half of a surrogate pair, which UTF-8 cannot hold; mend the text"
        ) from None
    return str.__str__(value)  # str() of a text enumeration would be its name


def _canonical_key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise DataError(f"{_short(path)} has the key {key!r}; keys must be strings")
    return _canonical_text(key, f"a key of {path}")


def _short(path: str) -> str:
    return path if len(path) <= 120 else f"{path[:80]}...{path[-30:]}"


def sha256_of_array(array: NDArray[Any]) -> str:
    """Return the sha256, in hex, of an array's numbers as they lie in memory, row by row.

    Exact, unlike `sha256_of`: it tells arrays apart that differ in a last bit, and says nothing of
    shape or dtype.

    >>> sha256_of_array(np.zeros((2, 3))) == sha256_of_array(np.zeros((3, 2)).T)
    True
    """
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
