"""The folder of a watch: what was evaluated, from which files, and the reports.

``checkpoints/NAME.json`` is written after ``reports/NAME.json``, and says that it is done: a watch
killed in between does that one again, and no other. ``watch.json`` says what all of it was asked
with.
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
    """What came of one checkpoint.

    Attributes:
        name: The checkpoint's.
        step: Its training step, where known.
        content: The sha256 of its files.
        files: Their sizes and times of the last change, by which they are known again unread.
        asked: The hash of what the watch was asked with.
        loader: The hash of the source of the user's loader, where there is one.
        reason: Why it could not be evaluated, in one line; None where it was.
        created: ISO 8601 in UTC.

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
        """Tell whether the checkpoint's files are those it was made of, as far as that shows."""
        return dict(self.files) == dict(checkpoint.files)


class WatchFolder:
    """The folder that a watch writes.

    Args:
        folder: Where; made when something is written.
        asked: All that the scores depend on beside the checkpoints, as JSON data.

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
        """Write down what is asked, or see that the folder goes on with the same.

        Raises ConflictError where it holds evaluations of something else, and names what.
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
        """Return what is known of checkpoints, by name; damaged files count as absent."""
        return {name: one for name, one in self._all().items() if one.asked == self.asked}

    def record(self, name: str) -> WatchRecord | None:
        """Return what is known of one checkpoint now."""
        found = self._read(self._path("checkpoints", name))
        return found if found is not None and found.asked == self.asked else None

    def report(self, name: str) -> Report | None:
        """Return a checkpoint's report; None where there is none that can be read."""
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
        """Write a checkpoint's report and then its record; what was there of it goes."""
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
        for key, value in self._asked.items():
            if isinstance(before, dict) and before.get(key) != value:
                old, new = (_shown(one) for one in (before.get(key), value))
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
