"""`flasheval.audit`: what a subset promised, checked against full scores measured since."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.arguments import checked_arguments
from flasheval.base.checks import check_draws, checked_names, checked_seed
from flasheval.base.drawing.brief import Brief
from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Part, Table, View, lines
from flasheval.base.errors import DataError, SettingError
from flasheval.base.progress import Report as Progress
from flasheval.base.progress import reporting
from flasheval.base.suggest import nearest
from flasheval.base.text import first_few
from flasheval.evaluation.report import Report
from flasheval.scores import ScoreTable, load_scores
from flasheval.scores.ranking.kendall import kendall_tau_b, tau_b_of_sets
from flasheval.scores.ranking.simultaneous import check_level
from flasheval.subset import Subset
from flasheval.subset.evidence import KnownVariant
from flasheval.subset.image_plan import SeedsKind
from flasheval.subset.library.finding import find_subset
from flasheval.subset.paired import weighted_means
from flasheval.subset.predictions import Prediction

__all__ = ["Audit", "MetricAudit", "audit"]

_FEW = 5  # new variants of which little can be said
_DOUBT = 0.05
_MOVED = 1e-4  # of the full scores' spread: more than another order of summing makes
_NAMED = 4


@dataclass(frozen=True, eq=False, repr=False)
class MetricAudit(Brief):
    """What one metric's predictions turned out to be worth.

    Attributes:
        metric: The metric.
        names: The variants that the subset's search did not see, with full scores now.
        full: Their full scores, float64 [names].
        predictions: What was predicted of each; None where nothing was.
        tau: Kendall's tau-b of the subset's ranking of them with the full one; NaN below two.
        random_tau: The mean of as many random prompts.
        promised_tau: Held-out tau that the manifest promised; NaN where it promised none.
        spread: Standard deviation of the known variants' full scores; NaN where not calibrated.
        moved: Known variants whose full score in the table is not the manifest's.
        outside: How many new variants lie clearly outside the calibrated range.

    """

    metric: str
    names: tuple[str, ...]
    full: NDArray[np.float64]
    predictions: tuple[Prediction | None, ...]
    tau: float
    random_tau: float
    promised_tau: float
    spread: float
    moved: tuple[str, ...] = ()
    outside: int = 0

    @property
    def errors(self) -> NDArray[np.float64]:
        """Full score less predicted, in standard deviations of the known ones; NaN where none."""
        values = [math.nan if one is None else one.value for one in self.predictions]
        return (self.full - np.array(values, dtype=np.float64)) / self.spread

    @property
    def held(self) -> NDArray[np.bool_]:
        """Whether each predicted interval holds the full score, bool [those predicted]."""
        pairs = zip(self.predictions, self.full.tolist(), strict=True)
        return np.array([p.low <= y <= p.high for p, y in pairs if p is not None], dtype=bool)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the subset should not be trusted in this metric, one line each.

        Each is a finding that chance alone gives one time in twenty at most, or nearly so.
        """
        found = []
        held = self.held
        level = next((one.level for one in self.predictions if one is not None), 0.9)
        if held.size and _at_most(int(held.sum()), held.size, level) < _DOUBT:
            found.append(
                f"{self.metric}: {held.sum()} of {held.size} intervals held, {level:.0%} promised"
            )
        errors = self.errors[~np.isnan(self.errors)]
        if len(errors) >= _FEW:
            mean, spread = errors.mean(), errors.std(ddof=1) / math.sqrt(len(errors))
            if abs(mean) > 2.5 * spread and abs(mean) > 0.1:
                which = "higher" if mean > 0 else "lower"
                found.append(
                    f"{self.metric}: full scores are {which} than predicted by {abs(mean):.2f} "
                    "standard deviations on average"
                )
        if len(self.names) >= _FEW and self.tau < self.random_tau - _DOUBT:
            found.append(
                f"{self.metric}: tau {self.tau:.3f} on new variants, random prompts give "
                f"{self.random_tau:.3f}"
            )
        if len(self.names) >= _FEW and self.outside > len(self.names) / 2:
            found.append(
                f"{self.metric}: {self.outside} of {len(self.names)} new variants lie outside the "
                "calibrated range"
            )
        return tuple(found)


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Shown):
    """A subset's predictions against full scores measured since; prints as a table.

    Attributes:
        subset: The subset.
        metrics: By metric.
        warnings: What a reader must know, one line each.

    """

    kind = "audit"

    subset: Subset
    metrics: tuple[MetricAudit, ...]
    warnings: tuple[str, ...] = ()
    known: tuple[KnownVariant, ...] = field(default=(), repr=False)

    @property
    def due(self) -> bool:
        """Whether a new search is due."""
        return any(one.doubts for one in self.metrics)

    def updated(self) -> Subset:
        """Return the subset with the audited variants among its known ones; its hash stays."""
        record = self.subset.record
        names = {one.name for one in self.known}
        kept = tuple(one for one in record.known_variants if one.name not in names)
        return replace(self.subset, record=replace(record, known_variants=(*kept, *self.known)))

    def view(self) -> View:
        """Return the answer, a row a metric, the widest misses and the warnings."""
        rows = [_row(one) for one in self.metrics]
        titles: tuple[str, ...] = (
            "\nmetric",
            "new\nvariants",
            "intervals\nheld",
            "mean\nerror (sd)",
            "tau of new\nvariants",
            "random\nprompts",
            "tau\npromised",
        )
        parts: list[Part] = [Line(_answer(self), "headline"), Line("")]
        parts.append(Table(titles, rows))
        missed = _missed(self.metrics)
        if missed:
            titles = ("metric", "variant", "predicted", "interval", "full score")
            parts += [Line(""), Line("Outside their intervals:"), Table(titles, missed, left=2)]
        doubts = [line for one in self.metrics for line in one.doubts]
        if doubts or self.warnings:
            parts += [Line(""), *lines([*doubts, *self.warnings], "warning")]
        return View(tuple(parts))

    def _brief(self) -> str:
        said = "a new search is due" if self.due else "it kept its word"
        return f"{self.subset.name} in {first_few([one.metric for one in self.metrics])}: {said}"

    def _data(self) -> dict[str, object]:
        numbers = ("tau", "random_tau", "promised_tau", "spread", "outside", "moved", "doubts")
        return {
            "subset": self.subset.name,
            "content_hash": self.subset.content_hash,
            "due": self.due,
            "metrics": [
                {
                    "metric": one.metric,
                    **{name: getattr(one, name) for name in numbers},
                    "variants": _fates(one),
                }
                for one in self.metrics
            ],
            "warnings": self.warnings,
        }

    def _rows(self) -> list[dict[str, object]]:
        return [{"metric": one.metric, **row} for one in self.metrics for row in _fates(one)]


