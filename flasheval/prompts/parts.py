"""The parts of a prompt set, as a protocol for the code that describes one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self

from numpy.typing import ArrayLike

__all__ = ["PromptParts"]


class PromptParts(Protocol):
    """Ids, texts and columns, all of one length: what a `PromptSet` holds."""

    @property
    def name(self) -> str:
        """The set's name."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Each prompt's id."""

    @property
    def texts(self) -> tuple[str, ...] | None:
        """The texts; None where they are not known."""

    @property
    def text_hashes(self) -> tuple[str, ...] | None:
        """The hashes of the texts; None where they are not known."""

    @property
    def extras(self) -> Mapping[str, tuple[str, ...]]:
        """Further columns."""

    @property
    def hash(self) -> str:
        """The hash of ids and texts."""

    @property
    def tags(self) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """The values of each prompt, by tag."""

    def __len__(self) -> int: ...

    def column(self, name: str, key: str) -> tuple[str, ...]:
        """Return a further column; SettingError for one that is not there."""

    def take(self, indices: ArrayLike) -> Self:
        """Return the prompts at some places."""
