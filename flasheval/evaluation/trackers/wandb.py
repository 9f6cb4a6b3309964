"""The tracker for Weights & Biases: scalars, a table of scores by prompt, images, the manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.extras import pip_command
from flasheval.base.files import slug
from flasheval.evaluation.trackers.logged_steps import LoggedSteps
from flasheval.evaluation.trackers.pictures import pictures
from flasheval.evaluation.trackers.score_rows import score_columns, score_rows
from flasheval.subset import Subset

if TYPE_CHECKING:
    from flasheval.evaluation.report import Report

__all__ = ["Wandb"]

Mode = Literal["online", "offline", "disabled"]

_STEP = "flasheval/step"
_FLUSH = 0.2  # seconds an own run's lines wait for the disk; wandb's 15 are lost when it is killed


@dataclass(eq=False)
class Wandb:
    """A tracker that logs to the wandb run active at its first use, else to a run of its own.

    An active run stays the caller's: it is not finished here, and numbers join the current row of
    its history, so that its step counter does not move. An own run is separate from ``wandb.run``.
    In both cases scalars are drawn over ``flasheval/step``, the training step.

    The logged steps are recorded in ``wandb/flasheval-RUN_ID.json`` in the folder, so that a run
    resumed under its id gets none twice. Nothing is read back from wandb.

    Attributes:
        project: The project of an own run.
        run_name: The name of an own run.
        group: The group of an own run, under which wandb shows several together.
        mode: ``online``, ``offline`` (files only, for ``wandb sync``) or ``disabled`` (nothing at
            all); None is wandb's choice: ``WANDB_MODE``, else online.
        run_id: The id of an own run; an existing run is continued. None starts a new one.
        folder: The folder of an own run's ``wandb/``; None is ``WANDB_DIR``, else the working
            folder.
        images: Number of images, those of the first prompts.

    Raises SettingError for an unknown mode, images below 0, and without wandb installed.

    >>> tracker = Wandb(mode="disabled")
    >>> tracker.log({"CLIP": 0.25}, step=100)  # nothing is written or sent
    >>> Wandb(mode="of-line")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: tracker.mode=of-line: expected one of online, offline, ...

    """

    name: ClassVar[str] = "wandb"

    project: str | None = None
    run_name: str | None = None
    group: str | None = None
    mode: Mode | None = None
    run_id: str | None = None
    folder: str | None = None
    images: int = 8

    def __post_init__(self) -> None:
        if self.mode is not None and self.mode not in get_args(Mode):
            raise SettingError(
                f"tracker.mode={self.mode}: expected one of {', '.join(get_args(Mode))}, or null"
            )
        if self.images < 0:
            raise SettingError(f"tracker.images={self.images}: expected 0 or more")
        if self.mode != "disabled" and find_spec("wandb") is None:
            raise SettingError(f"tracker wandb needs: {pip_command('wandb')}")
        self._open: _OpenRun | None = None
        self._own_id: str | None = self.run_id

    def log(self, scalars: Mapping[str, float], step: int) -> None:
        """Log numbers by name, unless the step was logged before."""
        with self._run() as run:
            if run is not None and run.logged.note("scalars", int(step)):
                run.define(scalars)
                run.row({name: float(value) for name, value in scalars.items()}, step)

    def log_report(self, report: Report, step: int) -> None:
        """Log the scores as rows of the one table, images, and online the subset's manifest."""
        with self._run() as run:
            if run is None or not run.logged.note("reports", int(step)):
                return
            run.manifest(report.subset)
            row: dict[str, Any] = {"flasheval/prompts": run.table(report, int(step))}
            if found := pictures(report, self.images):
                row["flasheval/images"] = _gallery(found)
            run.row(row, step)

    def finish(self) -> None:
        """Finish an own run; a run of the caller stays active."""
        if self._open is not None and self._open.own:
            with _errors_in_a_line():
                self._open.run.finish()
        self._open = None

    @contextmanager
    def _run(self) -> Iterator[_OpenRun | None]:
        """Give the run, started when first needed; None where it is disabled."""
        if self.mode == "disabled":
            yield None
            return
        with _errors_in_a_line():
            self._open = self._still_open() or self._start()
            yield None if self._open.run.disabled else self._open

    def _still_open(self) -> _OpenRun | None:
        """Return the run there is, unless the caller has gone on to another."""
        import wandb

        if self._open is None or self._open.own or self._open.run is wandb.run:
            return self._open
        if wandb.run is None:
            raise FlashevalError(
                f"wandb: the run {self._open.run.id}, which this tracker logs to, is finished; "
                "finish it after the last evaluation"
            )
        return None

    def _start(self) -> _OpenRun:
        import wandb

        if wandb.run is not None:
            if self._own_id not in (None, wandb.run.id):
                raise SettingError(
                    f"tracker.run_id={self._own_id}: the run {wandb.run.id} is active; finish that "
                    "one first, or leave run_id out"
                )
            return _OpenRun(wandb.run, own=False)
        run = wandb.init(
            project=self.project,
            name=self.run_name,
            group=self.group,
            id=self._own_id,
            dir=self.folder,
            mode=self.mode,
            resume="allow",
            reinit="create_new",  # wandb.run stays free for the training's own
            settings=wandb.Settings(console="off", x_transaction_log_flush_interval=_FLUSH),
        )
        self._own_id = run.id  # what is logged after finish() goes on with it
        return _OpenRun(run, own=True)


