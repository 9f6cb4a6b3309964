"""The status of a run: how much of the requested work is done, and how fast it goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from flasheval.base.drawing.shown import Shown
from flasheval.base.drawing.view import Line, Part, Table, View, lines
from flasheval.base.errors import DataError
from flasheval.base.progress import duration
from flasheval.base.run_folders import RUN_MARK, shown_path
from flasheval.base.text import first_few
from flasheval.runs.claims import are_held
from flasheval.runs.failures import Failure, unscored, with_reason
from flasheval.runs.score_files import UnitScores, read_unit_scores
from flasheval.runs.status.damage import Damage, find_damage
from flasheval.runs.status.finished_units import FinishedUnits
from flasheval.runs.status.judge_calls import JudgeCalls, calls_of
from flasheval.runs.status.newest_units import newest_units
from flasheval.runs.status.pace import Cost, Finished, Pace, cost_of, likely_costs, pace_of
from flasheval.runs.status.requested_work import RequestedWork
from flasheval.runs.store import Asked, RunStore

__all__ = ["RunStatus", "VariantStatus", "read_status"]

_ROWS = 20
_REASONS = 10
_READ = 20_000  # score files read at most: a second or two
_AT_WORK = 60.0  # without locks: seconds after a unit in which somebody may be at work still
_FREE = Cost(None, {})
_OF_ALL = ("plan", "load", "generate")  # stages of failures that are no metric's


@dataclass(frozen=True)
class VariantStatus:
    """The status of one variant.

    Attributes:
        name: The variant's name.
        units: Number of units requested.
        done: Number of units with all their outputs.
        share: The share of the outputs that exist.
        faults: Images without a score, in the files read.
        seconds: Seconds to make an image, without warm-up; None if unknown.
        evaluations: Network evaluations for one image; None if unknown.
        failed: Whether the variant, or a unit of it, failed and is not done.

    """

    name: str
    units: int
    done: int
    share: float
    faults: int = 0
    seconds: float | None = None
    evaluations: int | None = None
    failed: bool = False

    @property
    def complete(self) -> bool:
        """Whether all units are done.

        >>> VariantStatus("sd15", units=157, done=156, share=0.99).complete
        False
        """
        return self.done == self.units


@dataclass(frozen=True, repr=False)
class RunStatus(Shown):
    """The status of a run: the finished part of the work that its last command requested.

    Attributes:
        folder: The folder.
        asked: The requested work; None when the run was stopped before it began.
        n_prompts: Number of prompts.
        variants: The status of each variant, in the population's order.
        failures: Failures that are not done since.
        faults: How many images have no score, by reason, in the files read.
        files: Number of score files.
        files_read: Number of score files read for faults and times.
        pace: The speed of the newest units; None if unknown.
        seconds_left: Seconds left at that speed; None if unknown.
        at_work: Whether a runner is working now.
        damaged: Damaged files; None when they were not searched.
        judged: What its judges used of endpoints, by the files read; None where none was asked.

    """

    kind = "run_status"

    folder: Path
    asked: Asked | None
    n_prompts: int = 0
    variants: tuple[VariantStatus, ...] = ()
    failures: tuple[Failure, ...] = ()
    faults: Mapping[str, int] = field(default_factory=dict)
    files: int = 0
    files_read: int = 0
    pace: Pace | None = None
    seconds_left: float | None = None
    at_work: bool = False
    damaged: tuple[Damage, ...] | None = None
    judged: JudgeCalls | None = None

    def view(self) -> View:
        """Return how far it is, a row a variant, what failed, and what to do next."""
        problems = self.problems
        parts: list[Part] = [Line(_answer(self), "headline"), Line(""), *_table(self)]
        parts += [Line(f"judges: {self.judged.in_words()}"), Line("")] if self.judged else []
        parts += [*lines(problems, "alert"), Line("")] if problems else []
        return View((*parts, *lines(_next(self))))

    @property
    def problems(self) -> tuple[str, ...]:
        """What failed, has no score or is damaged, a line each.

        >>> RunStatus(Path("run"), None, faults={"not finite": 2}).problems
        ('no score: 2 images: not finite',)
        """
        told = (("failed", _failure_lines), ("no score", _fault_lines), ("damaged", _damage_lines))
        return tuple(f"{title}: {line}" for title, found in told for line in found(self))

    def _brief(self) -> str:
        return f"{len(self.variants)} variants, {self.share:.0%} done, in {shown_path(self.folder)}"

    def _data(self) -> dict[str, object]:
        return {"complete": self.complete, "share": self.share, **super()._data()}

    def _rows(self) -> list[dict[str, object]]:
        return list(map(asdict, self.variants))

    @property
    def share(self) -> float:
        """The share of all requested outputs that exist.

        >>> variants = (VariantStatus("a", 10, 10, 1.0), VariantStatus("b", 10, 4, 0.5))
        >>> RunStatus(Path("run"), None, variants=variants).share
        0.75
        """
        return sum(one.share for one in self.variants) / max(1, len(self.variants))

    @property
    def complete(self) -> bool:
        """Whether all requested work is done.

        >>> RunStatus(Path("run"), None).complete  # nothing was requested yet
        False
        """
        return self.asked is not None and all(one.complete for one in self.variants)


def read_status(folder: Path, *, check: bool = False) -> RunStatus:
    """Return the status of a run folder, whether a runner is working in it or not.

    Files are counted by their names. The content of at most some 20,000 score files, evenly over
    variants and metrics, is read for times and faults.

    Args:
        folder: The run folder.
        check: Read every score file, kept image and embedding, and name the damaged ones.

    Raises:
        DataError: The folder is not a run's, or the files that describe the run are damaged.

    >>> read_status(Path("no-such-run"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: no-such-run does not exist; expected the folder of a run, ...

    """
    store = _open(folder)
    settings, asked = store.settings(), store.asked()
    held = are_held(folder / ".claims")
    if settings is None or asked is None:
        return RunStatus(folder, None, at_work=bool(held))
    work = RequestedWork(store, settings, asked)
    tallies = {name: work.finished_units(name) for name in work.variants}
    units = _read_some(work, check)
    faults = {name: _faults(some) for name, some in units.items()}
    costs = {name: cost_of(some) for name, some in units.items()}
    failures = _failures(work, tallies)
    failed = {failure.variant for failure in failures}
    newest = newest_units(work)
    pace = pace_of(newest)
    given_up = {failure.variant for failure in failures if not failure.unit}
    return RunStatus(
        folder,
        asked,
        sum(map(len, work.chunks)),
        tuple(
            _variant(name, one, costs[name], len(faults[name]), name in failed)
            for name, one in tallies.items()
        ),
        failures,
        Counter(reason for found in faults.values() for reason in found.values()),
        sum(int(one.scored.sum()) for one in tallies.values()),
        sum(map(len, units.values())),
        pace,
        _seconds_left(work, {n: t for n, t in tallies.items() if n not in given_up}, costs, pace),
        _is_recent(newest) if held is None else held,
        tuple(find_damage(work)) if check else None,
        calls_of(unit for some in units.values() for unit in some),
    )


def _is_recent(newest: list[Finished]) -> bool:
    return any(time.time() - unit.at < _AT_WORK for unit in newest)


def _open(folder: Path) -> RunStore:
    if not folder.exists():
        raise DataError(f"{folder} does not exist; expected the folder of a run, its out=")
    if not (folder / RUN_MARK).is_file():
        below = sorted(path.parent.name for path in folder.glob(f"*/{RUN_MARK}"))
        more = f"; there are runs in it: {', '.join(below[:8])}" if below else ""
        raise DataError(
            f"{folder} is not the folder of a run: it has no {RUN_MARK}; expected what flasheval "
            f"run, generate or score had as out={more}"
        )
    return RunStore(folder)


def _read_some(work: RequestedWork, check: bool) -> dict[str, list[UnitScores]]:
    """Read as many score files of every variant; their names are hashes, so any will do."""
    folders = max(1, len(work.variants) * len(work.metrics))
    each = None if check else max(4, _READ // folders)
    return {
        name: [
            unit
            for metric in work.metrics
            for path in work.score_files(name, metric, each)
            if (unit := read_unit_scores(path)) is not None
        ]
        for name in work.variants
    }


def _faults(units: list[UnitScores]) -> dict[tuple[str, int], str]:
    """Return why images have no score, by prompt id and number: each reason once."""
    found: dict[tuple[str, int], str] = {}
    for unit in units:
        for one, why in unit.faults.items():
            found[one, unit.image] = with_reason(found.get((one, unit.image)), why)
    return found


def _failures(work: RequestedWork, tallies: Mapping[str, FinishedUnits]) -> tuple[Failure, ...]:
    """Return the failures of what is asked for and is not done; older ones may be there too."""
    stages = {*_OF_ALL, *work.asked.metrics}
    undone = {
        name: {unit for unit, whole in zip(work.names[name], one.whole, strict=True) if not whole}
        for name, one in tallies.items()
        if name in work.names
    }
    return tuple(
        one
        for one in work.store.failures.all()
        if one.variant in tallies
        and one.stage in stages
        and not tallies[one.variant].whole.all()
        and (not one.unit or one.variant not in undone or one.unit in undone[one.variant])
    )


def _variant(name: str, one: FinishedUnits, cost: Cost, faults: int, failed: bool) -> VariantStatus:
    done, units = int(one.whole.sum()), len(one.whole)
    return VariantStatus(name, units, done, one.share, faults, cost.make, cost.evaluations, failed)


def _seconds_left(
    work: RequestedWork,
    tallies: Mapping[str, FinishedUnits],
    costs: Mapping[str, Cost],
    pace: Pace | None,
) -> float | None:
    if pace is None:
        return None
    sizes = np.array([len(chunk) for chunk, _ in work.parts])
    if not pace.workers:  # images alone: files say when they were made, not how long it took
        images = sum(int(sizes[~one.whole].sum()) for one in tallies.values())
        return images / pace.images_per_second
    likely = likely_costs(costs, work.factors)
    seconds = 0.0
    for name, one in tallies.items():
        to_score = {
            metric.name: int(sizes[~there].sum())
            for metric, there in zip(work.metrics, one.scored, strict=True)
        }
        seconds += likely.get(name, _FREE).of(int(sizes[one.to_make].sum()), to_score)
    return seconds / pace.workers


def _answer(status: RunStatus) -> str:
    if status.asked is None:
        return "Not started: the command was stopped before it began"
    what = "images" if status.asked.stage == "generate" else "scores"
    count = f"{len(status.variants)} variant{'' if len(status.variants) == 1 else 's'}"
    if status.complete:
        several = status.asked.images_per_prompt
        images = len(status.variants) * status.n_prompts * several
        each = f", {several} images each" if several > 1 else ""
        missing = unscored(sum(status.faults.values()), images)
        return f"{missing or 'Complete'}: {what} of {count} on {status.n_prompts:,} prompts{each}"
    share = min(int(100 * status.share), 99)  # 100% is what is complete
    parts = [f"{share}% done"]
    if status.at_work:
        parts.append(_time_left(status, "left"))
    else:
        parts += ["no process is working on it", _time_left(status, "more")]
    failed = sum(one.failed for one in status.variants)
    if failed:
        parts.append(f"{failed} of {count} failed")
    return ", ".join(part for part in parts if part)


def _time_left(status: RunStatus, word: str) -> str:
    if status.pace is None or not status.seconds_left:
        return ""
    rate = status.pace.images_per_second
    shown = f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
    return f"about {duration(status.seconds_left)} {word} at {shown} images/s"


def _table(status: RunStatus) -> list[Part]:
    """Return a row a variant, those first that somebody must see to."""
    if not status.variants:
        return []
    ordered = sorted(status.variants, key=_urgency)
    rows = [
        (
            one.name,
            f"{one.done} of {one.units}",
            "failed" if one.failed else f"{min(int(100 * one.share), 99 + one.complete)}%",
            str(one.faults) if one.faults else "-",
            "-" if one.seconds is None else f"{one.seconds:.3g}",
            "-" if one.evaluations is None else str(one.evaluations),
        )
        for one in ordered[:_ROWS]
    ]
    titles = ("variant", "units", "done", "no score", "s/image", "evaluations")
    rest = ordered[_ROWS:]
    complete = sum(one.complete for one in rest)
    more = [Line(f"and {len(rest)} more variants, {complete} of them complete")] if rest else []
    return [Table(titles, rows), *more, Line("")]


def _urgency(one: VariantStatus) -> int:
    """Return the place of a variant: failed, under way, not begun, complete."""
    if one.failed:
        return 0
    if one.complete:
        return 3
    return 1 if one.share else 2


def _failure_lines(status: RunStatus) -> Iterator[str]:
    whole = {one.variant: one.reason for one in status.failures if not one.unit}
    reasons: dict[tuple[str, str], list[Failure]] = {}
    for one in status.failures:
        if not one.unit or not whole.get(one.variant, "").startswith(one.reason):
            reasons.setdefault((one.stage, one.reason), []).append(one)
    for (stage, reason), failures in list(reasons.items())[:_REASONS]:
        names = list(dict.fromkeys(one.variant for one in failures))
        shown = first_few(names)
        units = sum(bool(one.unit) for one in failures)
        count = f" ({units} unit{'' if units == 1 else 's'})" if units else ""
        yield f"{stage} of {shown}{count}: {reason}"
    if len(reasons) > _REASONS:
        yield f"{len(reasons) - _REASONS} more reasons, in {shown_path(status.folder)}/failures/"


def _fault_lines(status: RunStatus) -> Iterator[str]:
    for reason, count in Counter(status.faults).most_common(_REASONS):
        yield f"{count:,} image{'' if count == 1 else 's'}: {reason}"
    if status.faults and status.files_read < status.files:
        yield (
            f"counted in {status.files_read:,} of {status.files:,} score files; check=true reads "
            "them all"
        )


def _damage_lines(status: RunStatus) -> Iterator[str]:
    for one in status.damaged or ():
        yield f"{shown_path(one.path)}: {one.reason}"


def _next(status: RunStatus) -> Iterator[str]:
    folder = shown_path(status.folder)
    if status.damaged:
        if any(one.is_score for one in status.damaged):
            yield "the same command makes damaged score files again"
        if not all(one.is_score for one in status.damaged):
            yield "delete damaged images and embeddings; the same command then makes them again"
    elif status.damaged is not None:
        yield "check: no file is damaged"
    if not status.complete:
        if status.at_work:
            yield f"look again: flasheval status {folder}"
        else:
            again = ", failed units are retried" if status.failures else ""
            yield f"continue with the same command: finished work is kept{again}"
        return
    if status.asked is not None and status.asked.stage == "generate":
        yield f"score them: flasheval score with the same words, out={folder}"
        return
    if any((status.folder / "scores").glob("*.parquet")):
        yield f"use them: flasheval search scores={folder}"
    elif not status.at_work:
        yield "run the same command again to write the score table"
