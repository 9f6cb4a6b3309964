"""Comparing two models at growing prefixes of a subset, stopping when it is decided.

Designed prompts are no random sample, so nothing made for one applies. Instead the looks are fixed
beforehand, each has a calibration of its own (learnt with whole searches repeated, see
`flasheval.selection.calibration`), and the error allowed in all is shared out over them: the
probabilities of a wrong decision at the looks add up to no more than it, however the looks depend
on each other.

A look may be at more prompts or at more images of each prompt. Where the looks are not fixed but
chosen on the way it is by variances alone, see `flasheval.evaluation.look_plan`; the errors shared
out still add up to no more than the one allowed, whatever looks there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Table, View, lines
from flasheval.base.errors import DataError, SettingError
from flasheval.evaluation.comparison import compare, images_pair
from flasheval.evaluation.difference_words import better_of, difference_cells, percent
from flasheval.evaluation.look_plan import LookAt, LooksByCost, as_looks
from flasheval.evaluation.report import Report
from flasheval.subset.predictions import Difference
from flasheval.subset.two_stage import components_of

__all__ = [
    "Look",
    "Looks",
    "SequentialComparison",
    "Source",
    "compare_in_looks",
    "look_by_look",
    "spent_errors",
]

Source = Callable[..., Report]
"""A function that returns the report on a subset's first ``size`` prompts; it may make images.

Where looks say how many images of each prompt, it is called with that number too."""

Looks = Sequence[int | str | Sequence[int]]
"""Numbers of prompts, or pairs of prompts and images, as such or in words such as ``10x4``."""


@dataclass(frozen=True)
class Look:
    """The result of one look.

    Attributes:
        size: Number of prompts used so far.
        difference: First minus second on the full set, as predicted from them.
        error: Share of the allowed error that this look may spend.
        images: Images of each prompt, where looks are at several.

    """

    size: int
    difference: Difference
    error: float
    images: int | None = None

    @property
    def decided(self) -> bool:
        """Whether the sign is certain enough for the error that this look may spend, two-sided.

        >>> Look(10, Difference("clip", 0.1, 0.0, 0.2, 0.9, probability=0.994), 0.01).decided
        False
        """
        return self.difference.certainty >= 1 - self.error / 2


@dataclass(frozen=True, repr=False)
class SequentialComparison(Shown):
    """Looks at two models, up to the one that decided.

    Attributes:
        metric: The metric.
        error: The error allowed over all looks, see `compare_in_looks`.
        looks: One or more, of growing size.

    """

    kind = "looks"

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

    def _brief(self) -> str:
        said = "not decided" if self.better is None else f"the {self.better} is better"
        looks = f"{len(self.looks)} look{'' if len(self.looks) == 1 else 's'}"
        return f"{self.metric}, {said} after {self.size} prompts, {looks}"

    def _data(self) -> dict[str, object]:
        return {"better": self.better, "size": self.size, **super()._data()}

    def _rows(self) -> list[dict[str, object]]:
        keys = ("value", "low", "high", "probability")
        return [
            {
                "prompts": look.size,
                "images": look.images,
                **{key: getattr(look.difference, key) for key in keys},
                "error": look.error,
                "decided": look.decided,
            }
            for look in self.looks
        ]

    def view(self, first: str = "the first", second: str = "the second") -> View:
        """Return after how many prompts it is decided, one row a look, and the warnings.

        Args:
            first: Name of the first.
            second: Name of the second.

        """
        last = self.looks[-1]
        one, chance = better_of(first, second, last.difference)
        after = f"after {last.size} prompt{'' if last.size == 1 else 's'}"
        several = last.images is not None
        if several:
            after += f" x {last.images} image{'' if last.images == 1 else 's'}"
        if last.decided:
            said = f"Decided {after}: {one} is better in {self.metric} on the full set ({chance})."
        else:
            said = f"Not decided {after}: {one} may be better in {self.metric} ({chance})."
        rows = [
            (
                f"{look.size} x {look.images}" if several else str(look.size),
                *difference_cells(look.difference),
                percent(1 - look.error / 2),
                "yes" if look.decided else "no",
            )
            for look in self.looks
        ]
        titles = (
            "prompts\nx images" if several else "\nprompts",
            f"full set's\ndifference ({last.difference.level:.0%})",
            "first is\nbetter",
            "to be\ndecided",
            "\ndecided",
        )
        about = (
            f"{first} less {second}; over all looks "
            f"two equal models are told apart with {percent(self.error)} at most"
        )
        warnings = dict.fromkeys(look.difference.warning for look in self.looks)
        shown = lines((warning for warning in warnings if warning), "warning")
        return View((Line(said, "headline"), Line(about), Line(""), Table(titles, rows, 0), *shown))


def compare_in_looks(
    first: Source,
    second: Source,
    looks: Looks | LooksByCost,
    *,
    metric: str,
    error: float = 0.05,
    related: bool = True,
) -> SequentialComparison:
    """Compare two models look by look, until it is decided or the looks are used up.

    Args:
        first: Returns the first model's report on a number of prompts, such as `Report.prefix`.
        second: The same for the second model.
        looks: Numbers of prompts, ascending; `Subset.calibrated_sizes`, or some of them. Or pairs
            of prompts and images, as (10, 1), (10, 4), (50, 4), see `plan_looks`. Or a
            `LooksByCost`, which chooses them on the way.
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
    for look, _ in look_by_look(first, second, looks, metric=metric, error=error, related=related):
        found.append(look)
        if look.decided:
            break
    return SequentialComparison(metric, error, tuple(found))


