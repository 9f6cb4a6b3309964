"""`flasheval.compare`: which of two models is better on the full set, and with what certainty."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_arguments, checked_class
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Part, Table, View, lines
from flasheval.base.errors import DataError, MissingScoresError, SettingError
from flasheval.base.suggest import nearest
from flasheval.base.text import first_few
from flasheval.evaluation.by_tag import TagMean, tag_means, tag_parts
from flasheval.evaluation.difference_words import better_of, difference_cells
from flasheval.evaluation.report import Report
from flasheval.subset.paired import paired_errors_of
from flasheval.subset.predictions import Difference
from flasheval.subset.two_stage import fresh_loadings, image_noise

__all__ = [
    "Comparison",
    "PairedDifference",
    "check_comparable",
    "compare",
    "image_error",
    "images_pair",
]


@dataclass(frozen=True)
class PairedDifference:
    """Difference of two models' means over the subset's prompts, and its paired standard error.

    Attributes:
        value: First minus second.
        error: Its standard error: as much as another choice of prompts like these, with images of
            their own, would change it. It holds the noise of prompts and of images, however many
            images a prompt has (`flasheval.subset.two_stage`).
        image_error: The part of it that other images of the same prompts would change; None where
            no prompt has several images.

    """

    value: float
    error: float
    image_error: float | None = None


@checked_class
@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two reports on the same prompts, images' seeds and scorers; prints as a table.

    Attributes:
        first: Name of the first model.
        second: Name of the second model.
        size: Number of prompts both were scored on.
        paired: By metric, first minus second on those prompts.
        full: By calibrated metric, the predicted difference on the full set, its interval, and
            the probability that the first is better there.
        warnings: Warnings for the reader, one line each.
        by: The tag that the prompts are parted by, if any.
        parts: By the tag's value and by metric, first minus second on its prompts.

    """

    kind = "comparison"

    first: str
    second: str
    size: int
    paired: Mapping[str, PairedDifference] = field(hash=False)
    full: Mapping[str, Difference] = field(hash=False)
    warnings: tuple[str, ...] = ()
    by: str | None = None
    parts: Mapping[str, Mapping[str, TagMean]] = field(default_factory=dict, hash=False)

    def view(self) -> View:
        """Return who is better, one row a metric, and the warnings; made for 80 columns.

        A sign is decided where the interval of the full set's difference leaves out 0.
        """
        rows = []
        for metric, paired in self.paired.items():
            error = "" if math.isnan(paired.error) else f" +- {paired.error:.2g}"
            full = self.full.get(metric)
            cells = ("-", "-") if full is None else difference_cells(full)
            rows.append((metric, f"{paired.value:.3g}{error}", *cells))
        level = next((f" ({one.level:.0%})" for one in self.full.values()), "")
        titles = (
            "\nmetric",
            "subset\ndifference",
            f"full set's\ndifference{level}",
            "first is\nbetter",
        )
        about = (
            f"{self.first} less {self.second} on "
            f"{self.size} prompt{'' if self.size == 1 else 's'}, +- the paired standard error"
        )
        said = Line(_answer(self.first, self.second, self.full), "headline")
        warnings = lines(self.warnings, "warning")
        alone = {m: one.image_error for m, one in self.paired.items()}
        shown = ", ".join(f"{one:.2g} ({m})" for m, one in alone.items() if one is not None)
        images = [f"of which images alone: {shown}"] if shown else []
        parts: tuple[Part, ...] = (
            said,
            *lines([about, *images, ""]),
            Table(titles, rows),
            *warnings,
        )
        if self.by is None:
            return View(parts)
        return View((*parts, Line(""), *tag_parts(self.by, self.parts, "Differences")))

    def _brief(self) -> str:
        names = f"{self.first} less {self.second}"
        return f"{names} on {self.size} prompts in {first_few(list(self.paired))}"

    def _rows(self) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for metric, paired in self.paired.items():
            full = self.full.get(metric)
            rows.append({"metric": metric, "difference": paired.value, "error": paired.error})
            for key in ("value", "low", "high", "probability"):
                rows[-1][f"full_{key}"] = None if full is None else getattr(full, key)
        return rows


