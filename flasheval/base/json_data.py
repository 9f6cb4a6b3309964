"""JSON: plain records converted to and from JSON data, and JSON files read and written.

A *plain record* is a frozen dataclass whose fields are strings, numbers, booleans, None, literals,
tuples, string-keyed mappings, JSON data and other plain records. Its annotations say what may
stand in the JSON, so reading checks every value and names the one at fault by its key path.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NoReturn,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import atomic_write, read_text
from flasheval.base.suggest import nearest

__all__ = ["check_keys", "from_plain", "plain_data", "read_json", "to_plain", "write_json"]

T = TypeVar("T")
_MAX_BITS = 1000  # what a float can hold, so that nothing computed with it ends in an overflow


def to_plain(value: object) -> Any:
    """Return a plain record, or whatever its fields may hold, as JSON data.

    Tuples become lists and records objects; a field that equals its default is left out.

    >>> from flasheval.subset.evidence import Spread
    >>> to_plain(Spread(0.5, low=0.25, high=0.75))
    {'mean': 0.5, 'low': 0.25, 'high': 0.75}
    """
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: to_plain(item) for field, item in pairs if item != _default(field)}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def plain_data(value: object) -> Any:
    """Return whatever a result holds as plain data for JSON.

    Records become objects of all their fields, what has a `to_dict` the result of that, arrays and
    tuples lists, keys and all other values texts; a number that is not finite is None.

    >>> plain_data({"scores": np.array([0.5, np.nan]), 1: (Path("a"), np.int64(2))})
    {'scores': [0.5, None], '1': ['a', 2]}
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain_data(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return list(map(plain_data, value))
    if callable(as_dict := getattr(value, "to_dict", None)):
        return as_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain_data(getattr(value, one.name)) for one in fields(value)}
    return str(value)


def from_plain(cls: type[T], value: object, *, path: str = "", source: str = "data") -> T:
    """Return the record of type ``cls`` that the JSON data ``value`` describes.

    ``source`` (a file's name) and ``path`` (the key path of ``value`` in it) go into the message.

    Raises DataError for a missing key, a key that ``cls`` does not know, a value of another type,
    a number that is not finite, and whatever ``cls`` itself refuses.

    >>> from flasheval.subset.evidence import Spread
    >>> from_plain(Spread, {"mean": 0.5, "low": 0.25, "high": "x"}, source="a.json")
    Traceback (most recent call last):
    flasheval.base.errors.DataError: a.json: high is "x"; expected a number
    """
    return cast("T", _read(cls, value, path, source))


def check_keys(cls: Any, settings: Mapping[str, object], called: str) -> None:
    """See that the dataclass ``cls`` has a field for each setting.

    ``called`` is what it is called in the message, such as ``method 'anneal'``.

    Raises SettingError naming the setting that is not there, those that are, and the nearest.

    >>> from flasheval.subset.evidence import Spread
    >>> check_keys(Spread, {"hihg": 1}, "spread")
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: spread has no setting 'hihg'; it has: mean, low, high, \
kind; did you mean 'high'?
    """
    known = [field.name for field in fields(cls)]
    for key in settings:
        if key not in known:
            raise SettingError(
                f"{called} has no setting {key!r}; it has: {', '.join(known) or 'none'}"
                f"{nearest(str(key), known)}"
            )


def read_json(path: str | Path) -> Any:
    """Return the JSON data in the UTF-8 file ``path``.

    Stricter than :func:`json.loads`: a key that occurs twice, NaN and Infinity are refused. Names
    ending in ``.gz`` or ``.xz`` are unpacked.

    Raises DataError when the file is missing, a folder, unreadable, empty, not UTF-8 or not JSON;
    the message names the line and column.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.json"
    ...     _ = file.write_text('{"size": 10, "size": 50}')
    ...     read_json(file)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: ...: not usable JSON (the key "size" occurs twice ...
    """
    text = read_text(path, "JSON file")
    if not text.strip():
        raise DataError(f"{path}: the file is empty; expected JSON")
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{path}: not JSON at {where} ({error.msg}); is it whole?") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not usable JSON ({error}); mend or replace the file") from None


