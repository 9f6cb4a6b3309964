"""What a killed process left behind: files it had not yet given their name."""

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
    """Remove temporary files that nothing has written to for long; return how many there were.

    Args:
        folder: Where they are looked for, and in all folders below.
        age: Seconds; younger ones may be another runner's, in the making.

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
