"""What is known of a judge after it was checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Table, View, lines

__all__ = ["Accord", "JudgeCheck"]


@dataclass(frozen=True)
class Accord:
    """A judge's agreement with other scores of the same images.

    Attributes:
        name: The other metric.
        variants: Kendall's tau-b of the variants' means; NaN with fewer than three.
        images: Pearson's correlation over single scores.
        count: How many scores both have.

    """

    name: str
    variants: float
    images: float
    count: int


@dataclass(frozen=True, repr=False)
class JudgeCheck(Shown):
    """A judge's spread, leanings, agreement and drift, on a sample of a run's kept images.

    Attributes:
        metric: The judge's metric.
        version: What it is, and what it is asked.
        images: Images asked about.
        repeats: How often each was asked about.
        unanswered: Answers without a score among all of these.
        mean: Mean score.
        spread: Standard deviation of one image's score over repeats; NaN with one repeat.
        reliability: The share of a single score's variance that another call repeats.
        flips: The share of images whose repeats lie on both sides of the middle of the scale; NaN
            where the scale has none.
        mismatched: Mean score of images asked about with another image's prompt.
        separation: How often an image's own prompt scores higher than another's, ties a half.
        yes_bias: P(yes) to the question and P(yes) to its opposite, less 1; NaN where no question
            of the kind is asked. 0 is without a leaning.
        order_effect: Change of the score where the answers are named in the other order; NaN as
            above.
        drift: Mean of the scores now less those in the table; NaN where the table has none.
        drift_error: Its standard error.
        accords: Agreement with other scores.
        used: Calls and tokens of an endpoint.
        models: The model ids that it returned.
        before: The model ids in the records of the table.
        warnings: What to know before the judge is trusted.

    """

    kind = "judge_check"

    metric: str
    version: str
    images: int
    repeats: int
    unanswered: int
    mean: float
    spread: float
    reliability: float
    flips: float
    mismatched: float
    separation: float
    yes_bias: float = math.nan
    order_effect: float = math.nan
    drift: float = math.nan
    drift_error: float = math.nan
    accords: tuple[Accord, ...] = ()
    used: Mapping[str, int] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def _brief(self) -> str:
        return f"{self.metric} on {self.images} images, {self.repeats} times each"

    def view(self) -> View:
        """Return what was measured, what each number means, and what to beware of."""
        rows = [
            ("mean score", "of the images with their own prompts", _shown(self.mean)),
            ("spread", "standard deviation when asked about again", _shown(self.spread)),
            ("reliability", "share of a score's variance that repeats", _shown(self.reliability)),
            ("flips", "share of images that change sides of the middle", _shown(self.flips)),
            ("no score", f"of {self.images * self.repeats} answers", str(self.unanswered)),
            ("mismatched", "mean score with another image's prompt", _shown(self.mismatched)),
            ("separation", "own prompt above another's; 0.5 is chance", _shown(self.separation)),
            ("yes bias", "yes to a question and to its opposite; 0 is none", _shown(self.yes_bias)),
            ("order effect", "asked for no or yes, not yes or no", _shown(self.order_effect)),
            ("drift", f"now less the table, +- {_shown(self.drift_error)}", _shown(self.drift)),
        ]
        parts = [Line(self._brief(), "headline"), Line(self.version, "faint"), Line("")]
        found = View((*parts, Table(("what", "meaning", "value"), rows, left=2)))
        more: list[Line | Table] = []
        if self.accords:
            cells = [
                (one.name, _shown(one.variants), _shown(one.images), f"{one.count:,}")
                for one in self.accords
            ]
            titles = ("agreement with", "tau of variants", "correlation of images", "scores")
            more += [Line(""), Table(titles, cells, left=1)]
        if self.used:
            told = ", ".join(f"{count:,} {name}" for name, count in self.used.items())
            more += [Line(""), Line(f"endpoint: {told.replace('_', ' ')}", "faint")]
        return View((*found.parts, *more, *lines(self.warnings, "warning")))


def _shown(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