def write_json(path: str | Path, data: object) -> Path:
    r"""Write JSON data to a file, indented, and return its path.

    The file is replaced only when all of it is written; see `flasheval.base.files.atomic_write`.

    Raises:
        DataError: The file cannot be written.
        TypeError: ``data`` holds a type that JSON cannot hold.
        ValueError: ``data`` holds NaN or an infinity.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_json(Path(folder) / "a.json", {"size": 50})
    ...     path.read_text(), read_json(path)
    ('{\n "size": 50\n}\n', {'size': 50})

    """
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def _read(hint: Any, value: object, path: str, source: str) -> object:
    """Check ``value`` against the annotation ``hint``: a branch for each kind a record may hold."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is object:
        return value
    if is_dataclass(hint):
        return _read_record(hint, value, path, source)
    if origin in (Union, UnionType):  # X | None is the only union there is
        inner = next(argument for argument in arguments if argument is not NoneType)
        return None if value is None else _read(inner, value, path, source)
    if origin is Literal:
        if value in arguments and isinstance(value, str):
            return value
        _wrong(value, path, source, "one of " + ", ".join(f'"{option}"' for option in arguments))
    if origin is tuple:
        if not isinstance(value, list | tuple):
            _wrong(value, path, source, "a list")
        return tuple(
            _read(arguments[0], item, f"{path}[{i}]", source) for i, item in enumerate(value)
        )
    if isinstance(origin, type) and issubclass(origin, Mapping):
        entries = _object(value, path, source)
        return {
            key: _read(arguments[1], item, _join(path, key), source)
            for key, item in entries.items()
        }
    return _read_scalar(hint, value, path, source)


def _read_scalar(hint: Any, value: object, path: str, source: str) -> object:
    value = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(value, int) and not isinstance(value, bool)
    if hint is float:
        if not whole and not isinstance(value, float):
            _wrong(value, path, source, "a number")
        try:
            number = float(cast("float", value))
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise DataError(f"{source}: {path or 'it'} is not finite; expected a finite number")
        return number
    if hint is int and not whole:
        _wrong(value, path, source, "a whole number")
    if hint is int and cast("int", value).bit_length() > _MAX_BITS:
        raise DataError(f"{source}: {path or 'it'} is a number of over {_MAX_BITS} bits; too large")
    if hint is bool and not isinstance(value, bool):
        _wrong(value, path, source, "true or false")
    if hint is str and not isinstance(value, str):
        _wrong(value, path, source, "a string")
    return value


def _read_record(cls: Any, value: object, path: str, source: str) -> object:
    entries = _object(value, path, source)
    hints = _hints(cls)
    for key in entries:
        if key not in hints:
            advice = nearest(key, hints) or f"; the keys are {', '.join(hints)}"
            raise DataError(f"{source}: {_join(path, key)} is not a known key{advice}")
    for field in fields(cls):
        if field.name not in entries and _default(field) is MISSING:
            raise DataError(f"{source}: {_join(path, field.name)} is missing; add it")
    read = {key: _read(hints[key], item, _join(path, key), source) for key, item in entries.items()}
    try:
        return cls(**read)
    except DataError as error:
        raise DataError(f"{source}: {path}: {error}" if path else f"{source}: {error}") from None


def _object(value: object, path: str, source: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        _wrong(value, path, source, "an object with string keys")
    return value


def _wrong(value: object, path: str, source: str, expected: str) -> NoReturn:
    raise DataError(f"{source}: {path or 'the top level'} is {_shown(value)}; expected {expected}")


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _join(path: str, key: str) -> str:
    key = key if key.isidentifier() else json.dumps(key)[:80]
    return f"{path}.{key}" if path else key


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


@cache
def _hints(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)  # those of class variables too, which are no keys
    return {field.name: hints[field.name] for field in fields(cls)}


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {json.dumps(twice)[:80]} occurs twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
