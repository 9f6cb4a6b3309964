"""Reports: the scores of a model on a subset, and the full scores predicted from them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_class
from flasheval.base.canonical import JSON
from flasheval.base.drawing.brief import Brief
from flasheval.base.drawing.shown import ENVELOPE, Shown
from flasheval.base.drawing.view import Line, Part, Table, View, lines
from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import from_plain, read_json, to_plain, write_json
from flasheval.evaluation.by_tag import TagMean, tag_means, tag_parts
from flasheval.subset import Subset
from flasheval.subset.image_plan import SeedsKind, seeds_line
from flasheval.subset.predictions import Placement, Prediction

__all__ = [
    "MetricScores",
    "Report",
    "joined_faults",
]

FORMAT = "flasheval-report"
SCHEMA_VERSION = 1


_CLOSE = 1e-9  # of a score and the mean of its images, beside the largest of them


@dataclass(frozen=True, repr=False)
class MetricScores(Brief):
    """The scores of one metric, one for each prompt in the subset's order; None where missing.

    Attributes:
        version: The scorer's version: checkpoint and revision.
        higher_is_better: The metric's direction.
        scores: The scores; where prompts have several images, the mean over those with a score.
        images: For each prompt the scores of its images, by number; none where it has one image.

    Raises DataError for a score that is not finite, and for one that is not its images' mean.

    >>> MetricScores("clip@0a1b", True, (0.5, float("nan")))
    Traceback (most recent call last):
    flasheval.base.errors.DataError: a score is nan; expected a finite number, or None for none
    >>> MetricScores.from_images("clip@0a1b", True, ((0.5, 0.25), (0.5, None))).scores
    (0.375, 0.5)

    """

    version: str
    higher_is_better: bool
    scores: tuple[float | None, ...]
    images: tuple[tuple[float | None, ...], ...] = ()

    def __post_init__(self) -> None:
        for score in (*self.scores, *(one for row in self.images for one in row)):
            if score is not None and not math.isfinite(score):
                raise DataError(f"a score is {score}; expected a finite number, or None for none")
        if self.images:
            self._check_images()

    @classmethod
    def from_images(
        cls, version: str, higher_is_better: bool, images: Sequence[Sequence[float | None]]
    ) -> MetricScores:
        """Return the scores of prompts whose images have these; one each is a prompt's score.

        Args:
            version: The scorer's version.
            higher_is_better: The metric's direction.
            images: For each prompt the scores of its images, None where there is none.

        >>> MetricScores.from_images("1", True, ((0.5,), (None,))) == MetricScores(
        ...     "1", True, (0.5, None)
        ... )
        True

        """
        rows = tuple(tuple(row) for row in images)
        several = any(len(row) > 1 for row in rows)
        return cls(version, higher_is_better, tuple(map(_mean, rows)), rows if several else ())

    def _check_images(self) -> None:
        widths = {len(row) for row in self.images}
        if len(self.images) != len(self.scores) or len(widths) != 1 or widths <= {0, 1}:
            raise DataError(
                f"images holds scores of {sorted(widths)} images of {len(self.images)} prompts, "
                f"for {len(self.scores)} scores; expected as many of each, 2 at least"
            )
        for score, row in zip(self.scores, self.images, strict=True):
            mean, size = _mean(row), max((abs(one) for one in row if one is not None), default=0.0)
            if (score is None) != (mean is None) or (
                score is not None and mean is not None and abs(score - mean) > _CLOSE * size
            ):
                raise DataError(f"a score is {score}, but the mean of its images {mean}")

    @property
    def values(self) -> NDArray[np.float64]:
        """The scores as float64 [prompts], NaN where there is none.

        >>> MetricScores("1", True, (0.5, None)).values
        array([0.5, nan])
        """
        return np.array([math.nan if one is None else one for one in self.scores])

    @property
    def image_values(self) -> NDArray[np.float64]:
        """The scores of single images as float64 [prompts, images], NaN where there is none.

        >>> MetricScores("1", True, (0.5, None)).image_values
        array([[0.5],
               [nan]])
        """
        rows = self.images or tuple((one,) for one in self.scores)
        return np.array([[math.nan if one is None else one for one in row] for row in rows])

    @property
    def missing(self) -> int:
        """The number of prompts without a score.

        >>> MetricScores("clip@0a1b", True, (0.5, None)).missing
        1
        """
        return sum(one is None for one in self.scores)

    @property
    def missing_images(self) -> int:
        """The number of images without a score, of prompts that have one.

        >>> MetricScores.from_images("1", True, ((0.5, None), (None, None))).missing_images
        1
        """
        rows = [row for row in self.images if any(one is not None for one in row)]
        return sum(one is None for row in rows for one in row)

    def first(self, prompts: int, images: int) -> MetricScores:
        """Return the scores of the first prompts, by their first images.

        >>> scores = MetricScores.from_images("1", True, ((0.5, 0.25), (0.75, 0.25)))
        >>> scores.first(1, 2).scores, scores.first(2, 1).scores
        ((0.375,), (0.5, 0.75))
        """
        if not self.images:
            return replace(self, scores=self.scores[:prompts])
        if images == len(self.images[0]):
            return replace(self, scores=self.scores[:prompts], images=self.images[:prompts])
        rows = [row[:images] for row in self.images[:prompts]]
        return MetricScores.from_images(self.version, self.higher_is_better, rows)


def _mean(images: Sequence[float | None]) -> float | None:
    there = [one for one in images if one is not None]
    return math.fsum(there) / len(there) if there else None


_IMAGE_FAULT = re.compile(r"(?:^|; )image (\d+): ")


def joined_faults(faults: Sequence[str | None]) -> str | None:
    """Return why images of one prompt have no score, in one line; None where nothing is wrong.

    Args:
        faults: Of each image, by number; None for none.

    >>> joined_faults(["no image"]), joined_faults([None, "no image"]), joined_faults([None])
    ('no image', 'image 1: no image', None)

    """
    if len(faults) == 1:
        return faults[0]
    told = [f"image {number}: {why}" for number, why in enumerate(faults) if why is not None]
    return "; ".join(told) or None


@checked_class
@dataclass(frozen=True, repr=False)
class Report(Shown):
    """A model's scores on a subset, prompt by prompt; prints as a table.

    Attributes:
        subset: The subset, with its calibration.
        seed: The seed from which, with the prompt's id, each image's seed is made.
        metrics: Scores by metric.
        name: The model's name.
        step: The model's training step, if it is a checkpoint.
        call: Arguments of the pipeline's call beside prompts and generators; for a generator's
            settings, everything that determines its images.
        faults: Why a score is missing, by prompt id; where prompts have several images, of which.
        seconds: Wall time, without the loading of scorers.
        versions: Library name to version.
        created: ISO 8601 in UTC.
        images: A PIL image or an `ImageFault` for each image, if requested, those of one prompt
            together, by number; not saved.
        cut: By what reads the texts and how far, how many of them it cuts.
        images_per_prompt: Images a prompt.
        seeds: ``other`` where the images have other seeds than those the subset was searched on;
            predictions are then for other seeds.
        variant_seeds: Whether the model's name counts in its images' seeds, as in the search.

    Raises DataError for scores of another number of prompts or images, and for a metric whose
    direction is not the subset's.

    >>> from flasheval.subset.subset import Method, SubsetPrompt
    >>> prompts = (SubsetPrompt("1", weight=3.0), SubsetPrompt("2"))
    >>> subset = Subset("two", "pets", None, prompts, (), Method("random"))
    >>> Report(subset, 0, {"clip": MetricScores("1", True, (0.5, 0.25))}).means
    {'clip': 0.4375}
    >>> Report(subset, 0, {"clip": MetricScores("1", True, (0.5,))})
    Traceback (most recent call last):
    flasheval.base.errors.DataError: 1 scores of "clip" for 2 prompts of "two"; expected one each

    """

    kind = "report"

    subset: Subset
    seed: int
    metrics: Mapping[str, MetricScores] = field(hash=False)
    name: str = ""
    step: int | None = None
    call: Mapping[str, JSON] = field(default_factory=dict, hash=False)
    faults: Mapping[str, str] = field(default_factory=dict, hash=False)
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict, hash=False)
    created: str = ""
    images: tuple[object, ...] = field(default=(), compare=False, repr=False)
    cut: Mapping[str, int] = field(default_factory=dict, hash=False)
    images_per_prompt: int = 1
    seeds: SeedsKind = "search"
    variant_seeds: bool = False

    def __post_init__(self) -> None:
        directions = {one.name: one.higher_is_better for one in self.subset.metrics}
        for metric, part in self.metrics.items():
            if directions.get(metric, part.higher_is_better) != part.higher_is_better:
                words = ("lower", "higher")
                raise DataError(
                    f'"{metric}": {words[part.higher_is_better]} is better for its scorer, '
                    f'{words[directions[metric]]} for the subset "{self.subset.name}"; set the '
                    "scorer's higher_is_better, or give it another name"
                )
            if len(part.scores) != self.subset.size:
                raise DataError(
                    f'{len(part.scores)} scores of "{metric}" for {self.subset.size} prompts of '
                    f'"{self.subset.name}"; expected one each'
                )
            count = len(part.images[0]) if part.images else 1
            if count != self.images_per_prompt:
                raise DataError(
                    f'"{metric}" has the scores of {count} images a prompt; expected '
                    f"{self.images_per_prompt}, as images_per_prompt says"
                )

    @cached_property
    def means(self) -> dict[str, float]:
        """Mean by metric over the prompts that have a score, weighted; NaN where none has."""
        found = {}
        for metric, part in self.metrics.items():
            there = ~np.isnan(part.values)
            weights = self.subset.weights[there]
            found[metric] = (
                float(np.average(part.values[there], weights=weights)) if there.any() else math.nan
            )
        return found

    def predict(self, *, level: float = 0.9) -> dict[str, Prediction]:
        """Predict full-set scores for the calibrated metrics that have all scores.

        A metric with a missing score is left out, because its mean is not that of the subset, and
        so is one on another scale than the calibration's; `warnings` tells.

        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> report = Report(subset, 0, {"CLIP": MetricScores("1", True, (0.27,) * subset.size)})
        >>> found = report.predict()["CLIP"]
        >>> found.low < found.value < found.high
        True
        """
        usable = self._usable()
        told = self._versions()
        if not usable:
            return {}
        return self.subset.predict(usable, level=level, scorers=told, seeds=self.seeds)

    def place(self, *, level: float = 0.9) -> dict[str, Placement]:
        """Place the model among the manifest's known variants, for the same metrics.

        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> report = Report(subset, 0, {"CLIP": MetricScores("1", True, (0.99,) * subset.size)})
        >>> report.place()["CLIP"].rank  # better than all known variants
        1
        """
        known = {name for one in self.subset.record.known_variants for name in one.full_means}
        usable = {metric: values for metric, values in self._usable().items() if metric in known}
        told = self._versions()
        if not usable:
            return {}
        return self.subset.place(usable, level=level, scorers=told, seeds=self.seeds)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the reader, one line each.

        >>> from flasheval.subset.subset import Method, SubsetPrompt
        >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> Report(subset, 0, {"clip": MetricScores("1", True, (None,))}).warnings[0]
        'no prompt has a clip score'
        """
        lines = []
        calibration = self.subset.calibrated_for(self.seeds)
        for metric, part in self.metrics.items():
            if part.missing == self.subset.size:
                lines.append(f"no prompt has a {metric} score")
            elif part.missing:
                lines.append(
                    f"{part.missing} of {self.subset.size} prompts have no {metric} score; its "
                    "mean is over the others, and no full score is predicted from it"
                )
            elif calibration is not None and metric not in calibration.metrics:
                lines.append(
                    f"{metric} is not calibrated; there are: {', '.join(calibration.metrics)}"
                )
            elif refusal := self.refusal(metric):
                lines.append(f"{refusal}; no full score is predicted from it")
            if part.missing_images:
                lines.append(
                    f"{part.missing_images} of {self.subset.size * self.images_per_prompt} images "
                    f"have no {metric} score; their prompts' scores are means of the others"
                )
            lines += filter(None, [self.subset.other_scorer(metric, part.version)])
        lines += [
            f"{reads}: {count} of {self.subset.size} texts are longer, and it does not see their "
            "ends"
            for reads, count in self.cut.items()
        ]
        if calibration is None:
            lines.append(
                f'subset "{self.subset.name}" is not calibrated: no full score is predicted'
            )
        usable = self._usable()
        predicted = self.subset.predict(usable, seeds=self.seeds).values() if usable else ()
        lines += dict.fromkeys(one.warning for one in predicted if one.warning)
        return tuple(lines)

    @property
    def seeds_line(self) -> str:
        """What to know of images of other seeds than the search's; empty for the search's.

        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> Report(subset, 7, {}).seeds_line, Report(subset, 7, {}, seeds="other").seeds_line
        ('', "made with run seed 7, not the search's")
        """
        return "" if self.seeds == "search" else seeds_line(self.subset.record, self.seed)

    def refusal(self, metric: str) -> str | None:
        """Return why nothing is predicted from a metric's mean though it has all scores, or None.

        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> report = Report(subset, 0, {"CLIP": MetricScores("1", True, (26.5,) * subset.size)})
        >>> report.refusal("CLIP")[:59], report.predict()
        ('its CLIP subset mean, 26.5, is on a scale 100 times that of', {})
        """
        calibration = self.subset.calibrated_for(self.seeds)
        if calibration is None or metric not in calibration.metrics:
            return None
        mean = self.means[metric]
        return calibration.refusal(metric, mean) if math.isfinite(mean) else None

    def scalars(self, prefix: str = "", *, level: float = 0.9) -> dict[str, float]:
        """Return plain numbers for any tracker, all finite, by name.

        ``CLIP`` is the mean over the subset, ``CLIP/full`` the predicted full score with
        ``CLIP/full_low`` and ``CLIP/full_high`` around it, ``CLIP/rank`` the rank among the known
        variants, ``missing`` the number of missing scores.

        >>> from flasheval.subset.subset import Method, SubsetPrompt
        >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> Report(subset, 0, {"clip": MetricScores("1", True, (0.5,))}).scalars("eval/")
        {'eval/clip': 0.5, 'eval/missing': 0.0, 'eval/seconds': 0.0}
        """
        found = {metric: mean for metric, mean in self.means.items() if math.isfinite(mean)}
        for metric, one in self.predict(level=level).items():
            found[f"{metric}/full"] = one.value
            found[f"{metric}/full_low"], found[f"{metric}/full_high"] = one.low, one.high
        found |= {f"{name}/rank": float(one.rank) for name, one in self.place(level=level).items()}
        missing = float(sum(part.missing for part in self.metrics.values()))
        for name, value in (("missing", missing), ("seconds", self.seconds)):
            found[f"{name} (all)" if name in found else name] = value  # a metric may be called so
        return {f"{prefix}{name}": value for name, value in found.items()}

    def prefix(self, size: int, images: int | None = None) -> Report:
        """Return the report on the first ``size`` prompts, as if only they had been evaluated.

        Args:
            size: Number of prompts.
            images: Images a prompt, the first ones of each; all by default.

        Raises SettingError for more prompts or images than there are.

        >>> from flasheval.subset.subset import Method, SubsetPrompt
        >>> prompts = tuple(map(SubsetPrompt, "abc"))
        >>> subset = Subset("three", "pets", None, prompts, (), Method("random"))
        >>> report = Report(subset, 0, {"clip": MetricScores("1", True, (0.5, 0.3, 0.1))})
        >>> report.prefix(2).means
        {'clip': 0.4}

        """
        count = self.images_per_prompt if images is None else images
        if not 1 <= count <= self.images_per_prompt:
            raise SettingError(
                f"images is {images}; the report has {self.images_per_prompt} images a prompt"
            )
        if (size, count) == (self.subset.size, self.images_per_prompt):
            return self
        subset = self.subset.prefix(size)
        kept = {metric: part.first(size, count) for metric, part in self.metrics.items()}
        told = {
            name: joined_faults([self.fault_of(name, number) for number in range(count)])
            for name in subset.ids
        }
        faults = {name: why for name, why in told.items() if why}
        share = size * count / (self.subset.size * self.images_per_prompt)
        return replace(
            self,
            subset=subset,
            metrics=kept,
            faults=faults,
            seconds=self.seconds * share,
            images=tuple(one for row in range(size) for one in self.images_of(row)[:count]),
            cut={},
            images_per_prompt=count,
        )

    def fault_of(self, prompt_id: str, image: int = 0) -> str | None:
        """Return why an image has no score, or not all of them; None where nothing is wrong.

        >>> from flasheval.subset.subset import Method, SubsetPrompt
        >>> subset = Subset("one", "pets", None, (SubsetPrompt("a"),), (), Method("random"))
        >>> scores = {"clip": MetricScores.from_images("1", True, ((0.5, None),))}
        >>> faults = {"a": "image 1: it is black all over"}
        >>> report = Report(subset, 0, scores, faults=faults, images_per_prompt=2)
        >>> report.fault_of("a", 0), report.fault_of("a", 1)
        (None, 'it is black all over')
        """
        told = self.faults.get(prompt_id)
        if told is None or self.images_per_prompt == 1:
            return told
        _, *parts = _IMAGE_FAULT.split(told)
        return dict(zip(parts[::2], parts[1::2], strict=True)).get(str(image))

    def images_of(self, prompt: int) -> tuple[object, ...]:
        """Return the images of a prompt, by its place in the subset; none where none are kept.

        >>> from flasheval.subset.subset import Method, SubsetPrompt
        >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> scores = {"clip": MetricScores.from_images("1", True, ((0.5, 0.25),))}
        >>> report = Report(subset, 0, scores, images=("first", "second"), images_per_prompt=2)
        >>> report.images_of(0)
        ('first', 'second')
        """
        count = self.images_per_prompt
        return self.images[prompt * count : (prompt + 1) * count]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON data, without images; `from_dict` gives an equal one back.

        ``kind``, ``schema`` and ``headline`` stand before it, as in every result's.
        """
        return super().to_dict()

    def saved(self) -> dict[str, Any]:
        """Return the report as JSON data, as it stands in a file, without images."""
        body = to_plain(replace(self, images=()))
        return {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            **body,
            "subset": self.subset.manifest(),
        }

    def save(self, path: str | Path) -> Path:
        """Write the report as JSON and return its path; the file is replaced at once.

        Raises DataError when the file cannot be written or `call` is not JSON data.

        >>> import tempfile
        >>> from flasheval.subset.subset import Method, SubsetPrompt
        >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> report = Report(subset, 0, {"clip": MetricScores("1", True, (0.5,))}, name="step 200")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Report.load(report.save(f"{folder}/report.json")).name
        'step 200'
        """
        try:
            return write_json(path, self.saved())
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: the report holds what JSON cannot hold: {error}") from None

    @classmethod
    def load(cls, path: str | Path) -> Report:
        """Read a report. Raises DataError, one line naming the file and the key at fault."""
        return cls.from_dict(read_json(path), str(path))

    @classmethod
    def from_dict(cls, data: object, source: str = "report") -> Report:
        """Return the report from a result of `to_dict`; ``source`` names it in messages.

        Raises DataError naming the key at fault.

        >>> from flasheval.subset.subset import Method, SubsetPrompt
        >>> subset = Subset("one", "pets", None, (SubsetPrompt("1"),), (), Method("random"))
        >>> report = Report(subset, 0, {"clip": MetricScores("1", True, (0.5,))})
        >>> Report.from_dict(report.to_dict()) == report
        True
        >>> Report.from_dict({"subset": {}})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: report: not a report; expected the file flasheval ...
        """
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise DataError(f"{source}: not a report; expected the file flasheval evaluate wrote")
        version = data.get("schema_version")
        if version != SCHEMA_VERSION or isinstance(version, bool):
            raise DataError(
                f"{source}: schema_version is {json.dumps(version)[:40]}, this flasheval reads "
                f"{SCHEMA_VERSION}; if the report is newer, upgrade flasheval"
            )
        body = {
            key: value
            for key, value in data.items()
            if key not in ("format", "schema_version", *ENVELOPE)
        }
        if "images" in body:
            raise DataError(f"{source}: images is not a known key; a saved report holds none")
        subset = Subset.from_dict(body.get("subset"), source=f"{source}: subset")  # its hashes hold
        return from_plain(cls, {**body, "subset": to_plain(subset)}, source=source)

    def by_tag(self, tag: str) -> dict[str, dict[str, TagMean]]:
        """Return, by value of a tag of the prompts and by metric, the mean over its prompts.

        Raises SettingError for a tag that the subset does not have.
        """
        return tag_means(self.subset, tag, {m: one.values for m, one in self.metrics.items()})

    def view(self, *, level: float = 0.9, by: str | None = None) -> View:
        """Return what was evaluated, one row a metric, and the warnings.

        Args:
            level: Probability that a full score, or a place, lies in its interval.
            by: A tag of the prompts: the means for each of its values too.

        """
        predictions, places = self.predict(level=level), self.place(level=level)
        rows = []
        for metric, part in self.metrics.items():
            full, place = predictions.get(metric), places.get(metric)
            interval, rank = "-", "-"
            if full is not None:
                interval = f"{full.value:.4g} ({full.low:.4g} to {full.high:.4g})"
            if place is not None:
                among = len(place.neighbours) + 1
                rank = f"{place.rank} of {among} ({place.best} to {place.worst})"
            better = "higher" if part.higher_is_better else "lower"
            mean = self.means[metric]
            shown = "-" if math.isnan(mean) else f"{mean:.4g}"
            rows.append((metric, better, shown, interval, rank))
        sure = f"({level:.0%})"
        titles = ("metric", "better", "subset mean", f"full set {sure}", f"rank {sure}")
        name = f"{self.name}: " if self.name else ""
        count = self.images_per_prompt
        images = f"{count} images a prompt, " if count > 1 else ""
        about = (
            f"{name}{self.subset.size} prompts of {self.subset.name}, {images}seed {self.seed}, "
            f"{self.seconds:.3g} s"
        )
        warnings = lines(self.warnings, "warning")
        found = [f"subset: {self.subset.found}"] if self.subset.found else []
        whose = lines([*found, *([f"images {self.seeds_line}"] if self.seeds_line else [])])
        parts: tuple[Part, ...] = (Line(about, "headline"), *whose, Table(titles, rows), *warnings)
        return View(parts if by is None else (*parts, *tag_parts(by, self.by_tag(by), "Means")))

    def _brief(self) -> str:
        means = ", ".join(f"{metric} {mean:.4g}" for metric, mean in self.means.items())
        name = f"{self.name}, " if self.name else ""
        return f"{name}{self.subset.size} prompts of {self.subset.name}: {means}"

    def _data(self) -> dict[str, Any]:
        return self.saved()

    def _rows(self) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for place, prompt in enumerate(self.subset.prompts):
            text = {} if prompt.text is None else {"prompt": prompt.text}
            scores = {metric: part.scores[place] for metric, part in self.metrics.items()}
            rows.append({"variant": self.name, "prompt_id": prompt.id, **text, **scores})
        return rows

    def _usable(self) -> dict[str, NDArray[np.float64]]:
        calibration = self.subset.calibrated_for(self.seeds)
        known = () if calibration is None else calibration.metrics
        return {
            metric: part.image_values
            for metric, part in self.metrics.items()
            if metric in known and not part.missing and not self.refusal(metric)
        }

    def _versions(self) -> dict[str, str]:
        return {metric: part.version for metric, part in self.metrics.items()}