@checked_arguments
def compare(
    first: Report,
    second: Report,
    *,
    metrics: str | Iterable[str] | None = None,
    level: float = 0.9,
    related: bool = True,
    by: str | None = None,
) -> Comparison:
    """Compare two models prompt by prompt, first minus second.

    Args:
        first: A report of `flasheval.evaluate`.
        second: Another, on the same subset with the same seed and scorers.
        metrics: The metrics to compare; by default all that both have. Calibrated metrics improve
            each other's predictions.
        level: Probability that the full set's difference lies in its interval.
        related: Whether both are of one family, such as two checkpoints of one training run; see
            `flasheval.subset.calibration.Calibration.difference`.
        by: A tag of the subset's prompts: the difference on those of each of its values too.

    Raises:
        DataError: The reports do not belong together.
        SettingError: A metric is not in both, or no prompt has such a tag.
        MissingScoresError: A prompt has no score, so the means would be over different prompts.

    Example:
        >>> from flasheval.evaluation.report import MetricScores
        >>> from flasheval.prompts import PromptSet
        >>> from flasheval.subset import Method, Subset
        >>> pets = PromptSet("pets", ("1", "2", "3"))
        >>> subset = Subset.choose(pets, [0, 1, 2], name="pets-3", metrics=(),
        ...                        method=Method("random"))
        >>> first, second = (
        ...     Report(subset, 0, {"clip": MetricScores("1", True, scores)})
        ...     for scores in ((0.5, 0.3, 0.4), (0.25, 0.25, 0.25))
        ... )
        >>> round(compare(first, second).paired["clip"].value, 3)
        0.15

    """
    names = check_comparable(first, second, metrics)
    a, b = ({m: one.metrics[m].values for m in names} for one in (first, second))
    images = [{m: one.metrics[m].image_values for m in names} for one in (first, second)]
    seeds = "other" if "other" in (first.seeds, second.seeds) else "search"
    weights = first.subset.weights
    errors = paired_errors_of(a, b, weights)
    pair = images_pair(first, second)
    paired = {
        m: PairedDifference(
            first.means[m] - second.means[m],
            errors.get(m, np.nan),
            image_error(images[0][m], images[1][m], weights, paired=pair)
            if images[0][m].shape == images[1][m].shape
            else None,
        )
        for m in names
    }
    calibration = first.subset.calibrated_for(seeds)
    known = {m for m in names if calibration is not None and m in calibration.metrics}
    full = {}
    if known:
        full = first.subset.difference(
            *({m: one[m] for m in names if m in known} for one in images),
            level=level,
            related=related,
            scorers={m: first.metrics[m].version for m in names},
            seeds=seeds,
            paired=pair,
        )
    unknown = [m for m in names if m not in known]
    warnings = [one.warning for one in full.values() if one.warning]
    if unknown:
        warnings.append(f"{', '.join(unknown)}: not calibrated, so nothing is said of the full set")
    counts = [one.images_per_prompt for one in (first, second)]
    if counts[0] != counts[1]:
        named = (first.name or "the first", second.name or "the second")
        said = ", ".join(f"{name} {n}" for n, name in zip(counts, named, strict=True))
        warnings.append(f"images of each prompt: {said}; the errors know it, but pairs say more")
    return Comparison(
        first.name or "first",
        second.name or "second",
        first.subset.size,
        paired,
        full,
        tuple(dict.fromkeys(warnings)),
        by,
        {} if by is None else tag_means(first.subset, by, {m: a[m] - b[m] for m in names}),
    )


def images_pair(first: Report, second: Report) -> bool:
    """Tell whether image j of a prompt has the same seed in both reports.

    >>> from flasheval.subset import Method, Subset, SubsetPrompt
    >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
    >>> images_pair(Report(subset, 0, {}), Report(subset, 0, {}))
    True
    """
    own = first.variant_seeds or second.variant_seeds
    named = (first.variant_seeds, first.name) == (second.variant_seeds, second.name)
    return first.seed == second.seed and (named or not own)


