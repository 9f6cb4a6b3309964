"""Comparing two models at growing prefixes of a subset, stopping when it is decided.

Designed prompts are no random sample, so nothing made for one applies. Instead the looks are fixed
beforehand, each has a calibration of its own (learnt with whole searches repeated, see
`flasheval.selection.calibration`), and the error allowed in all is shared out over them: the
probabilities of a wrong decision at the looks add up to no more than it, however the looks depend
on each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Table, View, lines
from flasheval.base.errors import DataError, SettingError
from flasheval.base.text import shortened
from flasheval.evaluation.comparison import compare
from flasheval.evaluation.difference_words import NAME_WIDTH, better_of, difference_cells, percent
from flasheval.evaluation.report import Report
from flasheval.subset.predictions import Difference

__all__ = [
    "Look",
    "SequentialComparison",
    "Source",
    "compare_in_looks",
    "spent_errors",
]

Source = Callable[[int], Report]
"""A function that returns the report on a subset's first ``size`` prompts; it may make images."""


@dataclass(frozen=True)
class Look:
    """The result of one look.

    Attributes:
        size: Number of prompts used so far.
        difference: First minus second on the full set, as predicted from them.
        error: Share of the allowed error that this look may spend.

    """

    size: int
    difference: Difference
    error: float

    @property
    def decided(self) -> bool:
        """Whether the sign is certain enough for the error that this look may spend, two-sided.

        >>> Look(10, Difference("clip", 0.1, 0.0, 0.2, 0.9, probability=0.994), 0.01).decided
        False
        """
        return self.difference.certainty >= 1 - self.error / 2


@dataclass(frozen=True)
class SequentialComparison(Shown):
    """Looks at two models, up to the one that decided.

    Attributes:
        metric: The metric.
        error: The error allowed over all looks, see `compare_in_looks`.
        looks: One or more, of growing size.

    """

    metric: str
    error: float
    looks: tuple[Look, ...]

    @property
    def better(self) -> Literal["first", "second"] | None:
        """The model that is better on the full set; None when it was not decided.

        >>> difference = Difference("clip", -0.1, -0.2, -0.05, 0.9, probability=0.001)
        >>> SequentialComparison("clip", 0.05, (Look(10, difference, 0.05),)).better
        'second'
        """
        last = self.looks[-1]
        if not last.decided:
            return None
        return "first" if last.difference.probability > 0.5 else "second"

    @property
    def size(self) -> int:
        """The number of prompts used."""
        return self.looks[-1].size

    def view(self, first: str = "the first", second: str = "the second") -> View:
        """Return after how many prompts it is decided, one row a look, and the warnings.

        Args:
            first: Name of the first.
            second: Name of the second.

        """
        last = self.looks[-1]
        one, chance = better_of(first, second, last.difference)
        after = f"after {last.size} prompt{'' if last.size == 1 else 's'}"
        if last.decided:
            said = f"Decided {after}: {one} is better in {self.metric} on the full set ({chance})."
        else:
            said = f"Not decided {after}: {one} may be better in {self.metric} ({chance})."
        rows = [
            (
                str(look.size),
                *difference_cells(look.difference),
                percent(1 - look.error / 2),
                "yes" if look.decided else "no",
            )
            for look in self.looks
        ]
        titles = (
            "\nprompts",
            f"full set's\ndifference ({last.difference.level:.0%})",
            "first is\nbetter",
            "to be\ndecided",
            "\ndecided",
        )
        about = (
            f"{shortened(first, NAME_WIDTH)} less {shortened(second, NAME_WIDTH)}; over all looks "
            f"two equal models are told apart with {percent(self.error)} at most"
        )
        warnings = dict.fromkeys(look.difference.warning for look in self.looks)
        shown = lines((warning for warning in warnings if warning), "warning")
        return View((Line(said, "headline"), Line(about), Line(""), Table(titles, rows, 0), *shown))


def compare_in_looks(
    first: Source,
    second: Source,
    looks: Sequence[int],
    *,
    metric: str,
    error: float = 0.05,
    related: bool = True,
) -> SequentialComparison:
    """Compare two models look by look, until it is decided or the looks are used up.

    Args:
        first: Returns the first model's report on a number of prompts, such as `Report.prefix`.
        second: The same for the second model.
        looks: Numbers of prompts, ascending; `Subset.calibrated_sizes`, or some of them.
        metric: The metric; no other is used.
        error: Probability, over all looks, of deciding between two models with equal full scores.
            For two that differ, the wrong one is named at most half as often.
        related: As for `flasheval.compare`.

    Raises:
        SettingError: Looks that do not ascend, or an error outside (0, 1).
        MissingScoresError: A prompt of a look has no score.
        DataError: Reports that cannot be compared or are not of the look's prompts, or no
            calibration at a look.

    >>> from flasheval.evaluation.report import MetricScores
    >>> from flasheval.subset.library import find_subset
    >>> subset = find_subset("coco-shared-50")
    >>> good, bad = (Report(subset, 0, {"CLIP": MetricScores("1", True, (mean,) * subset.size)})
    ...              for mean in (0.27, 0.24))
    >>> found = compare_in_looks(good.prefix, bad.prefix, subset.calibrated_sizes, metric="CLIP")
    >>> found.better, found.size == subset.calibrated_sizes[0]  # decided at the first look
    ('first', True)

    """
    found: list[Look] = []
    for size, allowed in zip(looks, spent_errors(looks, error), strict=True):
        compared = compare(first(size), second(size), metrics=metric, related=related)
        if compared.size != size:
            raise DataError(
                f"a look at {size} prompts was given reports of {compared.size}; give it their "
                "prefix"
            )
        if metric not in compared.full:
            raise DataError(
                f"{metric} is not calibrated at {size} prompts; search with nested="
                f"[{','.join(map(str, looks))}] for a subset that is at each look"
            )
        found.append(Look(size, compared.full[metric], allowed))
        if found[-1].decided:
            break
    return SequentialComparison(metric, error, tuple(found))


def spent_errors(looks: Sequence[int], error: float) -> tuple[float, ...]:
    """Split an error over looks in proportion to the prompts that each adds.

    On variants held out of the official scores and the miniature this linear spending (Kim and
    DeMets 1987, Biometrika 74, 149, rho = 1) decided 1 to 2 of 100 pairs more than Pocock's shape,
    and 2 to 5 more than equal shares, for one or two prompts more on average; most at the last
    look (rho = 2) decided another 2 to 3 for another 2 or 3 prompts. The looks' errors go together
    (correlations .6 to .8), which would let 1 or 2 of 100 pairs more be decided, but the sum holds
    without knowing how, and far out in the tails the calibrations are least sure.

    Raises SettingError for looks that do not ascend and an error outside (0, 1).

    >>> [round(one, 4) for one in spent_errors((10, 20, 50), 0.05)]
    [0.01, 0.01, 0.03]
    """
    if not looks or list(looks) != sorted(set(looks)) or looks[0] < 1:
        raise SettingError(f"looks={list(looks)}: expected ascending numbers of prompts")
    if not 0 < error < 1:
        raise SettingError(f"error={error}: expected a number between 0 and 1, such as 0.05")
    before = [0, *looks[:-1]]
    return tuple(error * (now - last) / looks[-1] for now, last in zip(looks, before, strict=True))
