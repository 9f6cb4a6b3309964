"""What a format is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from flasheval.subset.subset import Subset

__all__ = ["Format"]


class Format(Protocol):
    """A kind of file with its settings: a frozen dataclass, its fields the settings.

    Attributes:
        name: What it is called in the registry.
        binary: Whether it is no text.

    """

    name: ClassVar[str]
    binary: ClassVar[bool]

    @property
    def suffix(self) -> str | None:
        """The end of the file's name that its reader insists on; None for any."""

    def write(self, subset: Subset) -> bytes:
        """Return the file's bytes; warn of what it drops.

        Raises DataError when the subset knows no texts, or the format cannot carry one.
        """

    def how(self, path: str) -> tuple[str, ...]:
        """Return lines that say how to use the file: what to give to the reader, mostly."""
