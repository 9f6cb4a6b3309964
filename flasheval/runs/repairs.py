"""A log of the damaged files that a run made again."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Repair", "RepairLog"]


@dataclass(frozen=True)
class Repair:
    """A file that was found damaged and made again.

    Attributes:
        path: The file, relative to the run folder.
        reason: What was wrong with it.

    """

    path: str
    reason: str


class RepairLog:
    """The log of repairs of a run, shared by all its workers.

    Args:
        folder: The run folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = RepairLog(Path(folder))
    ...     before = log.end()
    ...     log.note(Path(folder) / "units" / "a.json", "it is cut short")
    ...     log.since(before)
    [Repair(path='units/a.json', reason='it is cut short')]

    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / "repairs.jsonl"

    def note(self, path: Path, reason: str) -> None:
        """Add a file. Raises OSError when the log cannot be written."""
        where = path.relative_to(self._folder).as_posix()
        line = {"time": round(time.time(), 3), "path": where, "reason": reason}
        # One write at the end of the file, so that the lines of two workers do not mix.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(descriptor, f"{json.dumps(line)}\n".encode())
        finally:
            os.close(descriptor)

    def end(self) -> int:
        """Return the length of the log in bytes, for `since`."""
        return self._path.stat().st_size if self._path.exists() else 0

    def since(self, end: int) -> list[Repair]:
        """Return the repairs added after ``end`` bytes; damaged lines are skipped."""
        if not self._path.exists():
            return []
        found = []
        for line in self._path.read_bytes()[end:].splitlines():
            try:
                body = json.loads(line)
                found.append(Repair(str(body["path"]), str(body["reason"])))
            except (ValueError, LookupError, TypeError):
                continue
        return found