def _fates(one: MetricAudit) -> list[dict[str, object]]:
    """Return a row a new variant: its full score, and what was predicted."""
    rows: list[dict[str, object]] = []
    for name, full, guess in zip(one.names, one.full.tolist(), one.predictions, strict=True):
        rows.append({"variant": name, "full": full})
        for key, found in (("predicted", "value"), ("low", "low"), ("high", "high")):
            rows[-1][key] = None if guess is None else getattr(guess, found)
        rows[-1]["held"] = None if guess is None else guess.low <= full <= guess.high
    return rows


@checked_arguments
def audit(
    subset: Subset | str | Path,
    scores: Any,
    *,
    reports: Iterable[Report | str | Path] = (),
    metric: str | Sequence[str] | None = None,
    level: float = 0.9,
    draws: int = 500,
    seed: int = 0,
    progress: Progress | bool | None = None,
) -> Audit:
    """Check what a subset promised against full scores measured since its search.

    Every variant of the table that has all scores and was not searched is predicted from the
    subset's prompts alone, as on the day it was new: was its full score in the interval, is the
    ranking right, is a new search due?

    Args:
        subset: A subset, a manifest, a run's folder or a published name.
        scores: Scores of the whole prompt set, as for `load_scores`, of new and known variants.
        reports: Reports of `flasheval.evaluate` on this subset: what they predicted is checked in
            place of what the table's own scores would predict, for the variants they name.
        metric: One metric or several; all that the subset serves and the table has by default.
        level: Probability promised of the intervals.
        draws: Random sets of prompts drawn for comparison.
        seed: Of the draws.
        progress: A function of a label, the metrics done and those there are; False for none; by
            default lines or a bar on standard error after two seconds.

    Raises:
        SettingError: An invalid setting.
        DataError: Scores of other prompts, or none of a new variant.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> from flasheval.selection.search import search
        >>> table = synthetic_scores(16, 300).with_metrics(["quality"])
        >>> old = table.with_variants(table.variant_names[:12])
        >>> found = search(old, size=30, method="pooled", splits=None, draws=20)
        >>> again = audit(found.subset, table)
        >>> len(again.metrics[0].names), again.metrics[0].held.size
        (4, 4)

    """
    check_draws(draws)
    seed = checked_seed(seed)
    check_level(level)
    chosen = subset if isinstance(subset, Subset) else find_subset(subset)
    table = load_scores(scores)
    warnings = _check_prompts(chosen, table)
    names = _metrics(chosen, table, metric)
    made, kinds = _reports(chosen, reports)
    searched = chosen.record.seeds
    apart = None not in (searched, table.seeds) and searched != table.seeds
    usual: SeedsKind = "other" if apart else "search"
    parts = {name: table.with_metrics([name]) for name in names}
    full = {name: dict(_means(part, name)) for name, part in parts.items()}
    new = _new_variants(chosen, full)
    warnings += _unused(made, new, names)
    rows = table.prompts.index_of(chosen.ids)
    own = {
        variant: {
            name: table[name].values[table.variant_names.index(variant), rows].astype(np.float64)
            for name in names
            if variant in full[name]
        }
        for variant in new
    }
    of_seeds = {variant: kinds.get(variant, usual) for variant in new}
    found: list[MetricAudit] = []
    with reporting(progress) as report:
        for place, name in enumerate(names):
            if report is not None:
                report(f"audit of {name}", place, len(names))
            about = (chosen, table, name, full[name], own, made, of_seeds)
            found.append(_audited(*about, level, draws, seed))
    predicted = any(one is not None for each in found for one in each.predictions)
    if not predicted:
        warnings.append("the subset is not calibrated: only its ranking is checked")
    warnings += [
        f"{one.metric}: {len(one.moved)} known variants have another full score than the manifest "
        f"({', '.join(one.moved[:_NAMED])}{', ...' if len(one.moved) > _NAMED else ''}): was "
        "another scorer, seed or version used?"
        for one in found
        if one.moved
    ]
    if len(new) < _FEW:
        warnings.append(f"{len(new)} new variant{'s' * (len(new) != 1)}: few to tell by")
    return Audit(chosen, tuple(found), tuple(warnings), _known(chosen, full, own))


