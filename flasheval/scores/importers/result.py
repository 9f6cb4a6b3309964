"""The result of an import: the score table and the list of faults."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from flasheval.base.drawing.brief import Brief
from flasheval.scores.table import ScoreTable

__all__ = ["Fault", "ImportResult", "Problem"]

Problem = Literal[
    "another data set",
    "empty",
    "not readable",
    "not numeric",
    "not finite",
    "repeated prompts",
    "unknown prompts",
    "incomplete",
    "unknown name",
    "missing",
    "absent",
    "unmeasured prompts",
]


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a source: where, what, and what it means for the table.

    ``path`` is relative to the source's root. ``metric`` and ``variant`` are None where the
    fault is of all of them. ``problem`` is one of a few words to filter by: of files
    ``another data set``, ``empty``, ``not readable``, ``not numeric``, ``not finite``,
    ``repeated prompts`` (these give no scores), ``unknown prompts``, ``incomplete`` (these give
    the scores they have) and ``unknown name`` (not read); of what is not there ``missing`` (a
    variant lacks one metric's file), ``absent`` (an expected variant has no file at all) and
    ``unmeasured prompts`` (left out of the prompt set). ``detail`` is a sentence.

    >>> str(Fault("CLIP/sd15/a.json", "CLIP", "sd15/DDIM50/fp", "empty", "the file has no bytes"))
    'CLIP/sd15/a.json: empty: the file has no bytes'
    """

    path: str
    metric: str | None
    variant: str | None
    problem: Problem
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}: {self.detail}"


@dataclass(frozen=True, eq=False, repr=False)
class ImportResult(Brief):
    """A table and its faults; faulty scores are NaN in the table.

    ``how`` says in one line how the source was read, where the layout had to be told.
    """

    table: ScoreTable
    faults: tuple[Fault, ...] = ()
    how: str = ""

    @property
    def bad_files(self) -> tuple[Fault, ...]:
        """The faults of files that exist, without the faults about missing files.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> faults = tuple(Fault("a.json", "CLIP", "x", why, "") for why in ("empty", "missing"))
        >>> [fault.problem for fault in ImportResult(synthetic_scores(4, 6), faults).bad_files]
        ['empty']
        """
        return tuple(
            fault
            for fault in self.faults
            if fault.problem not in ("missing", "absent", "unmeasured prompts")
        )

    def summary(self) -> str:
        """Return one line that says what was read and counts the faults of each kind.

        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> fault = Fault("CLIP", "CLIP", "x", "missing", "x has no file")
        >>> ImportResult(synthetic_scores(4, 6), (fault,)).summary()
        '4 variants, 6 prompts, metrics quality, alignment; faults: 1 missing'
        """
        table = self.table
        read = (
            f"{len(table)} variants, {table.n_prompts} prompts, metrics {', '.join(table.metrics)}"
        )
        counts = Counter(fault.problem for fault in self.faults)
        faults = ", ".join(f"{count} {problem}" for problem, count in counts.items())
        return f"{read}; faults: {faults or 'none'}"
