"""A checkpoint monitor for training loops: finds the best checkpoint and says when to stop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flasheval.base.arguments import checked_class
from flasheval.base.errors import DataError, MissingScoresError, SettingError
from flasheval.base.json_data import from_plain, read_json, to_plain, write_json
from flasheval.evaluation.evaluate import evaluate
from flasheval.evaluation.fidelity import FidelityRule
from flasheval.evaluation.look_plan import LooksByCost
from flasheval.evaluation.monitor_state import LostFidelity, MonitoredStep, MonitorState, Verdict
from flasheval.evaluation.processes import processes
from flasheval.evaluation.report import Report
from flasheval.evaluation.sequential import Look, Source, look_by_look, spent_errors
from flasheval.evaluation.trackers.notifying import notify
from flasheval.evaluation.trackers.registry import make_trackers
from flasheval.scorers.of_subset import asked_scorers
from flasheval.subset import Subset
from flasheval.subset.image_plan import plan_images
from flasheval.subset.library import load_subset

if TYPE_CHECKING:
    from flasheval.evaluation.trackers import Tracker

__all__ = ["CheckpointMonitor"]

_STATE = "monitor.json"


@checked_class
class CheckpointMonitor:
    """A monitor that evaluates checkpoints on few prompts, and on more when it is close.

    A checkpoint is compared with the best so far, look by look (`compare_in_looks`), until it is
    decided which is better or the prompts are used up. Unless it is decided to be worse, it is
    evaluated on all prompts, and becomes the best if its predicted full score is better.
    `should_stop` becomes true when `patience` steps since the best were decided to be worse;
    undecided steps do not count.

    With `fidelity`, a second metric is watched: each step tells what was lost of it since the first
    checkpoint, as predicted for the full set. A checkpoint that is decided to have lost more than
    `most_lost` is looked at no further, cannot become the best and counts as a decline.

    In distributed training every process makes one and calls `step`; the first one writes.

    Args:
        subset: A calibrated subset with its prompts' texts, or what `flasheval.load_subset` takes.
        scorers: As for `flasheval.evaluate`.
        folder: The folder of state and reports: a new monitor on the same folder continues, and
            neither evaluates nor logs a known step again. None keeps both in memory, for
            `state_dict`.
        metric: The metric that decides; by default the first scorer's.
        looks: Numbers of prompts, ascending, the last one all; by default the sizes at which the
            subset is calibrated (by a nested search). ``cost`` looks at more prompts or at more
            images of each, up to ``images_per_prompt``, whichever takes more off the error for
            what it costs (`flasheval.evaluation.look_plan`).
        error: Probability of a wrong decision allowed for each checkpoint. With `fidelity` half of
            it goes to the comparison with the best, half to what was lost.
        patience: Number of decided declines before `should_stop` is true.
        fidelity: A second metric, one of the scorers', which must not be lost.
        most_lost: The most of it that may be lost on the full set, in its own units.
        trackers: Trackers that get the numbers, or their names or settings, see
            `flasheval.evaluation.trackers`; an error of a tracker becomes a warning.
        **evaluation: Further arguments of `flasheval.evaluate`: ``images_per_prompt``, ``seeds``,
            ``batch``, ``call``, ...

    Raises:
        SettingError: A bad setting.
        DataError: The subset is not calibrated at a look, or the folder is another monitor's.

    >>> from flasheval.subset.library import find_subset
    >>> monitor = CheckpointMonitor(find_subset("coco-shared-50"), metric="CLIP")
    >>> monitor.looks[-1], monitor.best_step, monitor.should_stop
    (50, None, False)
    >>> CheckpointMonitor(find_subset("coco-shared-50"), metric="LPIPS")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: subset "coco-shared-50" is not calibrated for LPIPS at 5 ...

    """

    def __init__(
        self,
        subset: Subset | str | Path,
        scorers: Any = None,
        *,
        folder: str | Path | None = None,
        metric: str | None = None,
        looks: Sequence[int] | Literal["cost"] | None = None,
        error: float = 0.05,
        patience: int = 3,
        fidelity: str | None = None,
        most_lost: float | None = None,
        trackers: Iterable[Tracker | str | Mapping[str, Any]] | str | Mapping[str, Any] | None = (),
        **evaluation: Any,
    ) -> None:
        self.subset = subset if isinstance(subset, Subset) else load_subset(subset)
        self.metric = metric or asked_scorers(scorers, self.subset)[0].metric
        self.fidelity = FidelityRule.of(fidelity, most_lost, self.metric)
        if self.fidelity is not None:
            given = asked_scorers(scorers, self.subset)
            self.fidelity.check_given([one.metric for one in given])
        images = plan_images(
            self.subset.record,
            seeds=evaluation.get("seeds", "search"),
            seed=evaluation.get("seed"),
            images_per_prompt=evaluation.get("images_per_prompt"),
        )
        self._images = images
        by_cost, sizes = looks == "cost", None if isinstance(looks, str) else looks
        if isinstance(looks, str) and not by_cost:
            raise SettingError(f'looks={looks}: expected numbers of prompts, or "cost"')
        self.looks = _checked_looks(self.subset, self.metric, sizes, images.kind)
        if self.fidelity is not None:
            _checked_looks(self.subset, self.fidelity.metric, self.looks, images.kind)
        self._by_cost = LooksByCost(self.looks, images.images) if by_cost else None
        spent_errors(self.looks, error)
        if patience < 1:
            raise SettingError(f"patience={patience}: expected at least 1 decided decline")
        self.error, self.patience, self.trackers = error, patience, make_trackers(trackers)
        self._scorers, self._evaluation = scorers, evaluation
        self.steps: list[MonitoredStep] = []
        self._warned: set[str] = set()
        self.best_report: Report | None = None
        self.reference: Report | None = None
        self.folder = None if folder is None else Path(folder)
        if self.folder is not None and (self.folder / _STATE).exists():
            path = self.folder / _STATE
            self._go_on(read_json(path), str(path))

    @property
    def best_step(self) -> int | None:
        """The step of the best checkpoint so far."""
        return self.steps[-1].best if self.steps else None

    @property
    def should_stop(self) -> bool:
        """Whether enough steps since the best were decided to be worse or to have lost too much."""
        return bool(self.steps) and self.steps[-1].declines >= self.patience

    def step(self, generator: Any, step: int) -> MonitoredStep:
        """Evaluate a checkpoint, and return the result of comparing it with the best.

        Args:
            generator: As for `flasheval.evaluate`.
            step: The training step; steps come in ascending order.

        Raises:
            SettingError: An unknown step that comes before the last one.
            DataError: Scores on another scale than the calibration's.

        Warns when a scorer is another than the subset was calibrated with.

        """
        made: list[Report] = []

        def report(size: int, images: int | None = None) -> Report:
            known = made[-1] if made else None
            part, more = self.subset.prefix(size), {"progress": False, **self._evaluation}
            if images is not None:
                more["images_per_prompt"] = images
            made.append(evaluate(generator, part, self._scorers, known=known, step=step, **more))
            return made[-1]

        return self._take(step, report)

    def add(self, report: Report, step: int) -> MonitoredStep:
        """Add the report of a checkpoint that was evaluated elsewhere, as `step` would.

        Only as many of its prompts are used as `step` would have evaluated.

        Raises SettingError as `step` does, DataError for a report of another subset.

        >>> from flasheval.evaluation.report import MetricScores
        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> monitor = CheckpointMonitor(subset, metric="CLIP", patience=1)
        >>> for step, mean in ((100, 0.27), (200, 0.24)):
        ...     scores = MetricScores("1", True, (mean,) * subset.size)
        ...     seen = monitor.add(Report(subset, 0, {"CLIP": scores}), step)
        >>> seen.verdict, seen.best, monitor.should_stop
        ('worse', 100, True)
        """
        if report.subset.content_hash != self.subset.content_hash:
            raise DataError(
                f"the report is of the subset {report.subset.name}; this monitor's is "
                f"{self.subset.name}"
            )
        return self._take(step, replace(report, step=step).prefix)

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state as JSON data, to be saved with the training.

        >>> from flasheval.subset.library import find_subset
        >>> state = CheckpointMonitor(find_subset("coco-shared-50"), metric="CLIP").state_dict()
        >>> state["metric"], state.get("steps", [])
        ('CLIP', [])
        """
        best, reference = (
            None if one is None else one.saved() for one in (self.best_report, self.reference)
        )
        state = MonitorState(
            self.subset.content_hash,
            self.metric,
            tuple(self.steps),
            best,
            None if self.fidelity is None else self.fidelity.metric,
            None if self.fidelity is None else self.fidelity.most_lost,
            reference,
        )
        return dict(to_plain(state))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a result of `state_dict`. Raises DataError for another monitor's state.

        >>> from flasheval.subset.library import find_subset
        >>> subset = find_subset("coco-shared-50")
        >>> state = CheckpointMonitor(subset, metric="CLIP").state_dict()
        >>> monitor = CheckpointMonitor(subset, metric="CLIP")
        >>> monitor.load_state_dict({**state, "metric": "HPS"})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: the monitor's state: it is of another subset or ...
        """
        self._go_on(state, "the monitor's state")

    def _take(self, step: int, source: Source) -> MonitoredStep:
        """Judge a checkpoint by reports on its first so many prompts, and write it down."""
        known = next((one for one in self.steps if one.step == step), None)
        if known is not None:
            return known
        if self.steps and step < self.steps[-1].step:
            raise SettingError(
                f"step {step} comes after step {self.steps[-1].step}; where training goes on from "
                "an earlier state load the monitor's of that time too (load_state_dict)"
            )
        judged = self._judge(source)
        self._note(step, judged)
        self._keep(judged.report)
        return self.steps[-1]

    def _judge(self, source: Source) -> _Judged:
        """Look at as many prompts as it takes to tell a checkpoint from the best."""
        error = self.error if self.fidelity is None else self.error / 2
        if self.best_report is None:
            report = source(self.subset.size)
            return _Judged(report, "first", 1.0, self._lost(report, error))
        best, reports = self.best_report.prefix, _Last(source)
        found: Look | None = None
        lost: LostFidelity | None = None
        try:
            for look, report in look_by_look(
                reports, best, self._by_cost or self.looks, metric=self.metric, error=error
            ):
                found = look if found is None or not found.decided else found
                lost = self._lost(report, look.error)
                if _ends(found, lost, watched=self.fidelity is not None):
                    break
        except MissingScoresError:  # nothing can be said of it, and training goes on
            return _Judged(reports.last, "undecided", 0.5)
        verdict: Verdict = "undecided"
        if found is not None and found.decided:
            verdict = "better" if found.difference.probability > 0.5 else "worse"
        certainty = 0.5 if found is None else found.difference.certainty
        if verdict == "worse" or (lost is not None and lost.too_much):
            return _Judged(reports.last, verdict, certainty, lost)
        return _Judged(reports(self.subset.size), verdict, certainty, lost)

    def _lost(self, report: Report, error: float) -> LostFidelity | None:
        """Tell what a checkpoint has lost since the first one, on as many prompts."""
        if self.fidelity is None or self.reference is None:
            return None
        reference = self.reference.prefix(report.subset.size, report.images_per_prompt)
        return self.fidelity.lost(report, reference, error=error)

    def _note(self, step: int, judged: _Judged) -> None:
        """Write down a step; the best is the one whose predicted full score is."""
        report, verdict, lost = judged.report, judged.verdict, judged.lost
        watched = None if self.fidelity is None else self.fidelity.metric
        for metric in filter(None, (self.metric, watched)):
            if refusal := report.refusal(metric):
                raise DataError(refusal)
        predicted = report.predict().get(self.metric)
        full = None if predicted is None else predicted.value
        begins = watched is not None and self._begins(report, watched)
        too_much = lost is not None and lost.too_much
        known = watched is None or begins or (lost is not None and not too_much)
        wins = full is not None and verdict != "worse" and known and self._beats(full)
        before = self.steps[-1].declines if self.steps else 0
        mean = report.means[self.metric]
        seen = MonitoredStep(
            step,
            report.subset.size,
            mean if math.isfinite(mean) else None,
            full,
            verdict,
            judged.certainty,
            step if wins else self.best_step,
            0 if wins else before + (verdict == "worse" or too_much),
            None if watched is None else self.metric,
            lost,
        )
        if wins:
            self.best_report = replace(report, images=())
        if begins:
            self.reference = replace(report, images=(), step=step)
        self.steps.append(seen)

    def _begins(self, report: Report, metric: str) -> bool:
        """Tell whether what is lost of a metric is counted from this report."""
        return self.reference is None and not report.metrics[metric].missing

    def _beats(self, full: float) -> bool:
        if self.best_report is None:
            return True
        best = self.best_report.predict()[self.metric].value
        higher = self.best_report.metrics[self.metric].higher_is_better
        return full > best if higher else full < best

    def _keep(self, report: Report) -> None:
        """Write report and state and tell the trackers, in the first process only."""
        if processes()[0] > 0:
            return
        seen = self.steps[-1]
        self._warn(report)
        numbers = report.scalars("flasheval/") | seen.scalars("flasheval/monitor/")
        notify(self.trackers, numbers, report, seen.step)
        if self.folder is not None:  # last: a step is known once it is logged
            report.save(self.folder / "reports" / f"step-{seen.step:08d}.json")
            write_json(self.folder / _STATE, self.state_dict())

    def _warn(self, report: Report) -> None:
        """Warn of scorers other than the calibration's, once each."""
        for metric, part in report.metrics.items():
            other = self.subset.other_scorer(metric, part.version)
            if other and other not in self._warned:
                self._warned.add(other)
                warnings.warn(other, stacklevel=5)

    def _go_on(self, data: object, source: str) -> None:
        state = from_plain(MonitorState, data, source=source)
        rule = None
        if state.fidelity is not None and state.most_lost is not None:
            rule = FidelityRule(state.fidelity, state.most_lost)
        if (state.subset, state.metric) != (self.subset.content_hash, self.metric):
            raise DataError(
                f"{source}: it is of another subset or metric ({state.metric}); give this monitor "
                "a folder of its own"
            )
        if rule != self.fidelity:
            raise DataError(
                f"{source}: it has {_named(rule)}, this monitor {_named(self.fidelity)}; go on "
                "with those, or give this monitor a folder of its own"
            )
        first = None if state.reference is None else Report.from_dict(state.reference, source)
        best = None if state.best is None else Report.from_dict(state.best, source)
        if best is not None and self._by_cost is None:
            theirs = best.images_per_prompt, best.seed
            if theirs != (self._images.images, self._images.seeds.run_seed):
                raise DataError(
                    f"{source}: its best has images_per_prompt={theirs[0]} with run seed "
                    f"{theirs[1]}; go on with those, or give this monitor a folder of its own"
                )
        self.steps, self.best_report, self.reference = list(state.steps), best, first


