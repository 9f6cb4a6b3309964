"""Calibration: predicting full-set scores from subset scores, with intervals.

The numbers here come from `flasheval.selection.calibration`, by cross-fitting: groups of variants
were held out, the whole search repeated without them, and their full scores predicted. Predicting
from them needs numpy alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from flasheval.base.drawing.brief import Brief
from flasheval.base.errors import DataError, SettingError
from flasheval.base.suggest import nearest
from flasheval.scores.matrix import sign_of
from flasheval.subset.predictions import Difference, Neighbour, Placement, Prediction
from flasheval.subset.predictor import MetricCalibration, Predictor, require_numbers
from flasheval.subset.scales import scale_refusal
from flasheval.subset.student import t_cdf, t_quantile

__all__ = ["Calibration"]

_EXTRAPOLATED = 0.5  # share of what lies outside the calibrated range that is error in a difference
_REACH = 1e30  # above any quantile of the t distribution that is asked for, with room


@dataclass(frozen=True, repr=False)
class Calibration(Brief):
    """The numbers that predict full-set scores from subset scores, by metric.

    Attributes:
        metrics: the calibration of each metric.
        dof: degrees of freedom of the t distribution of a full score's error.
        difference_dof: degrees of freedom for the error of a difference.
        folds: how many parts the variants were held out in.
        expect: ``similar`` when random parts were held out, for new variants that are like the
            known ones; ``new_family`` when whole groups were held out.
        group: the factor whose values formed those groups.
        seeds: ``search`` where the subset's scores are of images with the seeds searched on,
            ``other`` where they are of images with other seeds.

    Raises DataError for numbers that are not finite and weights of metrics that are not there.

    >>> alone = Predictor({"clip": 1.0}, scale=0.2, by_error=0.4, by_size=0.05)
    >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
    >>> calibration = Calibration({"clip": clip}, dof=8, difference_dof=8, folds=8)
    >>> print(calibration.predict({"clip": 0.32})["clip"])
    clip 0.308 (0.3045 to 0.3115, 90%)
    >>> print(calibration.difference({"clip": 0.32}, {"clip": 0.317}, {"clip": 0.002})["clip"])
    clip 0.0024 (4.784e-05 to 0.004752, 90%), better with probability 0.95

    """

    metrics: Mapping[str, MetricCalibration] = field(hash=False)
    dof: int
    difference_dof: int
    folds: int
    expect: Literal["similar", "new_family"] = "similar"
    group: str | None = None
    seeds: Literal["search", "other"] = "search"

    def __post_init__(self) -> None:
        for name in ("dof", "difference_dof", "folds"):
            if getattr(self, name) < 1:
                raise DataError(f"{name} is {getattr(self, name)}; expected at least 1")
        for name, part in self.metrics.items():
            for predictor in (part.alone, part.joint):
                unknown = [] if predictor is None else set(predictor.weights) - set(self.metrics)
                if unknown:
                    raise DataError(
                        f"{name} is predicted from {min(unknown)}, which is not calibrated; "
                        "fit the calibration again"
                    )

    def predict(
        self,
        subset_means: Mapping[str, float],
        *,
        level: float = 0.9,
        fresh: Mapping[str, float] | None = None,
    ) -> dict[str, Prediction]:
        """Predict the full score of a new variant in every metric given.

        Other metrics of the same images help a little: all are used when all are given.

        Args:
            subset_means: The variant's (weighted) mean score over the subset, by metric.
            level: Probability that the true full score lies in the interval.
            fresh: By metric, the variance that image noise of a kind the calibration has not met
                has in the subset mean; see `flasheval.subset.two_stage.fresh_loadings`.

        Returns:
            By metric: the weighted sum of standardised subset means, with a t interval.

        Raises:
            SettingError: A level outside (0, 1), or no metric.
            DataError: A metric that is not calibrated, a mean that is not finite or on another
                scale.

        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> calibration = Calibration({"clip": clip}, dof=8, difference_dof=8, folds=8)
        >>> found = calibration.predict({"clip": 0.35}, level=0.5)["clip"]
        >>> found.low < found.value < found.high, found.warning[:42]
        (True, 'its clip subset mean, 0.35, lies outside t')

        """
        quantile = _quantile(level, self.dof)
        predictions = {}
        for metric in self._checked(subset_means):
            part = self.metrics[metric]
            units, scale, predictor = self._score(metric, subset_means)
            scale = math.hypot(scale, math.sqrt(self._effect(predictor, fresh)))
            value, reach = part.full_mean + part.full_sd * units, quantile * scale * part.full_sd
            warning = self._warning(predictor, subset_means)
            predictions[metric] = Prediction(
                metric, value, value - reach, value + reach, level, warning
            )
        return predictions

    def difference(
        self,
        first: Mapping[str, float],
        second: Mapping[str, float],
        errors: Mapping[str, float] | None = None,
        *,
        level: float = 0.9,
        related: bool = True,
        fresh: Mapping[str, float] | None = None,
    ) -> dict[str, Difference]:
        """Predict the full-set difference of two new variants, first minus second.

        Both are scored on the same prompts, so much of their errors cancels: the more alike their
        scores prompt by prompt, the more. Paired standard errors tell how alike they are.

        Args:
            first: The first variant's mean over the subset, by metric.
            second: The second's, of the same metrics.
            errors: Paired standard error of their difference over the subset, by metric (see
                `flasheval.subset.paired.paired_errors`). Where it is not known the size of the
                predicted difference takes its place, less sharply.
            level: Probability that the true difference lies in the interval.
            related: Whether two variants of a new family are of the same one, such as two
                checkpoints of one training run; False treats their errors as independent. It
                makes no difference where `expect` is ``similar``.
            fresh: By metric, the variance that image noise of a kind the calibration has not met
                has in the difference of the subset means.

        Raises:
            SettingError: A level outside (0, 1), or no metric.
            DataError: A metric not calibrated or not given for both, or a number not finite.

        >>> alone = Predictor({"lpips": 1.0}, scale=0.2, by_error=0.4)
        >>> lpips = MetricCalibration(False, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> calibration = Calibration({"lpips": lpips}, dof=8, difference_dof=8, folds=8)
        >>> errors = {"lpips": 0.002}
        >>> found = calibration.difference({"lpips": 0.30}, {"lpips": 0.31}, errors)["lpips"]
        >>> found.value < 0, round(found.probability, 3)  # lower is better: the first wins
        (True, 1.0)

        """
        quantile = _quantile(level, self.difference_dof)
        if set(first) != set(second):
            odd = min(set(first) ^ set(second))
            raise DataError(f'metric "{odd}" is given for one of the two variants; give both')
        for paired in (errors or {}).values():
            if not 0 <= paired < math.inf:
                raise DataError(f"a paired standard error is {paired}; expected at least 0")
        self._checked(second)
        differences = {}
        for metric in self._checked(first):
            part = self.metrics[metric]
            units, scale, predictor = self._score(metric, first)
            others_units, others_scale, _ = self._score(metric, second)
            units -= others_units
            error = None if errors is None or metric not in errors else errors[metric]
            shared, effect = None, self._effect(predictor, fresh)
            if related or self.expect == "similar":
                error = None if error is None else error / part.full_sd
                new = (fresh or {}).get(metric, 0.0) / part.full_sd**2
                new = 0.0 if math.isnan(new) else new
                shared = predictor.difference_scale(units, error, new, effect)
                # What of a difference lies outside of what was seen is extrapolated: half of it
                # counts as error, so that it decides nothing alone.
                apart = part.excess(first[metric]) - part.excess(second[metric])
                shared = None if shared is None else math.hypot(shared, _EXTRAPOLATED * apart)
            apart_scale = math.hypot(scale, others_scale, math.sqrt(effect))
            scale = apart_scale if shared is None else shared
            reach = quantile * scale
            differences[metric] = Difference(
                metric,
                part.full_sd * units,
                part.full_sd * (units - reach),
                part.full_sd * (units + reach),
                level,
                _better(units, scale, self.difference_dof, part.higher_is_better),
                self._warning(predictor, first, second),
            )
        return differences

    def place(
        self,
        subset_means: Mapping[str, float],
        known: Mapping[str, Mapping[str, float]],
        *,
        level: float = 0.9,
        fresh: Mapping[str, float] | None = None,
    ) -> dict[str, Placement]:
        """Place a new variant among known ones, whose full scores are certain.

        Args:
            subset_means: The new variant's mean over the subset, by metric.
            known: By metric, the full score of every known variant, by name.
            level: Probability that the true rank lies between best and worst.
            fresh: As for `predict`.

        Returns:
            By metric, for metrics with known full scores.

        Raises:
            SettingError: A level outside (0, 1), or no metric.
            DataError: A metric that is not calibrated, or no full score known of any.

        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> calibration = Calibration({"clip": clip}, dof=8, difference_dof=8, folds=8)
        >>> placement = calibration.place({"clip": 0.31}, {"clip": {"a": 0.31, "b": 0.29}})["clip"]
        >>> placement.rank, placement.best, placement.worst
        (2, 2, 2)

        """
        placements = {}
        for metric, prediction in self.predict(subset_means, level=level, fresh=fresh).items():
            full = known.get(metric)
            if not full:
                continue
            part = self.metrics[metric]
            sign = sign_of(part.higher_is_better)
            _, scale, predictor = self._score(metric, subset_means)
            scale = part.full_sd * math.hypot(scale, math.sqrt(self._effect(predictor, fresh)))
            order = sorted(full, key=lambda name: -sign * full[name])
            neighbours = tuple(
                Neighbour(
                    name,
                    full[name],
                    _better(prediction.value - full[name], scale, self.dof, part.higher_is_better),
                )
                for name in order
            )
            ends = (prediction.value, prediction.low, prediction.high)
            rank, *bounds = (1 + sum(sign * y > sign * end for y in full.values()) for end in ends)
            placements[metric] = Placement(
                metric, rank, min(bounds), max(bounds), level, neighbours, prediction.warning
            )
        if not placements:
            raise DataError(
                f"no full scores of known variants in {', '.join(subset_means)}; there are: "
                f"{', '.join(known) or 'none'}"
            )
        return placements

    def half_width(self, metrics: Iterable[str], level: float = 0.9) -> dict[str, float]:
        """Return half the width of a typical interval, by metric, when these metrics are scored.

        The unit is the standard deviation of the known variants' full scores.

        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> calibration = Calibration({"clip": clip}, dof=8, difference_dof=8, folds=8)
        >>> round(calibration.half_width(["clip"])["clip"], 3)  # 1.86 t quantile times scale 0.2
        0.372
        """
        metrics, quantile = tuple(metrics), _quantile(level, self.dof)
        self._checked(dict.fromkeys(metrics, 0.0))
        return {metric: quantile * self._predictor(metric, metrics).scale for metric in metrics}

    def summary(self, metrics: Iterable[str], level: float = 0.9) -> str:
        """Return one line that says how well full scores are predicted, and from what seeds.

        The standard deviation is that of the known variants' full scores.
        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> Calibration({"clip": clip}, dof=8, difference_dof=8, folds=8).summary(["clip"])
        "a new variant's full clip score is predicted within +-0.37 standard deviations (90%)"
        """
        widths = {m: f"+-{width:.2f}" for m, width in self.half_width(metrics, level).items()}
        whose = "a new variant's" if self.expect == "similar" else f"a new {self.group}'s"
        if self.seeds == "other":
            whose = f"from images of other seeds than the search's, {whose}"
        if len(widths) == 1:
            ((metric, width),) = widths.items()
            said = f"{whose} full {metric} score is predicted within {width}"
        else:
            parts = ", ".join(f"{width} ({metric})" for metric, width in widths.items())
            said = f"{whose} full scores are predicted within {parts}"
        return f"{said} standard deviations ({level:.0%})"

    def refusal(self, metric: str, mean: float) -> str | None:
        """Return why nothing is predicted from a subset mean: it is on another scale; or None.

        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> calibration = Calibration({"clip": clip}, dof=8, difference_dof=8, folds=8)
        >>> calibration.refusal("clip", 31.0)[-24:], calibration.refusal("clip", 0.34)
        ('divide the scores by 100', None)
        """
        part = self.metrics[metric]
        return scale_refusal(metric, mean, part.low, part.high)

    def used(self, metric: str, given: Iterable[str]) -> tuple[str, ...]:
        """Return the metrics whose subset means predict a metric, of those given.

        >>> alone = Predictor({"clip": 1.0}, scale=0.2)
        >>> clip = MetricCalibration(True, 0.3, 0.01, 0.31, 0.8, 0.29, 0.33, alone)
        >>> Calibration({"clip": clip}, dof=8, difference_dof=8, folds=8).used("clip", ["clip"])
        ('clip',)
        """
        return tuple(self._predictor(metric, given).weights)

    def _predictor(self, metric: str, given: Iterable[str]) -> Predictor:
        """Return what predicts a metric best from the metrics given."""
        part = self.metrics[metric]
        if part.joint is not None and set(part.joint.weights) <= set(given):
            return part.joint
        return part.alone

    def _score(self, metric: str, means: Mapping[str, float]) -> tuple[float, float, Predictor]:
        """Predicted full score and scale of its error, in standard units, and what predicted it."""
        part, predictor = self.metrics[metric], self._predictor(metric, means)
        units = sum(
            weight * self.metrics[name].standardised(means[name])
            for name, weight in predictor.weights.items()
        )
        scale = predictor.score_scale(units, part.beyond(means[metric]))
        if not math.isfinite(part.full_mean + part.full_sd * (abs(units) + scale) * _REACH):
            raise DataError(
                f"{metric} cannot be predicted: the numbers of its calibration are too large or "
                "too small to compute with; calibrate again"
            )
        return units, scale, predictor

    def _effect(self, predictor: Predictor, fresh: Mapping[str, float] | None) -> float:
        """Variance that new image noise in subset means makes in a prediction, in standard units.

        How it goes together from metric to metric is not known: the most that it can be counts. One
        that is NaN is not known and left out.
        """
        known = {name: one for name, one in (fresh or {}).items() if not math.isnan(one)}
        parts = (
            abs(weight)
            * abs(self.metrics[name].slope)
            / self.metrics[name].full_sd
            * math.sqrt(known.get(name, 0.0))
            for name, weight in predictor.weights.items()
        )
        return math.fsum(parts) ** 2

    def _checked(self, means: Mapping[str, float]) -> Mapping[str, float]:
        if not means:
            raise SettingError(f"no subset mean is given; give one of {', '.join(self.metrics)}")
        for metric, mean in means.items():
            if metric not in self.metrics:
                raise DataError(
                    f'metric "{metric}" is not calibrated; there are: {", ".join(self.metrics)}'
                    f"{nearest(metric, self.metrics)}"
                )
            require_numbers(f'the subset mean of "{metric}"', [mean])
            refusal = self.refusal(metric, mean)
            if refusal:
                raise DataError(refusal)
        return means

    def _warning(self, predictor: Predictor, *variants: Mapping[str, float]) -> str:
        """Name the first metric whose subset mean lies clearly outside the known variants'."""
        for means in variants:
            for metric in predictor.weights:
                part, mean = self.metrics[metric], means[metric]
                if part.is_outside(mean):
                    far = not 2 * part.low - part.high <= mean <= 2 * part.high - part.low
                    how = ", by more than it is wide" if far else ""
                    return (
                        f"its {metric} subset mean, {mean:.4g}, lies outside the calibrated range, "
                        f"{part.low:.4g} to {part.high:.4g}{how}: the interval is widened for it, "
                        "but the error may be larger"
                    )
        return ""


def _better(value: float, scale: float, dof: int, higher_is_better: bool) -> float:
    """Probability that a difference, predicted with an error of that scale, is an improvement."""
    signed = sign_of(higher_is_better) * value
    if scale == 0:
        return 0.5 if signed == 0 else float(signed > 0)
    return t_cdf(signed / scale, dof)


def _quantile(level: float, dof: int) -> float:
    if not 0 < level < 1:
        raise SettingError(f"level={level}: expected a number between 0 and 1, such as 0.9")
    return t_quantile(0.5 + level / 2, dof)