class _OpenRun:
    """A run, and what is in it already."""

    def __init__(self, run: Any, *, own: bool) -> None:
        self.run, self.own = run, own
        if not run.disabled:  # which writes nothing, and has no folder
            folder = Path(run.settings.wandb_dir)
            self.logged = LoggedSteps(folder / f"flasheval-{run.id}.json")
            self._before = max(0, run.step - self._rows()) if own else 0
        self._defined: set[str] = set()
        self._table: Any = None
        self._pending: tuple[int, int] | None = None

    def define(self, names: Mapping[str, object]) -> None:
        """Draw scalars over the training step, whatever wandb's own steps are."""
        if not self._defined:
            self.run.define_metric(_STEP, hidden=True)
        for name in names:
            if name not in self._defined:
                self.run.define_metric(name, step_metric=_STEP)
                self._defined.add(name)

    def row(self, values: Mapping[str, Any], step: int) -> None:
        """Log a row of history."""
        step = int(step)
        values = {**values, _STEP: step}
        if self.own:
            # On from the rows of before, which an offline run does not know of: where two of them
            # are synced under one id, rows of the same number would be one.
            self.run.log(values, step=self._before + self._rows() - 1, commit=True)
            return
        # Into the row the caller is at, for one of ours would push the caller's numbers on. Only
        # an evaluation that the caller's rows have not followed yet must be ended first.
        row, last = self._pending or (-1, step)
        if last != step and self.run.step == row:
            self.run.log({}, commit=True)
        self.run.log(values, commit=False)
        self._pending = self.run.step, step

    def _rows(self) -> int:
        return self.logged.count("scalars", "reports")

    def table(self, report: Report, step: int) -> Any:
        """Return the table with the report's rows added; only those are sent."""
        import wandb

        columns: list[str | int] = [*score_columns(report)]
        if self._table is None or self._table.columns != columns:
            kinds = [int, str, str, *(float for _ in report.metrics)]
            self._table = wandb.Table(columns=columns, dtype=kinds, log_mode="INCREMENTAL")
        for cells in score_rows(report, step):
            self._table.add_data(*cells)
        return self._table

    def manifest(self, subset: Subset) -> None:
        """Keep the subset's manifest as an artifact, once; offline there are none to be had."""
        import wandb

        if self.run.offline or not self.logged.note("subsets", subset.content_hash):
            return
        name = (
            slug(f"subset-{subset.name}", allowed=".-", filler="-")
            .encode("ascii", "ignore")
            .decode()
        )
        about = {"content_hash": subset.content_hash, "prompts": subset.size}
        artifact = wandb.Artifact(name, type="flasheval-subset", metadata=about)
        with artifact.new_file("subset.json", encoding="utf-8") as file:
            json.dump(subset.manifest(), file, indent=1, ensure_ascii=False)
        self.run.log_artifact(artifact)


def _gallery(found: list[tuple[Any, str]]) -> list[Any]:
    """Return images as wandb shows them side by side."""
    import wandb

    return [wandb.Image(image, caption=words) for image, words in found]


@contextmanager
def _errors_in_a_line() -> Iterator[None]:
    import wandb

    try:
        yield
    except (wandb.Error, TimeoutError) as error:  # its process does not answer
        reason = str(error).rstrip(". ")
        raise FlashevalError(
            f"wandb: {reason}; tracker.mode=offline needs neither login nor network"
        ) from error