def _check_prompts(subset: Subset, table: ScoreTable) -> list[str]:
    if table.prompts.text_hashes is None:
        table.prompts.index_of(subset.ids)  # refuses ids that are not there
        if table.prompts.may_be(subset.prompt_set_hash):
            return []
    else:
        subset.verify(table.prompts)
    if subset.prompt_set_hash in (None, table.prompts.hash):
        return []
    return [
        f"the table's {table.n_prompts:,} prompts are not known to be {subset.prompt_set_name}, "
        "whose full scores were promised: its full scores are over these"
    ]


def _metrics(
    subset: Subset, table: ScoreTable, asked: str | Sequence[str] | None
) -> tuple[str, ...]:
    served = [one.name for one in subset.metrics if one.name in table.metrics]
    names = checked_names("metric", asked) or tuple(served)
    for name in names:
        if name not in served:
            raise SettingError(
                f'metric={name}: not served by subset "{subset.name}", or not in the scores; '
                f"there are: {', '.join(served) or 'none'}{nearest(name, served)}"
            )
    if not names:
        raise DataError(
            f'the scores have none of the metrics of subset "{subset.name}": '
            f"{', '.join(one.name for one in subset.metrics)}; they have {', '.join(table.metrics)}"
        )
    for one in subset.metrics:
        if one.name in names and table[one.name].higher_is_better != one.higher_is_better:
            raise DataError(
                f"{one.name}: higher is better in one of the subset and the scores, lower in the "
                "other; say it with higher_is_better"
            )
    return names


