"""The worker: the loop over units that every executor runs in each of its processes."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby

from flasheval.base.errors import FlashevalError
from flasheval.base.models.batches import Batches
from flasheval.runs.failures import Failure
from flasheval.runs.loading import ModelHolder, by_model
from flasheval.runs.run_plan import PlannedVariant, RunPlan, Unit
from flasheval.runs.store import RunStore
from flasheval.runs.unit_work import LoadError, Tools, do_units, missing_outputs
from flasheval.scorers.scorer import Scorer

__all__ = ["Place", "Worker", "together"]

_log = logging.getLogger(__name__)

_GIVE_UP = 3  # units of one variant that fail in a row
_TOGETHER = 256  # images of one chunk in memory at most, where its prompts have several
_PAUSE = 0.5  # seconds between two looks at units that another runner has claimed


@dataclass(frozen=True)
class Place:
    """The place of a worker among several: number ``rank`` (from 0) of ``world``.

    ``parent`` is the process that started this one as its worker, if one did.
    """

    rank: int = 0
    world: int = 1
    parent: int | None = None


class Worker:
    """A worker that does units until each is done, failed or claimed by another live runner.

    Args:
        plan: The plan of the run.
        store: The run folder.
        place: The place of this worker among several.
        done: Called with each unit that is done or failed.

    """

    def __init__(
        self,
        plan: RunPlan,
        store: RunStore,
        place: Place | None = None,
        done: Callable[[Unit], None] = lambda unit: None,
    ) -> None:
        self._plan, self._store, self._done = plan, store, done
        self._place = place or Place()
        self._scorers: dict[str, Scorer] = {}
        self._models = ModelHolder(plan.work.device)

    def work(self) -> None:
        """Do all units.

        Raises:
            FlashevalError: A scorer cannot be loaded, or the folder cannot be written to.

        """
        claimed: list[Unit] = []
        for variant in self._order():
            claimed += self._do(variant, self._undone(variant))
        while claimed:  # until others have done them, or died and left them
            time.sleep(_PAUSE)
            before, claimed = claimed, []
            for variant in self._order():
                claimed += self._do(variant, [unit for unit in before if unit.variant is variant])

    def _order(self) -> Sequence[PlannedVariant]:
        """Return the variants, those of one model together, from this worker's own place on."""
        groups = by_model(self._plan.variants, self._plan.work.device)
        ordered = [variant for group in groups for variant in group]
        start = self._place.rank * len(ordered) // self._place.world
        return [*ordered[start:], *ordered[:start]]

    def _undone(self, variant: PlannedVariant) -> Iterator[Unit]:
        for unit in self._plan.units(variant):
            if missing_outputs(self._plan, self._store, unit):
                yield unit
            else:
                self._done(unit)

    def _do(self, variant: PlannedVariant, units: Iterable[Unit]) -> list[Unit]:
        """Do units of one variant and return those that another runner has claimed."""
        tools = Tools(
            lambda: self._models.load(variant), self._scorers, Batches(self._plan.work.batch)
        )
        claimed: list[Unit] = []
        in_a_row = 0
        for group in together(units):
            self._stop_if_orphaned()
            with ExitStack() as stack:
                mine: list[Unit] = []
                for unit in group:
                    is_mine = stack.enter_context(self._store.claims.claim(unit.name))
                    (mine if is_mine else claimed).append(unit)
                if not mine:
                    continue
                failure = self._some(mine, tools)
            for unit in mine:
                self._done(unit)
            in_a_row = in_a_row + 1 if failure is not None else 0
            if failure is not None and (failure.stage == "load" or in_a_row == _GIVE_UP):
                self._store.failures.write(variant.slug, failure.of_variant())
                break
        return claimed

    def _some(self, units: Sequence[Unit], tools: Tools) -> Failure | None:
        """Do units of one chunk; return the first thing that failed, each unit's written down."""
        variant = units[0].variant
        self._load_scorers()
        try:
            failures = do_units(self._plan, self._store, units, tools)
        except LoadError as error:
            return Failure(variant.name, "load", str(error))
        _log.info("did %d units of %s, %d failed", len(units), variant.name, len(failures))
        for failure in {one.unit: one for one in reversed(failures)}.values():
            self._store.failures.write(variant.slug, failure)
        return failures[0] if failures else None

    def _load_scorers(self) -> None:
        if self._scorers or self._plan.work.stage == "generate":
            return
        for scorer in self._plan.scorers:
            _log.info("loading the scorer of %s on %s", scorer.metric, self._plan.work.device)
            self._scorers[scorer.metric] = scorer.settings.load(self._plan.work.device)

    def _stop_if_orphaned(self) -> None:
        """Stop when the process that started this worker is gone, or it would go on for days."""
        if self._place.parent not in (None, os.getppid()):
            raise FlashevalError("the command that started this worker has ended; run it again")


def together(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    """Yield one variant's units of each chunk together, as far as memory should bear their images.

    >>> from flasheval.runs.chunks import Chunk
    >>> chunk, other = Chunk(("1",), ("A cat.",), ""), Chunk(("2",), ("A dog.",), "")
    >>> units = [Unit(None, one, f"{image}", image) for one in (chunk, other) for image in (0, 1)]
    >>> [[unit.image for unit in group] for group in together(units)]
    [[0, 1], [0, 1]]
    """
    for _, group in groupby(units, key=lambda unit: unit.chunk.ids):
        waiting: list[Unit] = []
        for unit in group:
            if waiting and (len(waiting) + 1) * len(unit.chunk) > _TOGETHER:
                yield waiting
                waiting = []
            waiting.append(unit)
        if waiting:
            yield waiting