def look_by_look(
    first: Source,
    second: Source,
    looks: Looks | LooksByCost,
    *,
    metric: str,
    error: float = 0.05,
    related: bool = True,
) -> Iterator[tuple[Look, Report]]:
    """Yield all looks that `compare_in_looks` may take, decided or not, and the first's report.

    Arguments and errors are those of `compare_in_looks`.

    >>> from flasheval.evaluation.report import MetricScores
    >>> from flasheval.subset.library import find_subset
    >>> subset = find_subset("coco-shared-50")
    >>> report = Report(subset, 0, {"CLIP": MetricScores("1", True, (0.27,) * subset.size)})
    >>> seen = look_by_look(report.prefix, report.prefix, (10, 50), metric="CLIP")
    >>> [(look.size, round(look.error, 3), one.subset.size) for look, one in seen]
    [(10, 0.01, 10), (50, 0.04, 50)]
    """
    _check_error(error)
    plan = looks if isinstance(looks, LooksByCost) else as_looks(looks)
    if isinstance(plan, LooksByCost):
        at, last = plan.first, plan.last
    else:
        at, last = plan[0], plan[-1]
    spent = 0
    while True:
        asked = (at.prompts,) if at.images is None else tuple(at)
        reports = first(*asked), second(*asked)
        allowed = error * (at.made - spent) / last.made
        yield _look_at(at, *reports, metric, allowed, related, plan), reports[0]
        spent, step = at.made, _next(plan, at, *reports, metric)
        if step is None:
            return
        at = step


def _look_at(
    at: LookAt,
    first: Report,
    second: Report,
    metric: str,
    allowed: float,
    related: bool,
    plan: tuple[LookAt, ...] | LooksByCost,
) -> Look:
    compared = compare(first, second, metrics=metric, related=related)
    counts = {first.images_per_prompt, second.images_per_prompt}
    if compared.size != at.prompts or (at.images is not None and counts != {at.images}):
        given = f"{compared.size}" + ("" if at.images is None else f" x {max(counts)}")
        wanted = f"{at.prompts} prompts" + ("" if at.images is None else f" x {at.images} images")
        raise DataError(f"a look at {wanted} was given reports of {given}; give it their prefix")
    if metric not in compared.full:
        every = plan.sizes if isinstance(plan, LooksByCost) else (one.prompts for one in plan)
        raise DataError(
            f"{metric} is not calibrated at {at.prompts} prompts; search with nested="
            f"[{','.join(map(str, dict.fromkeys(every)))}] for a subset that is at each look"
        )
    return Look(at.prompts, compared.full[metric], allowed, at.images)


def _next(
    plan: tuple[LookAt, ...] | LooksByCost, at: LookAt, first: Report, second: Report, metric: str
) -> LookAt | None:
    """Return the next look; of those by cost the one that pays best by the scores so far."""
    if not isinstance(plan, LooksByCost):
        return next(iter(plan[plan.index(at) + 1 :]), None)
    scores = (one.metrics[metric].image_values for one in (first, second))
    return plan.after(at, components_of(*scores, paired=images_pair(first, second)))


def _check_error(error: float) -> None:
    if not 0 < error < 1:
        raise SettingError(f"error={error}: expected a number between 0 and 1, such as 0.05")


def spent_errors(looks: Looks, error: float) -> tuple[float, ...]:
    """Split an error over looks in proportion to the prompts, or images, that each adds.

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
    _check_error(error)
    made = [look.made for look in as_looks(looks)]
    before = [0, *made[:-1]]
    return tuple(error * (now - last) / made[-1] for now, last in zip(made, before, strict=True))
