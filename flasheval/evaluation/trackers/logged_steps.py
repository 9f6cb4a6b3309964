"""Which steps a tracker has taken already, so that a resumed training does not repeat them."""

from __future__ import annotations

import json
from pathlib import Path

from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write
from flasheval.base.json_data import read_json

__all__ = ["LoggedSteps"]


class LoggedSteps:
    """Steps by kind, and whatever else comes once, in a small JSON file.

    What is noted counts as logged at once, before it is: where the process is killed in between, a
    step is lost rather than there twice.

    Args:
        path: The file; read where it exists, made at the first note.

    Raises DataError where it holds anything else.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "steps.json"
    ...     LoggedSteps(path).note("scalars", 100), LoggedSteps(path).note("scalars", 100)
    (True, False)

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, list[object]] = {}
        if path.exists():
            known = read_json(path)
            if not isinstance(known, dict) or not all(isinstance(v, list) for v in known.values()):
                raise DataError(f"{path}: expected steps by kind; it is no file of a tracker's")
            self._known = known

    def note(self, kind: str, what: int | str) -> bool:
        """Note that something is logged; False where it was before."""
        known = self._known.setdefault(kind, [])
        if what in known:
            return False
        known.append(what)
        with atomic_write(self.path) as temporary:
            temporary.write_text(json.dumps(self._known) + "\n", encoding="utf-8")
        return True

    def count(self, *kinds: str) -> int:
        """Return how many notes there are of some kinds."""
        return sum(len(self._known.get(kind, ())) for kind in kinds)
