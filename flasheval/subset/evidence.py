"""The measured part of a manifest: held-out agreement, known variants, versions and time.

None of them is part of a subset's content hash. They hold numbers that were measured elsewhere and
survive a trip through JSON unchanged; see :mod:`flasheval.base.json_data`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from flasheval.base.drawing.brief import Brief
from flasheval.base.errors import DataError
from flasheval.generators.seeds import ImageSeeds
from flasheval.subset.calibration import Calibration
from flasheval.subset.parts import require_within

__all__ = [
    "Agreement",
    "EquivalentSize",
    "Evidence",
    "KnownVariant",
    "PrefixCalibration",
    "RandomSize",
    "Record",
    "SplitSizes",
    "Spread",
]

_SHARES = frozenset(("accuracy", "share", "probability"))


@dataclass(frozen=True)
class Spread:
    """A mean over splits or draws, with the range of the single values.

    ``kind`` says what ``low`` and ``high`` are: the 5% and 95% quantiles, or the least and the
    greatest value where there are too few for quantiles (fewer than 8 base models).

    >>> print(Spread(0.8327, low=0.7712, high=0.8901))
    0.833 (0.771 to 0.890)
    """

    mean: float
    low: float
    high: float
    kind: Literal["5-95%", "min-max"] = "5-95%"

    def __post_init__(self) -> None:
        _require_finite(mean=self.mean, low=self.low, high=self.high)
        if self.low > self.high:
            raise DataError(f"low is {self.low}, above high, {self.high}; exchange them")

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class RandomSize:
    """A number of random prompts; ``<`` or ``>`` when it lies beyond an end of the random curve.

    >>> print(RandomSize(248.4), RandomSize(5, "<"), RandomSize(5000, ">"))
    248 <5 >5000
    """

    value: float
    relation: Literal["=", "<", ">"] = "="

    def __post_init__(self) -> None:
        _require_finite(value=self.value)
        require_within("value", self.value, 0)

    def __str__(self) -> str:
        return f"{'' if self.relation == '=' else self.relation}{self.value:.0f}"


@dataclass(frozen=True)
class EquivalentSize:
    """How many random prompts agree as well, with a paired bootstrap interval over splits.

    >>> print(EquivalentSize(RandomSize(248), low=RandomSize(230), high=RandomSize(5000, ">")))
    248 (230 to >5000)
    """

    estimate: RandomSize
    low: RandomSize | None = None
    high: RandomSize | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return str(self.estimate)
        return f"{self.estimate} ({self.low} to {self.high})"


@dataclass(frozen=True)
class SplitSizes:
    """One split of the variants: its name, and how many are searched and held out.

    >>> SplitSizes("half 0", -1, 24)
    Traceback (most recent call last):
    flasheval.base.errors.DataError: split "half 0" has a negative number of variants; count again
    """

    name: str
    n_search: int
    n_held_out: int

    def __post_init__(self) -> None:
        if min(self.n_search, self.n_held_out) < 0:
            raise DataError(f'split "{self.name}" has a negative number of variants; count again')


@dataclass(frozen=True, repr=False)
class Agreement(Brief):
    """Kendall tau-b with the ranking by the full set: of one metric, or the mean over metrics.

    Attributes:
        held_out_tau: over the splits, on variants the search never saw.
        random_tau: the same for random subsets of the same size, on the same variants.
        search_tau: mean over the splits on the variants searched; too high, so only for comparison.
        held_out_tau_by_split: one value a split, in the order of ``Evidence.splits``; None where
            it is undefined (all held-out means equal).
        equivalent_random_size: see :class:`EquivalentSize`; None when no random curve was measured.
        companions: further held-out measures by name, such as ``tau_significant`` (on pairs whose
            difference exceeds two standard errors) and ``pairwise_accuracy``.

    >>> print(Agreement(Spread(0.83, 0.77, 0.89), Spread(0.71, 0.6, 0.8), search_tau=0.9))
    held-out tau 0.830 (0.770 to 0.890), random 0.710 (0.600 to 0.800), search 0.900

    """

    held_out_tau: Spread
    random_tau: Spread
    search_tau: float | None = None
    held_out_tau_by_split: tuple[float | None, ...] = ()
    equivalent_random_size: EquivalentSize | None = None
    companions: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("held_out_tau", "random_tau"):
            spread = getattr(self, name)
            for end in ("mean", "low", "high"):
                require_within(f"{name}.{end}", getattr(spread, end), -1, 1)
        require_within("search_tau", self.search_tau, -1, 1)
        for i, value in enumerate(self.held_out_tau_by_split):
            require_within(f"held_out_tau_by_split[{i}]", value, -1, 1)
        for name, value in self.companions.items():
            words = name.split("_")
            if "tau" in words or not _SHARES.isdisjoint(words):  # others are in units of their own
                require_within(f"companions.{name}", value, -1 if "tau" in words else 0, 1)

    def __str__(self) -> str:
        size = self.equivalent_random_size
        return (
            f"held-out tau {self.held_out_tau}, random {self.random_tau}"
            + ("" if self.search_tau is None else f", search {self.search_tau:.3f}")
            + ("" if size is None else f"; as good as {size} random prompts")
        )


@dataclass(frozen=True, repr=False)
class Evidence(Brief):
    """What was measured on variants held out of the search.

    Attributes:
        size: prompts in the subsets measured.
        split_spec: the splits as the user names them, such as ``halves:10``.
        splits: each split with its numbers of search and held-out variants.
        pooled: agreement averaged over the metrics.
        metrics: agreement of each metric.
        seeds: ``other`` when the subset's scores were of images that the search did not see, of
            other seeds; ``search`` when they were of the seeds searched on.
        applies_to: ``procedure`` when every split made its own subset and the published one was
            fitted on all variants afterwards: the numbers then describe the procedure, not this
            exact set. ``this set`` when this set itself was tested on unseen variants.

    >>> agreement = Agreement(Spread(0.83, 0.77, 0.89), Spread(0.71, 0.6, 0.8))
    >>> splits = (SplitSizes("half 0", 24, 24),)
    >>> print(Evidence(50, "halves:1", splits, agreement, {"clip": agreement}))
    evidence: 1 splits (halves:1), measured on sets chosen in the same way, not on this one
      all metrics: held-out tau 0.830 (0.770 to 0.890), random 0.710 (0.600 to 0.800)
      clip: held-out tau 0.830 (0.770 to 0.890), random 0.710 (0.600 to 0.800)

    """

    size: int
    split_spec: str
    splits: tuple[SplitSizes, ...]
    pooled: Agreement
    metrics: Mapping[str, Agreement] = field(default_factory=dict, hash=False)
    applies_to: Literal["procedure", "this set"] = "procedure"
    seeds: Literal["search", "other"] = "search"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise DataError(f"size is {self.size}; expected at least 1 prompt")
        for name, agreement in {"pooled": self.pooled, **self.metrics}.items():
            count = len(agreement.held_out_tau_by_split)
            if count not in (0, len(self.splits)):
                raise DataError(
                    f"{name} has {count} values by split for {len(self.splits)} splits; "
                    "give one a split, or none"
                )

    @property
    def rows(self) -> dict[str, Agreement]:
        """Agreement by row of a table: ``mean`` first when there are several metrics, then each.

        Where a metric is itself called so, the first row is ``all metrics``.

        >>> one = Agreement(Spread(0.8, 0.7, 0.9), Spread(0.7, 0.6, 0.8))
        >>> splits = (SplitSizes("half 0", 24, 24),)
        >>> list(Evidence(50, "halves:1", splits, one, {"clip": one, "hps": one}).rows)
        ['mean', 'clip', 'hps']
        >>> list(Evidence(50, "halves:1", splits, one, {"clip": one}).rows)
        ['clip']
        """
        names = ("mean", "all metrics", "mean over all metrics")
        name = next((name for name in names if name not in self.metrics), names[-1])
        mean = {} if len(self.metrics) == 1 else {name: self.pooled}
        return {**mean, **self.metrics}

    def __str__(self) -> str:
        own = "sets chosen in the same way, not on this one"
        where = own if self.applies_to == "procedure" else "this exact set"
        where += ", by images of other seeds" if self.seeds == "other" else ""
        lines = [f"evidence: {len(self.splits)} splits ({self.split_spec}), measured on {where}"]
        lines.append(f"  all metrics: {self.pooled}")
        lines += [f"  {name}: {agreement}" for name, agreement in self.metrics.items()]
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class KnownVariant(Brief):
    """The full-set and subset means of one variant, by metric."""

    name: str
    full_means: Mapping[str, float] = field(default_factory=dict, hash=False)
    subset_means: Mapping[str, float] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class PrefixCalibration:
    """The calibration of a subset's first ``size`` prompts, which a nested search chose.

    ``other_seeds`` is the one for images of other seeds, where there is one.
    """

    size: int
    calibration: Calibration
    other_seeds: Calibration | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise DataError(f"size is {self.size}; expected at least 1 prompt")


@dataclass(frozen=True, repr=False)
class Record(Brief):
    """The part of a manifest beside its content: evidence, calibration, versions, notes.

    Attributes:
        evidence: None when nothing was held out; then nothing is claimed.
        further_evidence: evidence on other kinds of splits, such as base models left out.
        calibration: predicts full scores from subset scores; None when it was not fitted.
        looks: calibrations of the first prompts, for each smaller size of a nested search.
        known_variants: means of the variants the subset was made from.
        scorers: by metric, the version of the scorer that made the scores searched, such as
            ``clip@77940f08``; metrics with an unknown scorer are left out.
        versions: library name to version; see :func:`library_versions`.
        created: ISO 8601 in UTC, such as ``2025-01-31T12:00:00+00:00``; empty when unknown.
        notes: what a reader should know, one line each.
        warnings: what the search or the validation warned of, one line each.
        interrupted: whether the search was stopped early; the subset is its best so far.
        tag_counts: by tag, how many prompts of the whole set have each of its values.
        prompt_set_size: prompts of the whole set, where its tags are known.
        seeds: how the seeds of the images searched on were made; None when unknown.
        images_searched: images a prompt of the scores searched; None when unknown.
        images_per_prompt: images a prompt that the subset is to be used with; None for as many as
            were searched.
        other_seeds: predicts full scores from images of other seeds than those searched on; None
            where the scores searched have one image a prompt.

    >>> Record(created="yesterday")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: created is "yesterday"; expected an ISO time in UTC, such ...

    """

    evidence: Evidence | None = None
    further_evidence: tuple[Evidence, ...] = ()
    calibration: Calibration | None = None
    looks: tuple[PrefixCalibration, ...] = ()
    known_variants: tuple[KnownVariant, ...] = ()
    scorers: Mapping[str, str] = field(default_factory=dict, hash=False)
    versions: Mapping[str, str] = field(default_factory=dict, hash=False)
    created: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    interrupted: bool = False
    tag_counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict, hash=False)
    prompt_set_size: int | None = None
    seeds: ImageSeeds | None = None
    images_searched: int | None = None
    images_per_prompt: int | None = None
    other_seeds: Calibration | None = None

    def __post_init__(self) -> None:
        if self.created and not _is_utc_time(self.created):
            raise DataError(
                f'created is "{self.created[:40]}"; expected an ISO time in UTC, such as '
                "2025-01-31T12:00:00+00:00"
            )
        for name in ("images_searched", "images_per_prompt"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise DataError(f"{name} is {count}; expected at least 1")
        sizes = [look.size for look in self.looks]
        if sizes != sorted(set(sizes)):
            raise DataError(f"looks are at {sizes} prompts; expected ascending sizes, each once")

    @property
    def all_evidence(self) -> tuple[Evidence, ...]:
        """All evidence about the subset: its main evidence first, then that on other splits.

        >>> one = Agreement(Spread(0.8, 0.7, 0.9), Spread(0.7, 0.6, 0.8))
        >>> halves, groups = (Evidence(50, name, (), one) for name in ("halves:10", "leave-out"))
        >>> record = Record(halves, further_evidence=(groups,))
        >>> [evidence.split_spec for evidence in record.all_evidence], Record().all_evidence
        (['halves:10', 'leave-out'], ())
        """
        return (*(() if self.evidence is None else (self.evidence,)), *self.further_evidence)


def _require_finite(**numbers: float) -> None:
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise DataError(f"{name} is {number}; expected a finite number")


def _is_utc_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False