def image_error(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    paired: bool,
) -> float | None:
    """Return the standard error that images alone make in a difference of means; None if unknown.

    Args:
        first: Scores of images, [prompts, images], NaN where there is none.
        second: Those of the other model.
        weights: A weight for each prompt.
        paired: Whether image j of both has the same seed.

    >>> rows = np.array([[1.0, 3.0], [4.0, 4.0]])
    >>> round(image_error(rows, 0 * rows, np.ones(2), paired=True), 4)  # sqrt(2 / 2) / 2
    0.5

    """
    noise = image_noise(first, second, paired=paired)
    if noise is None:
        return None
    width = max(first.shape[1], second.shape[1])
    parts = [fresh_loadings(one.shape[1], 1, "unknown", width) for one in (first, second)]
    shares = weights / weights.sum()
    return math.sqrt(float(shares**2 @ noise.of(*parts)))


def check_comparable(
    first: Report, second: Report, metrics: str | Iterable[str] | None = None
) -> tuple[str, ...]:
    """Return the metrics in which two reports can be compared.

    Raises DataError when subset, seed or a scorer's version differ, MissingScoresError when scores
    are missing, and SettingError for a metric that is not in both.

    >>> from flasheval.evaluation.report import MetricScores
    >>> from flasheval.subset import Method, Subset, SubsetPrompt
    >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
    >>> scores = {"clip": MetricScores("1", True, (0.5,))}
    >>> check_comparable(Report(subset, 0, scores), Report(subset, 0, scores))
    ('clip',)
    >>> check_comparable(Report(subset, 0, scores), Report(subset, 1, scores))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: the first report and the second: their images have ...
    """
    names = _names(first, second)
    if first.subset.content_hash != second.subset.content_hash:
        raise DataError(
            f"{names}: they are of different subsets ({first.subset.name}, {second.subset.name}); "
            "evaluate both on one"
        )
    if first.seed != second.seed:
        raise DataError(
            f"{names}: their images have different seeds ({first.seed}, {second.seed}); evaluate "
            "both with one"
        )
    if metrics is None:
        metrics = [metric for metric in first.metrics if metric in second.metrics]
    chosen = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    if not chosen:
        raise DataError(f"{names}: they have no metric in common; evaluate both with one scorer")
    for metric in chosen:
        for one in (first, second):
            if metric not in one.metrics:
                raise SettingError(
                    f'{names}: "{metric}" is not in both; there are: {", ".join(one.metrics)}'
                    f"{nearest(metric, one.metrics)}"
                )
        versions = first.metrics[metric].version, second.metrics[metric].version
        if versions[0] != versions[1]:
            raise DataError(
                f"{names}: {metric} is by different scorers ({versions[0]}, {versions[1]}); "
                "evaluate both with one"
            )
        for one in (first, second):
            if one.metrics[metric].missing:
                raise MissingScoresError(
                    f"{one.name or 'a report'}: {one.metrics[metric].missing} of "
                    f"{one.subset.size} prompts have no {metric} score, so nothing is compared; "
                    f"the first: {_first_fault(one, metric)}"
                )
    return chosen


def _names(first: Report, second: Report) -> str:
    return f"{first.name or 'the first report'} and {second.name or 'the second'}"


def _first_fault(report: Report, metric: str) -> str:
    row = report.metrics[metric].scores.index(None)
    name = report.subset.ids[row]
    return f"{name} ({report.faults.get(name, 'no score')})"


def _answer(first: str, second: str, full: Mapping[str, Difference]) -> str:
    """Return the one sentence a reader came for."""
    if not full:
        return "Not decided: no metric is calibrated, so nothing is said of the full set."
    winners: dict[str, list[str]] = {}
    undecided = []
    for metric, one in full.items():
        name, chance = better_of(first, second, one)
        if one.low <= 0 <= one.high:
            undecided.append(f"{metric} ({name} with {chance})")
        else:
            winners.setdefault(name, []).append(f"{metric} ({chance})")
    said = [f"{name} is better in {_and(metrics)}" for name, metrics in winners.items()]
    if not said:
        return f"Not decided which is better on the full set: {', '.join(undecided)}."
    rest = f"; not decided: {', '.join(undecided)}" if undecided else ""
    return f"On the full set {'; '.join(said)}{rest}."


def _and(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
