"""The folder of a watch: the reports, and a record of each evaluated checkpoint.

``checkpoints/NAME.json`` is written after ``reports/NAME.json`` and marks the checkpoint as done: a
watch killed in between evaluates that one again, and no other. ``watch.json`` holds the settings
that all evaluations share.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flasheval.base.canonical import JSON, sha256_of
from flasheval.base.errors import ConflictError, DataError
from flasheval.base.files import atomic_write
from flasheval.base.json_data import from_plain, read_json, to_plain
from flasheval.evaluation.report import Report
from flasheval.evaluation.watching.checkpoint_files import Checkpoint
from flasheval.runs.claims import Claims
from flasheval.runs.run_plan import folder_name

__all__ = ["WatchFolder", "WatchRecord"]

_ASKED = "watch.json"


@dataclass(frozen=True)
class WatchRecord:
    """The record of one checkpoint that was evaluated or failed.

    Attributes:
        name: The checkpoint's name.
        step: Its training step, if known.
        content: The sha256 of its files.
        files: Sizes and times of the last change, to recognise the files without reading them.
        asked: The hash of the watch's settings.
        loader: The hash of the source of the user's loader, if there is one.
        reason: Why it could not be evaluated, in one line; None when it was.
        created: The time of the record, ISO 8601 in UTC.

    """

    name: str
    step: int | None
    content: str
    files: Mapping[str, tuple[int, ...]] = field(hash=False)
    asked: str
    loader: str | None = None
    reason: str | None = None
    created: str = ""

    def is_of(self, checkpoint: Checkpoint) -> bool:
        """Tell whether the checkpoint's files have the recorded sizes and times.

        >>> from flasheval.evaluation.watching.checkpoint_files import Checkpoint
        >>> record = WatchRecord("step-2", 2, "0a1b", {"step-2": (7, 1000)}, asked="")
        >>> record.is_of(Checkpoint("step-2", Path("step-2"), "path", 2, {"step-2": (7, 1000)}))
        True
        >>> record.is_of(Checkpoint("step-2", Path("step-2"), "path", 2, {"step-2": (9, 2000)}))
        False
        """
        return dict(self.files) == dict(checkpoint.files)


class WatchFolder:
    """The folder that a watch writes.

    Args:
        folder: The folder; made when something is written.
        asked: Everything but the checkpoints that the scores depend on, as JSON data.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = WatchFolder(Path(folder), {"seed": 0})
    ...     store.begin()
    ...     store.keep(WatchRecord("step-2", 2, "0a1b", {}, store.asked, reason="cut short"), None)
    ...     store.record("step-2").reason, list(store.records()), store.report("step-2")
    ('cut short', ['step-2'], None)

    """

    def __init__(self, folder: Path, asked: Mapping[str, JSON]) -> None:
        self.folder = folder
        self._asked = dict(asked)
        self.asked = sha256_of(self._asked, digits=17)
        self._reports: dict[str, tuple[tuple[int, int], Report]] = {}

    @cached_property
    def claims(self) -> Claims:
        """The claims of this process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Claims(self.folder / ".claims")

    def begin(self) -> None:
        """Save the settings, or check that the folder was written with the same ones.

        Raises ConflictError, naming the setting, when the folder has evaluations with others.
        """
        others = [one for one in self._all().values() if one.asked != self.asked]
        if any(one.reason is None for one in others):
            raise ConflictError(self._conflict())
        text = json.dumps(self._asked, indent=1, ensure_ascii=False) + "\n"
        path = self.folder / _ASKED
        if not path.exists() or path.read_bytes() != text.encode():
            with atomic_write(path) as temporary:
                temporary.write_text(text, "utf-8")

    def records(self) -> dict[str, WatchRecord]:
        """Return the records of checkpoints, by name; damaged files count as missing."""
        return {name: one for name, one in self._all().items() if one.asked == self.asked}

    def record(self, name: str) -> WatchRecord | None:
        """Return the record of one checkpoint, read now, or None."""
        found = self._read(self._path("checkpoints", name))
        return found if found is not None and found.asked == self.asked else None

    def report(self, name: str) -> Report | None:
        """Return a checkpoint's report, or None when there is none that can be read."""
        path = self._path("reports", name)
        try:
            state = path.stat()
            stamp = state.st_mtime_ns, state.st_size
            if self._reports.get(name, (None,))[0] != stamp:
                self._reports[name] = stamp, Report.load(path)
        except (OSError, DataError):
            return None
        return self._reports[name][1]

    def keep(self, record: WatchRecord, report: Report | None) -> None:
        """Write a checkpoint's report and then its record, replacing earlier ones."""
        path = self._path("reports", record.name)
        if report is None:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        else:
            report.save(path)
        with atomic_write(self._path("checkpoints", record.name)) as temporary:
            temporary.write_text(json.dumps(to_plain(record), ensure_ascii=False), "utf-8")

    def _all(self) -> dict[str, WatchRecord]:
        paths = sorted((self.folder / "checkpoints").glob("*.json"))
        read = [one for path in paths if (one := self._read(path)) is not None]
        return {one.name: one for one in read}

    def _read(self, path: Path) -> WatchRecord | None:
        try:
            return from_plain(WatchRecord, read_json(path), source=str(path))
        except DataError:
            return None

    def _path(self, kind: str, name: str) -> Path:
        kept = folder_name(name)
        if kept != name:  # two names must not share a file
            kept = f"{folder_name(name.replace('/', '_'))[:60]}-{_digest(name)}"
        return self.folder / kind / f"{kept}.json"

    def _conflict(self) -> str:
        before: Any = None
        with suppress(DataError):
            before = read_json(self.folder / _ASKED)
        there = before if isinstance(before, dict) else {}
        for key in dict.fromkeys([*self._asked, *there]):
            value = self._asked.get(key)
            if there and there.get(key) != value:
                old, new = (_shown(one) for one in (there.get(key), value))
                return (
                    f"{self.folder} holds evaluations with {key}={old}, not {key}={new}; name "
                    "another folder with out="
                )
        return f"{self.folder} holds evaluations of something else; name another with out="


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _shown(value: JSON) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
