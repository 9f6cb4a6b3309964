"""Answers of endpoints on disk, so that none is paid for twice, whatever kills a run."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError

__all__ = ["AnswerCache"]

_FILE = "answers.sqlite"
_MANY = 500  # keys asked for at a time


class AnswerCache:
    """Answers by key, in one file of a folder, shared by processes and threads.

    An answer is there from the moment that `put` returns, unless the machine itself stops.

    Args:
        folder: The folder; it is made where it is missing.

    Raises DataError when it cannot be opened.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = AnswerCache(Path(folder))
    ...     cache.put("key", {"text": "yes"})
    ...     found = cache.get(["key", "other"])
    ...     cache.close()
    >>> found
    {'key': {'text': 'yes'}}

    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / _FILE
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(
                self.path, timeout=60, isolation_level=None, check_same_thread=False
            )
            # Not WAL: it needs memory that several machines on one network folder do not share.
            self._base.execute("PRAGMA journal_mode=TRUNCATE")
            self._base.execute("PRAGMA synchronous=NORMAL")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS answers "
                "(key TEXT PRIMARY KEY, body TEXT NOT NULL, made REAL NOT NULL) WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            raise DataError(self._cannot(error)) from error

    def get(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return the answers that are there, by key. Raises DataError when it cannot be read."""
        found: dict[str, Any] = {}
        with self._lock:
            for start in range(0, len(keys), _MANY):
                some = list(keys[start : start + _MANY])
                marks = ",".join("?" * len(some))
                try:
                    rows = self._base.execute(
                        f"SELECT key, body FROM answers WHERE key IN ({marks})",  # noqa: S608 # question marks only
                        some,
                    ).fetchall()
                except sqlite3.Error as error:
                    raise DataError(self._cannot(error)) from error
                for key, body in rows:
                    try:
                        found[key] = json.loads(body)
                    except ValueError:
                        continue  # asked again, and written anew
        return found

    def put(self, key: str, answer: Any) -> None:
        """Keep an answer, in place of an older one. Raises DataError when it cannot be written."""
        body = json.dumps(answer, ensure_ascii=False)
        with self._lock:
            try:
                self._base.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, body, time.time())
                )
            except sqlite3.Error as error:
                raise DataError(self._cannot(error)) from error

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def _cannot(self, error: Exception) -> str:
        return (
            f"the answers kept in {self.path} cannot be used ({error}); mend or remove that file, "
            "or name another folder: endpoint.cache"
        )
