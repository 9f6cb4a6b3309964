"""A record of the steps a tracker has logged, so that a resumed training repeats none."""

from __future__ import annotations

import json
from pathlib import Path

from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write
from flasheval.base.json_data import read_json

__all__ = ["LoggedSteps"]


class LoggedSteps:
    """The logged steps by kind, and other things logged once, in a small JSON file.

    A step is noted before it is logged: if the process is killed in between, the step is missing
    rather than there twice.

    Args:
        path: The file; read when it exists, made at the first note.

    Raises DataError when the file holds anything else.

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
        """Note that something is logged; return False when it was noted before."""
        known = self._known.setdefault(kind, [])
        if what in known:
            return False
        known.append(what)
        with atomic_write(self.path) as temporary:
            temporary.write_text(json.dumps(self._known) + "\n", encoding="utf-8")
        return True

    def count(self, *kinds: str) -> int:
        """Return the number of notes of these kinds.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     steps = LoggedSteps(Path(folder) / "steps.json")
        ...     for kind, step in (("scalars", 100), ("scalars", 200), ("reports", 100)):
        ...         _ = steps.note(kind, step)
        ...     steps.count("scalars"), steps.count("scalars", "reports")
        (2, 3)
        """
        return sum(len(self._known.get(kind, ())) for kind in kinds)