@dataclass(frozen=True)
class _Judged:
    """How a checkpoint compares with the best, and what it has lost since the first."""

    report: Report
    verdict: Verdict
    certainty: float
    lost: LostFidelity | None = None


def _ends(found: Look, lost: LostFidelity | None, *, watched: bool) -> bool:
    """Tell whether no further look at a checkpoint can change what becomes of it."""
    worse = found.decided and found.difference.probability <= 0.5
    return worse or (lost is not None and lost.too_much) or (found.decided and not watched)


def _named(rule: FidelityRule | None) -> str:
    return "no fidelity" if rule is None else f"fidelity={rule.metric} most_lost={rule.most_lost}"


class _Last:
    """A source that remembers the last report it gave."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __call__(self, size: int, images: int | None = None) -> Report:
        self.last = self._source(size) if images is None else self._source(size, images)
        return self.last


def _checked_looks(
    subset: Subset, metric: str, looks: Sequence[int] | None, seeds: str
) -> tuple[int, ...]:
    """Return the looks, the subset calibrated for the metric at each of them."""
    asked = subset.calibrated_sizes if looks is None else tuple(looks)
    found = (*(size for size in asked if size < subset.size), subset.size)
    for size in found:
        calibration = subset.prefix(size).calibrated_for(seeds)
        if calibration is None or metric not in calibration.metrics:
            raise DataError(
                f'subset "{subset.name}" is not calibrated for {metric} at {size} prompts; search '
                f"with nested=[{','.join(map(str, found))}] and calibrate=true"
            )
    return found
