"""YAML files that users write: plain data, no key twice, nothing that unfolds without end."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from flasheval.base.errors import DataError
from flasheval.base.files import read_text

__all__ = ["read_yaml"]

_MOST = 1_000_000  # values once aliases are written out


class _Loader(yaml.SafeLoader):
    """Plain data only; a key that stands twice is an error, for one of the two would be lost."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if isinstance(key, Hashable) and lines.setdefault(key, line) != line:
                raise _RepeatedKeyError(f"{str(key)[:80]!r}", lines[key], line)
        return super().construct_mapping(node, deep)


class _RepeatedKeyError(Exception):
    pass


def read_yaml(path: Path, what: str) -> Any:
    """Return the plain data of a YAML file; ``${...}`` in it is text like any other.

    Args:
        path: The file.
        what: What it is, for messages.

    Raises:
        DataError: It cannot be read, is no YAML, has a key twice, or aliases that unfold to more
            than a million values.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.yaml"
    ...     _ = file.write_text("steps: 4")
    ...     read_yaml(file, "population file")
    {'steps': 4}

    """
    text = read_text(path, what)
    try:
        found = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
        size = _size(found, {})
    except _RepeatedKeyError as error:
        key, first, second = error.args
        raise DataError(
            f"{path} has the key {key} twice, in lines {first} and {second}; leave one of them out"
        ) from None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path} is not YAML: {reason}") from error
    except RecursionError as error:
        raise DataError(f"{path} is nested without end; write it plainly") from error
    if size > _MOST:
        raise DataError(
            f"{path} unfolds to more than {_MOST:,} values by its aliases (&, *); write it plainly"
        )
    return found


def _size(value: Any, known: dict[int, int]) -> int:
    """Return how many values there are once aliases are written out."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = _MOST  # for one that holds itself
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(one, known) for one in inner)
    return known[id(value)]
