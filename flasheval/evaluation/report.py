"""What a model's images of a subset scored, and what that says of the full set."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.canonical import JSON
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Table, View, lines
from flasheval.base.errors import DataError
from flasheval.base.json_data import from_plain, read_json, to_plain, write_json
from flasheval.subset import Subset
from flasheval.subset.predictions import Placement, Prediction

__all__ = [
    "MetricScores",
    "Report",
]

FORMAT = "flasheval-report"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class MetricScores:
    """One metric's scores, a prompt each, in the subset's order; None where there is none.

    Attributes:
        version: The scorer's: checkpoint and revision.
        higher_is_better: The metric's direction.
        scores: What it gave.

    Raises DataError for a score that is not finite.

    """

    version: str
    higher_is_better: bool
    scores: tuple[float | None, ...]

    def __post_init__(self) -> None:
        for score in self.scores:
            if score is not None and not math.isfinite(score):
                raise DataError(f"a score is {score}; expected a finite number, or None for none")

    @property
    def values(self) -> NDArray[np.float64]:
        """The scores as float64 [prompts], NaN where there is none.

        >>> MetricScores("1", True, (0.5, None)).values
        array([0.5, nan])
        """
        return np.array([math.nan if one is None else one for one in self.scores])

    @property
    def missing(self) -> int:
        """How many prompts have no score."""
        return sum(one is None for one in self.scores)


@dataclass(frozen=True)
class Report(Shown):
    """A model's scores on a subset, prompt by prompt; prints as a table.

    Attributes:
        subset: The subset, with its calibration.
        seed: Each image's own seed is made from it and the prompt's id.
        metrics: Scores by metric.
        name: What was evaluated.
        step: The training step it had reached, where it is a checkpoint.
        call: Arguments of the pipeline's call beside prompts and generators; where settings of a
            generator were evaluated, all that determines its images.
        faults: Why there is no score, by prompt id.
        seconds: Wall time, without the loading of scorers.
        versions: Library name to version.
        created: ISO 8601 in UTC.
        images: A PIL image or an `ImageFault` a prompt, where they were asked for; not saved.

    Raises DataError for scores of another number of prompts, and for a metric whose direction is
    not the subset's.

    """

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

    def __post_init__(self) -> None:
        directions = {one.name: one.higher_is_better for one in self.subset.metrics}
        for metric, part in self.metrics.items():
            if directions.get(metric, part.higher_is_better) != part.higher_is_better:
                words = ("lower", "higher")
                raise DataError(
                    f'"{metric}": {words[part.higher_is_better]} is better says its scorer, '
                    f'{words[directions[metric]]} says the subset "{self.subset.name}"; set the '
                    "scorer's higher_is_better, or give it another name"
                )
            if len(part.scores) != self.subset.size:
                raise DataError(
                    f'{len(part.scores)} scores of "{metric}" for {self.subset.size} prompts of '
                    f'"{self.subset.name}"; expected one each'
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
        """Predict full-set scores, of the metrics that are calibrated and whole.

        Where prompts lack a score their mean is not that of the subset, and nothing is predicted.
        """
        usable = self._usable()
        return self.subset.predict(usable, level=level) if usable else {}

    def place(self, *, level: float = 0.9) -> dict[str, Placement]:
        """Place the model among the manifest's known variants, for the same metrics."""
        known = {name for one in self.subset.record.known_variants for name in one.full_means}
        usable = {metric: values for metric, values in self._usable().items() if metric in known}
        return self.subset.place(usable, level=level) if usable else {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know, one line each."""
        lines = []
        calibration = self.subset.record.calibration
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
            learnt = self.subset.record.scorers.get(metric, part.version)
            if learnt != part.version:
                lines.append(
                    f"{metric} was scored by {part.version}, but the subset was chosen and "
                    f"calibrated with {learnt}: predicted full scores may be off"
                )
        if calibration is None:
            lines.append(
                f'subset "{self.subset.name}" is not calibrated: no full score is predicted'
            )
        lines += [one.warning for one in self.predict().values() if one.warning]
        return tuple(lines)

    def scalars(self, prefix: str = "", *, level: float = 0.9) -> dict[str, float]:
        """Return plain numbers for any tracker, all finite, by name.

        ``CLIP`` is the mean over the subset, ``CLIP/full`` the predicted full score with
        ``CLIP/full_low`` and ``CLIP/full_high`` around it, ``CLIP/rank`` the place among the known
        variants, ``missing`` how many scores there are none of.
        """
        found = {metric: mean for metric, mean in self.means.items() if math.isfinite(mean)}
        for metric, one in self.predict(level=level).items():
            found[f"{metric}/full"] = one.value
            found[f"{metric}/full_low"], found[f"{metric}/full_high"] = one.low, one.high
        found |= {f"{name}/rank": float(one.rank) for name, one in self.place(level=level).items()}
        found["missing"] = float(sum(part.missing for part in self.metrics.values()))
        found["seconds"] = self.seconds
        return {f"{prefix}{name}": value for name, value in found.items()}

    def prefix(self, size: int) -> Report:
        """Return the report on the first ``size`` prompts, as if only they had been asked for."""
        if size == self.subset.size:
            return self
        subset = self.subset.prefix(size)
        kept = {
            metric: replace(part, scores=part.scores[:size])
            for metric, part in self.metrics.items()
        }
        asked = set(subset.ids)
        faults = {name: why for name, why in self.faults.items() if name in asked}
        seconds = self.seconds * size / self.subset.size
        images = self.images[:size]
        return replace(
            self, subset=subset, metrics=kept, faults=faults, seconds=seconds, images=images
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON data, without images."""
        body = to_plain(replace(self, images=()))
        return {
            "format": FORMAT,
            "schema_version": SCHEMA_VERSION,
            **body,
            "subset": self.subset.to_dict(),
        }

    def save(self, path: str | Path) -> Path:
        """Write the report as JSON, whole or not at all, and return its path.

        Raises DataError when the file cannot be written or `call` is no JSON data.
        """
        try:
            return write_json(path, self.to_dict())
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{path}: the report holds what JSON has no word for: {error}"
            ) from None

    @classmethod
    def load(cls, path: str | Path) -> Report:
        """Read a report. Raises DataError, one line naming the file and the key at fault."""
        return cls.from_dict(read_json(path), str(path))

    @classmethod
    def from_dict(cls, data: object, source: str = "report") -> Report:
        """Return the report that `to_dict` gave; ``source`` names it in messages.

        Raises DataError naming the key at fault.
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
            key: value for key, value in data.items() if key not in ("format", "schema_version")
        }
        if "images" in body:
            raise DataError(f"{source}: images is not a known key; a saved report holds none")
        subset = Subset.from_dict(body.get("subset"), source=f"{source}: subset")  # its hashes hold
        return from_plain(cls, {**body, "subset": to_plain(subset)}, source=source)

    def view(self, *, level: float = 0.9) -> View:
        """Return what was evaluated, one row a metric, and the warnings.

        Args:
            level: Probability that a full score, or a place, lies in its interval.

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
        about = (
            f"{name}{self.subset.size} prompts of {self.subset.name}, seed {self.seed}, "
            f"{self.seconds:.3g} s"
        )
        warnings = lines(self.warnings, "warning")
        return View((Line(about, "headline"), Table(titles, rows), *warnings))

    def _usable(self) -> dict[str, NDArray[np.float64]]:
        calibration = self.subset.record.calibration
        known = () if calibration is None else calibration.metrics
        return {
            metric: part.values
            for metric, part in self.metrics.items()
            if metric in known and not part.missing
        }
