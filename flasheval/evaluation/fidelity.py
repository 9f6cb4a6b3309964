"""What a training has lost of one metric while another one decides: the monitor's second metric.

A tuning for beautiful images may paint less and less of what prompts ask for. What a checkpoint has
lost is its predicted full-set difference from the checkpoint that training began with, paired
prompt by prompt. That one is fixed beforehand: the best so far would be the luckiest of many, from
which others seem to have lost more than they have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flasheval.base.errors import DataError, MissingScoresError, SettingError
from flasheval.base.suggest import nearest
from flasheval.evaluation.comparison import compare
from flasheval.evaluation.monitor_state import LostFidelity
from flasheval.evaluation.report import Report
from flasheval.scores.matrix import sign_of
from flasheval.subset import Subset

__all__ = ["FidelityRule"]


@dataclass(frozen=True)
class FidelityRule:
    """How much of a metric may be lost.

    Attributes:
        metric: The metric that is watched.
        most_lost: The most of it that may be lost on the full set, in its own units.

    Raises SettingError for a bad number.

    >>> FidelityRule("Composition", -0.1)
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: most_lost=-0.1: expected a number from 0 on, such as 0.02

    """

    metric: str
    most_lost: float

    def __post_init__(self) -> None:
        if not 0 <= self.most_lost < math.inf:
            raise SettingError(
                f"most_lost={self.most_lost}: expected a number from 0 on, such as 0.02"
            )

    @classmethod
    def of(cls, metric: str | None, most_lost: float | None, decides: str) -> FidelityRule | None:
        """Return the rule of two settings; None where neither is set.

        Args:
            metric: The setting ``fidelity``.
            most_lost: The setting ``most_lost``.
            decides: The metric that decides.

        Raises SettingError for one without the other, and for the metric that decides.

        >>> FidelityRule.of("Composition", 0.02, "Quality")
        FidelityRule(metric='Composition', most_lost=0.02)
        >>> FidelityRule.of("Composition", None, "Quality")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: fidelity=Composition needs most_lost=, the most ...

        """
        if metric is None and most_lost is None:
            return None
        if metric is None:
            raise SettingError(
                f"most_lost={most_lost} needs fidelity=, the metric of which no more may be lost"
            )
        if most_lost is None:
            raise SettingError(
                f"fidelity={metric} needs most_lost=, the most of it that may be lost, in its own "
                "units, such as 0.02"
            )
        if metric == decides:
            raise SettingError(
                f"fidelity={metric} is the metric that decides; name another, or leave it out"
            )
        return cls(metric, most_lost)

    def check_given(self, metrics: Sequence[str]) -> None:
        """Raise SettingError where no scorer gives the metric.

        >>> FidelityRule("Quality", 0.02).check_given(["CLIP"])
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: fidelity=Quality: no scorer gives it; there are: CLIP
        """
        if self.metric not in metrics:
            raise SettingError(
                f"fidelity={self.metric}: no scorer gives it; there are: {', '.join(metrics)}"
                f"{nearest(self.metric, metrics)}"
            )

    def check_calibrated(self, subset: Subset, seeds: str) -> None:
        """Raise DataError where nothing is known of the metric's full scores.

        Args:
            subset: The subset.
            seeds: Whose seeds the images have, as for `Subset.calibrated_for`.

        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> FidelityRule("LPIPS", 0.02).check_calibrated(subset, "search")
        Traceback (most recent call last):
        flasheval.base.errors.DataError: subset "coco-shared-50" is not calibrated for LPIPS; \
search with metric=[...,LPIPS] and calibrate=true

        """
        calibration = subset.calibrated_for(seeds)
        if calibration is None or self.metric not in calibration.metrics:
            raise DataError(
                f'subset "{subset.name}" is not calibrated for {self.metric}; search with '
                f"metric=[...,{self.metric}] and calibrate=true"
            )

    def lost(
        self, report: Report, reference: Report, *, error: float, level: float = 0.9
    ) -> LostFidelity | None:
        """Return what a model has lost since the reference; None where scores are missing.

        Args:
            report: The model's report.
            reference: The reference's, on as many prompts.
            error: Probability allowed of calling it too much where just `most_lost` was lost.
            level: Probability that the true loss lies in the interval shown.

        Raises DataError for reports that cannot be compared.

        >>> from flasheval.evaluation.report import MetricScores
        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> old, new = (Report(subset, 0, {"CLIP": MetricScores("1", True, (mean,) * subset.size)})
        ...             for mean in (0.27, 0.24))
        >>> lost = FidelityRule("CLIP", 0.01).lost(new, old, error=0.05)
        >>> round(lost.value, 3), lost.too_much  # on the full set; chosen prompts tell more apart
        (0.013, True)

        """
        try:
            shown, lower = (
                compare(reference, report, metrics=self.metric, level=one).full.get(self.metric)
                for one in (level, 1 - 2 * error)  # below this one's low end with `error`
            )
        except MissingScoresError:
            return None
        if shown is None or lower is None:
            return None
        sign = sign_of(report.metrics[self.metric].higher_is_better)
        low, high = sorted((sign * shown.low, sign * shown.high))
        return LostFidelity(
            self.metric,
            reference.step,
            sign * shown.value,
            low,
            high,
            level,
            min(sign * lower.low, sign * lower.high) > self.most_lost,
        )
