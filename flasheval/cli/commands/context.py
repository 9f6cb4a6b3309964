"""What a command is given beside its settings, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.drawing.view import View
from flasheval.base.errors import FlashevalError
from flasheval.base.progress import ProgressBar
from flasheval.base.run_folders import MANIFEST

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "SUMMARIES",
    "Answer",
    "Context",
    "EvaluationSummary",
    "Outcome",
    "SearchSummary",
    "Sweep",
]


@dataclass(frozen=True)
class Sweep:
    """What a job knows of the sweep that it belongs to.

    Attributes:
        folder: The folder of the whole sweep.
        swept: The keys that differ between its jobs, each with all of its values as text.

    Example:
        >>> Sweep(Path("sweep"), {"steps": ("10", "20")}).swept["steps"]
        ('10', '20')

    """

    folder: Path
    swept: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Context:
    """Where a command prints and writes, and what was typed.

    Attributes:
        console: Where to print; a quiet one in a sweep.
        folder: The run folder, for a verb that has one.
        verb: The verb.
        command: The whole command line, for the log.
        label: The overrides that tell this job from the others of its sweep, for its progress.
        sweep: The sweep that the job belongs to; None for a job alone.
        shows_progress: Whether long work tells how far it is, on standard error.

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
    sweep: Sweep | None = None
    shows_progress: bool = True

    def progress(self, *, whole: bool = True) -> ProgressBar:
        """Return the progress of long work, for a ``with``; `whole` as for `ProgressBar`.

        >>> from rich.console import Console
        >>> with Context(Console()).progress() as report:
        ...     report("halves", 1.5, 10)
        """
        return ProgressBar(label=self.label, whole=whole, shown=self.shows_progress)


@dataclass(frozen=True)
class Answer:
    """What a command found, for programs: what ``json=true`` prints and ``flasheval show`` reads.

    Attributes:
        result: What has a `to_dict`, or plain data with ``kind`` and ``schema``.
        headline: The answer in one sentence; that of the view when empty.
        view: What was shown of it.
        warnings: What a reader must know, beside the view's.
        notes: How the inputs were read, and what they are.
        files: What was written, by a word for it.

    Example:
        >>> Answer({"kind": "subset", "schema": 1}, "50 prompts of coco").headline
        '50 prompts of coco'

    """

    result: object
    headline: str = ""
    view: View | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: Mapping[str, Path | str] = field(default_factory=dict)


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

    @property
    def result(self) -> str:
        """The file of the result; the folder is Hydra's to make."""
        return str(Path(self.folder, MANIFEST))

    def line(self) -> str:
        """Return the measurement in words."""
        tau = "-" if self.held_out_tau is None else f"{self.held_out_tau:.3f}"
        return f"held-out tau {tau}, {self.seconds:.1f} s"

    def row(self) -> dict[str, Any]:
        """Return the columns of a table of jobs."""
        return asdict(self)


@dataclass(frozen=True)
class EvaluationSummary:
    """One model of a sweep of evaluations.

    Attributes:
        model: Its name.
        subset: The subset's name.
        prompts: How many prompts that is.
        means: The mean of each metric on the subset.
        predicted: The predicted full score of each metric that has one.
        low: Lower ends of the predictions' intervals.
        high: Upper ends.
        seconds: Wall time of the evaluation, without loading.
        report: The report's file.

    """

    model: str
    subset: str
    prompts: int
    means: Mapping[str, float]
    predicted: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    seconds: float
    report: str

    @property
    def result(self) -> str:
        """The file of the result."""
        return self.report

    def line(self) -> str:
        """Return the measurement in words."""
        full = ", ".join(f"predicted {name} {value:.4g}" for name, value in self.predicted.items())
        means = ", ".join(f"mean {name} {value:.4g}" for name, value in self.means.items())
        return f"{full or means}, {self.seconds:.1f} s"

    def row(self) -> dict[str, Any]:
        """Return the columns of a table of jobs, those of each metric named after it."""
        row: dict[str, Any] = {"model": self.model, "subset": self.subset, "prompts": self.prompts}
        for name, mean in self.means.items():
            row[f"{name} mean"] = mean
            row[f"{name} predicted"] = self.predicted.get(name)
            row[f"{name} low"], row[f"{name} high"] = self.low.get(name), self.high.get(name)
        return {**row, "seconds": self.seconds, "report": self.report}


SUMMARIES: Mapping[str, type[SearchSummary] | type[EvaluationSummary]] = {
    one.__name__: one for one in (SearchSummary, EvaluationSummary)
}
"""What a job of a sweep can measure, by name."""


@dataclass(frozen=True)
class Outcome:
    """How one command ended.

    Attributes:
        code: Its exit code, see `flasheval.cli.exit_codes`.
        summary: What it measured, for the table of a sweep.
        words: Its overrides, in a sweep.
        error: What it failed with, alone; in a sweep the line is printed at once.
        reason: The same in one line, in a sweep.
        label: The overrides that tell the job from the others of its sweep.
        answer: What it found, for programs.
        document: The same as JSON data, where that is asked for.

    Example:
        >>> Outcome(0).error is None, Outcome(0).words
        (True, ())

    """

    code: int
    summary: SearchSummary | EvaluationSummary | None = None
    words: tuple[str, ...] = ()
    error: FlashevalError | None = None
    reason: str = ""
    label: str = ""
    answer: Answer | None = None
    document: Mapping[str, Any] | None = None