def _means(table: ScoreTable, metric: str) -> Iterable[tuple[str, float]]:
    """Return the full score of each variant that has every score."""
    matrix = table[metric]
    for name, mean in zip(matrix.variants, matrix.full_means, strict=True):
        if not math.isnan(mean):
            yield name, float(mean)


def _new_variants(subset: Subset, full: dict[str, dict[str, float]]) -> tuple[str, ...]:
    searched = set(subset.searched_variants)
    new = tuple(dict.fromkeys(n for means in full.values() for n in means if n not in searched))
    if not new:
        raise DataError(
            f'the scores have no complete variant that the search of "{subset.name}" did not see; '
            "add variants that were scored since on every prompt"
        )
    return new


def _reports(
    subset: Subset, given: Iterable[Report | str | Path]
) -> tuple[dict[str, dict[str, NDArray[np.float64]]], dict[str, SeedsKind]]:
    """Return the scores of reports on the subset's prompts, by the model's name and metric.

    Beside them, by the model's name, whether its images have the search's seeds or other ones.
    """
    found, kinds = {}, {}
    for one in given:
        report = one if isinstance(one, Report) else Report.load(one)
        if report.subset.content_hash != subset.content_hash:
            raise DataError(
                f'report of {report.name or one}: it is on subset "{report.subset.name}", not on '
                f'"{subset.name}"'
            )
        if not report.name:
            raise DataError(f"report {one}: it names no model, so no full score can be its own")
        if report.name in found:
            raise DataError(f"two reports are of {report.name}; give one")
        parts = {metric: part.values for metric, part in report.metrics.items()}
        found[report.name] = {m: v for m, v in parts.items() if not np.isnan(v).any()}
        kinds[report.name] = report.seeds
    return found, kinds


def _unused(
    made: dict[str, dict[str, NDArray[np.float64]]], new: Sequence[str], metrics: Sequence[str]
) -> list[str]:
    """Return a line for what reports say that is not checked."""
    lines = [
        f"the report of {name} is not checked: the scores have no new variant of that name that is "
        f"complete{nearest(name, new)}"
        for name in made
        if name not in new
    ]
    lines += [
        f"the report of {name} has no whole {metric} scores: the table's are taken"
        for name, parts in made.items()
        for metric in metrics
        if name in new and metric not in parts
    ]
    return lines


def _audited(
    subset: Subset,
    table: ScoreTable,
    metric: str,
    full: dict[str, float],
    own: dict[str, dict[str, NDArray[np.float64]]],
    made: dict[str, dict[str, NDArray[np.float64]]],
    seeds: Mapping[str, SeedsKind],
    level: float,
    draws: int,
    seed: int,
) -> MetricAudit:
    names = tuple(name for name in own if metric in own[name])
    sign = table[metric].sign
    truth = np.array([full[name] for name in names])
    given = {name: made.get(name, {}).get(metric, own[name][metric]) for name in names}
    means = weighted_means(given, subset.weights)
    own_calibration = subset.record.calibration
    part = None if own_calibration is None else own_calibration.metrics.get(metric)

    def predicted(name: str) -> Prediction | None:
        calibration = subset.calibrated_for(seeds[name])
        if calibration is None or metric not in calibration.metrics:
            return None
        return subset.predict({metric: given[name]}, level=level, seeds=seeds[name])[metric]

    predictions = tuple(map(predicted, names))
    tau, random_tau = math.nan, math.nan
    if len(names) > 1:
        tau = kendall_tau_b([sign * means[name] for name in names], sign * truth)
        random_tau = _random_tau(table, metric, names, truth, subset.size, draws, seed)
    evidence = subset.record.evidence
    promised = evidence.metrics.get(metric) if evidence is not None else None
    return MetricAudit(
        metric,
        names,
        truth,
        predictions,
        tau,
        random_tau,
        math.nan if promised is None else promised.held_out_tau.mean,
        math.nan if part is None else part.full_sd,
        _moved(subset, metric, full),
        0 if part is None else sum(map(part.is_outside, means.values())),
    )


