"""The protocol of an export format."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["Format"]


class Format(Protocol):
    """An export format with its settings: a frozen dataclass whose fields are the settings.

    Attributes:
        name: Its name in the registry.
        binary: True when the file is not text.

    """

    name: ClassVar[str]
    binary: ClassVar[bool]

    @property
    def suffix(self) -> str | None:
        """The suffix that the file's reader requires; None when any will do."""

    def write(self, subset: Subset) -> bytes:
        """Return the file's bytes; a warning names information that is dropped.

        Raises DataError when the subset knows no texts, or the format cannot carry one.
        """

    def how(self, path: str) -> tuple[str, ...]:
        """Return lines that say how to use the file, such as the reader's arguments."""
