"""What a comparison of methods found, as the code that puts it into words sees it."""

from __future__ import annotations

from typing import Protocol

from flasheval.selection.held_out.contenders import Contender
from flasheval.selection.held_out.records import LearningCurve, RandomCurve, SplitKind, Summary

__all__ = ["Findings"]


class Findings(Protocol):
    """The fields of `ValidationReport` that tables and sentences are made of."""

    @property
    def prompt_set(self) -> str:
        """Name of the prompt set."""

    @property
    def n_prompts(self) -> int:
        """Prompts in it."""

    @property
    def n_variants(self) -> int:
        """Complete variants."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics."""

    @property
    def kinds(self) -> tuple[SplitKind, ...]:
        """The kinds of splits."""

    @property
    def methods(self) -> tuple[Contender, ...]:
        """`random` first, then as given."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Ascending."""

    @property
    def main_size(self) -> int:
        """The size that was given first."""

    @property
    def reference(self) -> str | None:
        """Label of the method the others are paired with."""

    @property
    def cluster(self) -> str | None:
        """The factor whose groups were drawn again."""

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """One per kind, method, size and metric."""

    @property
    def curves(self) -> tuple[RandomCurve, ...]:
        """The random curve per kind and metric."""

    @property
    def learning(self) -> tuple[LearningCurve, ...]:
        """Agreement by number of search variants."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a reader should know."""

    def summary(
        self,
        kind: str | None = None,
        method: str | None = None,
        size: int | None = None,
        metric: str | None = None,
    ) -> Summary:
        """Return one summary."""