def _random_tau(
    table: ScoreTable,
    metric: str,
    names: Sequence[str],
    truth: NDArray[np.float64],
    size: int,
    draws: int,
    seed: int,
) -> float:
    matrix = table[metric]
    rows = [matrix.variants.index(name) for name in names]
    there = np.flatnonzero(~np.isnan(matrix.values[rows]).any(axis=0))
    rng = np.random.default_rng(seed)
    size = min(size, len(there))
    sets = np.stack([rng.choice(there, size, replace=False) for _ in range(draws)])
    by_prompt = np.ascontiguousarray(np.nan_to_num(matrix.values[rows]).T)
    return float(np.nanmean(tau_b_of_sets(by_prompt, truth, sets)))


def _moved(subset: Subset, metric: str, full: dict[str, float]) -> tuple[str, ...]:
    """Return known variants whose full score is another one now."""
    known = {one.name: one.full_means.get(metric) for one in subset.record.known_variants}
    both = [(name, full[name], mean) for name, mean in known.items() if mean and name in full]
    if len(both) < 2:
        return ()
    spread = float(np.std([mean for _, _, mean in both])) or 1.0
    return tuple(name for name, now, then in both if abs(now - then) > _MOVED * spread)


def _known(
    subset: Subset,
    full: dict[str, dict[str, float]],
    own: dict[str, dict[str, NDArray[np.float64]]],
) -> tuple[KnownVariant, ...]:
    return tuple(
        KnownVariant(
            name,
            {metric: full[metric][name] for metric in scores},
            weighted_means(scores, subset.weights),
        )
        for name, scores in own.items()
    )


def _at_most(held: int, count: int, level: float) -> float:
    """Return the chance of so few intervals that hold, or fewer, where each holds at `level`."""
    return sum(math.comb(count, k) * level**k * (1 - level) ** (count - k) for k in range(held + 1))


def _answer(found: Audit) -> str:
    name = found.subset.name
    if found.due:
        return f"A new search is due: {name} does not hold what it promised on new variants."
    held = sum(int(one.held.sum()) for one in found.metrics)
    count = sum(one.held.size for one in found.metrics)
    if not count:
        return f"{name} ranks the new variants no worse than random prompts do."
    return f"{name} holds: {held} of {count} intervals of new variants have the full score in them."


def _row(one: MetricAudit) -> tuple[str, ...]:
    errors = one.errors[~np.isnan(one.errors)]
    return (
        one.metric,
        str(len(one.names)),
        f"{one.held.sum()} of {one.held.size}" if one.held.size else "-",
        f"{errors.mean():+.2f}" if len(errors) else "-",
        _number(one.tau),
        _number(one.random_tau),
        _number(one.promised_tau),
    )


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _missed(metrics: Sequence[MetricAudit]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for one in metrics:
        order = np.argsort(-np.abs(np.nan_to_num(one.errors)))
        for place in order:
            guess, truth = one.predictions[place], float(one.full[place])
            if guess is None or guess.low <= truth <= guess.high:
                continue
            rows.append(
                (
                    one.metric,
                    one.names[place],
                    f"{guess.value:.4g}",
                    f"{guess.low:.4g} to {guess.high:.4g}",
                    f"{truth:.4g}",
                )
            )
    return rows[: 3 * _NAMED]
