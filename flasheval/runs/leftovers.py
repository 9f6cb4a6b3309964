"""Removing temporary files that killed processes left behind."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["remove_leftovers"]

_TEMPORARY = re.compile(r"\.tmp-[0-9a-f]{12}")  # as flasheval.base.files.atomic_write names them
_HOUR = 3600.0  # no file of a run takes nearly as long to write


def remove_leftovers(folder: Path, age: float = _HOUR) -> int:
    """Remove temporary files that have not changed for ``age`` seconds; return how many.

    Args:
        folder: The folder to search, with all folders below.
        age: Seconds; younger files may still be written by another runner.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / ".tmp-0123456789ab").touch()
    ...     remove_leftovers(Path(folder)), remove_leftovers(Path(folder), age=-1.0)
    (0, 1)

    """
    removed, before = 0, time.time() - age
    for place, _, names in os.walk(folder):
        for name in filter(_TEMPORARY.fullmatch, names):
            path = Path(place, name)
            with suppress(OSError):  # another runner was first
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
    return removed
