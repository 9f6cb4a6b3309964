"""The watcher: at each look it evaluates the checkpoints that are complete and not done."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import DataError
from flasheval.base.models.batches import free_memory, is_out_of_memory
from flasheval.base.versions import utc_now
from flasheval.evaluation.evaluate import evaluate, made_with
from flasheval.evaluation.report import Report
from flasheval.evaluation.trackers import Tracker
from flasheval.evaluation.trackers.notifying import notify
from flasheval.evaluation.watching.checkpoint_files import Checkpoint, find_checkpoints
from flasheval.evaluation.watching.completeness import content_of, unfinished
from flasheval.evaluation.watching.loading import CheckpointLoader
from flasheval.evaluation.watching.records import WatchFolder, WatchRecord
from flasheval.runs.unit_work import error_line
from flasheval.scorers.scorer import ScorerSettings
from flasheval.subset import Subset
from flasheval.subset.image_plan import ImagePlan

__all__ = ["FolderScan", "Watcher"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FolderScan:
    """The result of a look: the number evaluated, and whether some need another look soon."""

    evaluated: int
    settling: bool


@dataclass
class Watcher:
    """A watcher of a folder; it remembers the state of the files from one look to the next."""

    folder: Path
    pattern: str | None
    loading: CheckpointLoader
    store: WatchFolder
    subset: Subset
    scorers: tuple[ScorerSettings, ...]
    images: ImagePlan
    batch: int
    settle: float
    trackers: tuple[Tracker, ...]
    progress: bool = True
    there: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, tuple[Mapping[str, tuple[int, ...]], float]] = field(default_factory=dict)

    def look(self, publish: Callable[[], object]) -> FolderScan:
        """Evaluate the checkpoints that are complete, unchanged and not done, in order.

        Args:
            publish: Called after each evaluation.

        """
        found = self._found()
        self.there, self.waiting = {one.name for one in found}, {}
        self._seen = {name: seen for name, seen in self._seen.items() if name in self.there}
        records = self.store.records()
        open_ones = [one for one in found if not self._is_done(one, records.get(one.name))]
        states = [(one, self._state(one)) for one in open_ones]
        evaluated = 0
        for one, state in states:
            if state == "ready" and self._do(one):
                evaluated += 1
                publish()
        return FolderScan(evaluated, any(state == "settling" for _, state in states))

    def _found(self) -> list[Checkpoint]:
        return find_checkpoints(
            self.folder,
            parts=self.loading.base_parts,
            loader=self.loading.loader is not None,
            pattern=self.pattern,
            skip=self.store.folder,
        )

    def _is_done(self, checkpoint: Checkpoint, record: WatchRecord | None) -> bool:
        if record is None or not record.is_of(checkpoint):
            return False
        if record.reason is not None:
            return record.loader == self.loading.source
        return self.store.report(checkpoint.name) is not None

    def _state(self, checkpoint: Checkpoint) -> Literal["ready", "settling", "waiting"]:
        """Return whether a checkpoint is whole, and was the same some seconds ago."""
        name, now = checkpoint.name, time.monotonic()
        before = self._seen.get(name)
        if before is None or before[0] != checkpoint.files:
            self._seen[name] = checkpoint.files, now
            if before is None:
                return "settling"
            self.waiting[name] = "it is being written"
            return "waiting"
        if now - before[1] < self.settle:
            return "settling"
        try:
            lacks = unfinished(checkpoint, self.loading.elsewhere)
        except DataError:  # it never will be whole: told of as a failure
            return "ready"
        if lacks is not None:
            _log.debug("%s is not complete: %s", name, lacks)
            self.waiting[name] = lacks
        return "ready" if lacks is None else "waiting"

    def _do(self, checkpoint: Checkpoint) -> bool:
        """Evaluate a checkpoint, unless another watch does; tell whether there is a result."""
        name = checkpoint.name
        try:
            content = "" if checkpoint.outside else content_of(checkpoint)
        except OSError:  # gone, or being replaced
            return False
        with self.store.claims.claim(sha256_of({"name": name, "content": content})) as mine:
            if not mine:
                self.waiting[name] = "another watch is evaluating it"
                return False
            record = self.store.record(name)
            if record is not None and record.content == content:
                again = replace(record, files=dict(checkpoint.files))
                if self._is_done(checkpoint, again):  # the same content, touched; or just done
                    self.store.keep(again, self.store.report(name))
                    return True
            return self._result(checkpoint, content)

    def _result(self, checkpoint: Checkpoint, content: str) -> bool:
        report = None
        try:
            report = self._evaluated(checkpoint)
            reason = _faults(report)
        except Exception as error:
            reason = error_line(error)
            if is_out_of_memory(error):  # no fault of the checkpoint's
                self.waiting[checkpoint.name] = f"tried again later: {reason}"
            _log.info("%s cannot be evaluated: %s", checkpoint.name, reason)
        free_memory()  # nothing refers to the model by now
        if checkpoint.name in self.waiting:
            return False
        if self._changed(checkpoint, gone=report is not None):
            self.waiting[checkpoint.name] = "it was changed while it was evaluated"
            return False
        record = WatchRecord(
            checkpoint.name,
            checkpoint.step,
            content,
            dict(checkpoint.files),
            self.store.asked,
            self.loading.source,
            reason,
            utc_now(),
        )
        if reason is None and report is not None:  # before: a tracker takes no step twice
            self._track(report)
        self.store.keep(record, report)
        return True

    def _evaluated(self, checkpoint: Checkpoint) -> Report:
        _log.info("evaluating %s", checkpoint.name)
        unfinished(checkpoint, self.loading.elsewhere)  # raises for what never will be whole
        loaded = self.loading.load(checkpoint)
        told = None  # asked now: once it is loaded, a training may delete it
        if loaded.settings is not None:
            told = made_with(loaded.settings, {}, self.subset.ids, self.loading.device)
        if self._changed(checkpoint):
            raise DataError("it was changed while it was loaded")
        report = evaluate(
            loaded.model,
            self.subset,
            self.scorers,
            images_per_prompt=self.images.images,
            seeds=self.images.kind,
            seed=self.images.seeds.run_seed,
            batch=self.batch,
            call=loaded.arguments,
            device=self.loading.device,
            images=bool(self.trackers),
            name=checkpoint.name,
            step=checkpoint.step,
            progress=self.progress,
        )
        return report if told is None else replace(report, call=told)

    def _changed(self, checkpoint: Checkpoint, *, gone: bool = False) -> bool:
        """Tell whether a checkpoint's files are others now; having gone may not count."""
        now = next((one for one in self._found() if one.name == checkpoint.name), None)
        return not gone if now is None else now.files != checkpoint.files

    def _step_before(self) -> int | None:
        steps = [
            one.step
            for one in self.store.records().values()
            if one.step is not None and one.reason is None
        ]
        return max(steps, default=None)

    def _track(self, report: Report) -> None:
        past = self._step_before()
        if report.step is None or (past is not None and report.step <= past):
            return
        notify(self.trackers, report.scalars(), report, report.step)


def _faults(report: Report) -> str | None:
    """Return why a report ranks nowhere, in one line; None where every prompt has its scores."""
    lacking = [
        report.faults.get(name, "no score")
        for row, name in enumerate(report.subset.ids)
        if any(part.scores[row] is None for part in report.metrics.values())
    ]
    if not lacking:
        return None
    ((reason, _),) = Counter(lacking).most_common(1)
    return f"{len(lacking)} of {report.subset.size} prompts have no score: {reason}"
