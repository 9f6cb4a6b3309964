"""What an importer is."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from flasheval.scores.importers.result import ImportResult

__all__ = ["Importer"]


class Importer(Protocol):
    """Reads scores in some layout: a frozen dataclass, its fields the settings."""

    name: ClassVar[str]

    def read(self, source: Any) -> ImportResult:
        """Read the source, a path mostly, into a table, with all that is wrong in it.

        Raises DataError where it cannot be read.
        """
        ...
