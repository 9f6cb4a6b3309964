"""Reading the objects of a JSON file: JSON lines, a list of objects, or COCO captions."""

import json
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError
from flasheval.base.files import read_text

__all__ = ["Records", "read_document", "read_records"]

Records = list[tuple[str, dict[str, Any]]]


def read_records(path: Path, what: str) -> Records:
    r"""Return the objects of a JSON file, each with its place in words, such as ``line 3``.

    The file holds one object a line, one list of objects, or an object whose ``annotations`` are
    such a list. Raises DataError naming the file and the line or item that is not a JSON object.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.jsonl"
    ...     _ = file.write_text('{"id": 1}\n\n{"id": 2}\n')
    ...     read_records(file, "prompt file")
    [('line 1', {'id': 1}), ('line 3', {'id': 2})]
    """
    text = read_text(path, what)
    stripped = text.lstrip()
    if not stripped:
        raise DataError(f"{path} holds only white space; expected a {what}")
    if stripped[0] == "[":
        return _items(path, _whole(path, text), "item")
    if stripped[0] == "{" and _is_one_object(text):
        document = _whole(path, text)
        if "annotations" in document:
            return _items(path, document["annotations"], "annotation")
        if "\n" in stripped.strip():  # not one line of JSON lines
            raise DataError(
                f"{path} is one JSON object with the keys {_some(document)}; expected a list of "
                f"objects, or one object a line ({what})"
            )
    return _lines(path, text)


def read_document(path: Path, what: str) -> Any:
    """Return what a JSON file holds, None where it is not one document (JSON lines are many).

    Raises DataError when it cannot be read, or holds nothing.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.json"
    ...     _ = file.write_text('{"sd15": {"p1": 0.5}}')
    ...     read_document(file, "score file")
    {'sd15': {'p1': 0.5}}
    """
    text = read_text(path, what)
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        return None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:40]!r} occurs twice in one object")
    return found


def _is_one_object(text: str) -> bool:
    """Tell a JSON document from JSON lines: its first line is not a whole object."""
    first, _, rest = text.lstrip().partition("\n")
    if not rest.strip():
        return True
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        # A broken first line followed by whole ones is a broken file of JSON lines.
        second = rest.lstrip().partition("\n")[0].strip()
        return not (first.rstrip().endswith("}") and second.startswith("{"))
    return False


def _whole(path: Path, text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path} is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}; "
            "it may be cut short"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON that can be read: {error}") from error


def _some(document: dict[str, Any]) -> str:
    keys = [repr(key)[:40] for key in document]
    return ", ".join(keys[:4]) + (", ..." if len(keys) > 4 else "")


def _items(path: Path, items: Any, word: str) -> Records:
    if not isinstance(items, list):
        raise DataError(f"{path}: expected a list of objects, found a {type(items).__name__}")
    records: Records = []
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            raise DataError(f"{path} {word} {number}: expected an object, found {_kind(item)}")
        records.append((f"{word} {number}", item))
    if not records:
        raise DataError(f"{path} holds no objects; expected at least one")
    return records


def _kind(item: object) -> str:
    """Return what a value is, in JSON's words: the value itself may be a prompt."""
    kinds = {str: "a string", list: "a list", bool: "true or false", type(None): "null"}
    return kinds.get(type(item), "a number")


def _lines(path: Path, text: str) -> Records:
    records: Records = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line, object_pairs_hook=_without_repeats)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", error)
            if not isinstance(error, json.JSONDecodeError):
                raise DataError(f"{path} line {number}: {reason}") from error
            raise DataError(
                f"{path} line {number} is not valid JSON: {reason}; expected one object a line "
                "(is the file cut short?)"
            ) from error
        if not isinstance(item, dict):
            raise DataError(f"{path} line {number}: expected an object, found {_kind(item)}")
        records.append((f"line {number}", item))
    return records
