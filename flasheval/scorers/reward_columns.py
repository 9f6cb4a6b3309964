"""The columns of a prompt file, which reward functions read beside the prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError
from flasheval.base.files import content_suffix
from flasheval.base.table_files import TABLE_SUFFIXES, read_columns
from flasheval.prompts.documents import prompts_in
from flasheval.prompts.prompt_columns import found_prompts

__all__ = ["RewardColumns", "file_hash", "read_reward_columns"]


@dataclass(frozen=True)
class RewardColumns:
    """The rows of a prompt file by the prompt's text, and its columns beside the texts.

    >>> columns = RewardColumns("p.jsonl", ("answer",), {"a cat": {"prompt": "a cat", "answer": 1}})
    >>> columns.by_name(["a cat", "a cat"]), columns.rows(["a cat"])
    ({'answer': [1, 1]}, ({'prompt': 'a cat', 'answer': 1},))
    """

    path: str
    names: tuple[str, ...]
    row_of: Mapping[str, Mapping[str, Any]]

    def rows(self, prompts: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """Return the row of each prompt. Raises DataError for a prompt the file does not have."""
        for text in prompts:
            if text not in self.row_of:
                raise DataError(
                    f"columns={self.path} has no prompt {text[:60]!r}; give the file that the "
                    "prompts scored come from"
                )
        return tuple(dict(self.row_of[text]) for text in prompts)

    def by_name(self, prompts: Sequence[str]) -> dict[str, list[Any]]:
        """Return each column as a list with one entry a prompt; None where a cell is empty."""
        rows = self.rows(prompts)
        return {name: [row.get(name) for row in rows] for name in self.names}


def read_reward_columns(path: str) -> RewardColumns:
    """Read a prompt file's columns. Raises DataError for plain text, and for a text of two rows.

    Lists and objects of JSON stay what they are; cells that are empty or null are left out.
    """
    if content_suffix(Path(path)) not in TABLE_SUFFIXES:
        raise DataError(f"columns={path} is plain text, which has no columns; give a table or JSON")
    table = read_columns(Path(path), "prompt file", records_in=prompts_in)
    found = found_prompts(table, None, None, want="required")
    arrays = {name: table.fetch([name])[0].to_pylist() for name in table.names}
    rows: dict[str, dict[str, Any]] = {}
    texts = found.texts or ()
    for text, number in zip(texts, found.rows, strict=True):
        row = {name: _known(cells[number]) for name, cells in arrays.items()}
        row = {name: cell for name, cell in row.items() if cell is not None}
        before = rows.setdefault(text, row)
        if any(before.get(name) != row.get(name) for name in arrays if name not in found.taken):
            raise DataError(
                f"columns={path}: two rows of the prompt {text[:60]!r} differ; a reward function "
                "is told prompts apart by their texts, so keep one"
            )
    held = {name for name, cells in arrays.items() if tuple(cells) != texts}
    return RewardColumns(path, tuple(name for name in table.names if name in held), rows)


def file_hash(path: str) -> str:
    """Return the sha256 of a file, in hex. Raises DataError where it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"columns={path} cannot be read: {error.strerror or error}") from error


def _known(value: Any) -> Any:
    """Return a value without the nulls that a column of objects has where an object lacks a key."""
    if isinstance(value, dict):
        return {key: _known(one) for key, one in value.items() if one is not None}
    return [_known(one) for one in value] if isinstance(value, list) else value
