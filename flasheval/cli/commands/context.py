"""What a command is given beside its settings, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flasheval.base.errors import FlashevalError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Context", "Outcome", "SearchSummary"]


@dataclass(frozen=True)
class Context:
    """Where a command prints and writes, and what was typed.

    Attributes:
        console: Where to print; a quiet one in a sweep.
        folder: The run folder, for a verb that has one.
        verb: The verb.
        command: The whole command line, for the log.
        label: The overrides that tell this job from the others of its sweep, for its progress.

    Example:
        >>> from rich.console import Console
        >>> context = Context(Console(), Path("runs/first"), verb="search")
        >>> context.folder.name, context.label
        ('first', '')

    """

    console: Console
    folder: Path = Path()
    verb: str = ""
    command: str = ""
    label: str = ""


@dataclass(frozen=True)
class SearchSummary:
    """One row of a sweep's table: what was asked and what was measured.

    Attributes:
        method: The method's name.
        size: Prompts chosen.
        metrics: The metrics served.
        search_tau: Mean tau on the variants searched, over metrics and splits.
        held_out_tau: Mean tau on the variants held out, and its range.
        held_out_low: See `held_out_tau`.
        held_out_high: See `held_out_tau`.
        random_tau: Mean tau of as many random prompts.
        equivalent: Equivalent random size as text, such as `248` or `<5`.
        fewer: The same over the size, such as `5.0x`.
        seconds: Wall time of the whole run.
        folder: Its run folder.
        interrupted: Whether it was cut short.

    """

    method: str
    size: int
    metrics: str
    search_tau: float | None
    held_out_tau: float | None
    held_out_low: float | None
    held_out_high: float | None
    random_tau: float | None
    equivalent: str
    fewer: str
    seconds: float
    folder: str
    interrupted: bool = False


@dataclass(frozen=True)
class Outcome:
    """How one command ended.

    Attributes:
        code: Its exit code, see `flasheval.cli.exit_codes`.
        summary: What it measured, for the table of a sweep.
        words: Its overrides, in a sweep.
        error: What it failed with, alone; in a sweep the line is printed at once.

    Example:
        >>> Outcome(0).error is None, Outcome(0).words
        (True, ())

    """

    code: int
    summary: SearchSummary | None = None
    words: tuple[str, ...] = ()
    error: FlashevalError | None = None
