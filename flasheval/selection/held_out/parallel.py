"""Independent searches on the threads of a crew, with one progress and a clean stop on Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from flasheval.base.threads import crew, spread
from flasheval.selection.held_out.one_search import ProgressCallback
from flasheval.selection.methods.driver import StepCallback

__all__ = ["run_parallel"]

T = TypeVar("T")


def run_parallel(
    work: Sequence[Callable[[StepCallback], T | None]],
    labels: Sequence[str],
    *,
    costs: Sequence[float] = (),
    workers: int | None = None,
    report: ProgressCallback | None = None,
) -> tuple[list[T | None], bool]:
    """Run pieces of work that do not depend on each other.

    Linear algebra is held to one thread, and compiled kernels open none, so the results are the
    same for any number of workers.

    Args:
        work: Each is called with a function to report its steps to, and gives None when it was
            stopped half-way.
        labels: What each does, for `report`.
        costs: How long each takes beside the others, for `report`; alike where not given.
        workers: Threads; None takes those of the surrounding crew, by default one a core.
        report: Told of the progress, from this thread.

    Returns:
        One result a piece, None where there is none, and whether Ctrl-C left some out.

    Raises:
        Exception: The first error of a piece; the others are stopped.

    Example:
        >>> run_parallel([lambda steps: 1, lambda steps: 2], ["one", "two"], workers=2)
        ([1, 2], False)

    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    together: _Together[T] = _Together(work, labels, costs, report)
    # Around all workers: limits set and lifted inside one would change those of its neighbours.
    with threadpool_limits(limits=1, user_api="blas"), crew(workers), suppress(KeyboardInterrupt):
        spread(
            [partial(together.run, number) for number in range(len(work))],
            stop=together.stop.set,
            waiting=together.tell,
        )
    return together.results, None in together.results


class _Together(Generic[T]):
    """What the threads at work share: results, progress, and the word to stop."""

    def __init__(
        self,
        work: Sequence[Callable[[StepCallback], T | None]],
        labels: Sequence[str],
        costs: Sequence[float],
        report: ProgressCallback | None,
    ) -> None:
        self.work, self.labels, self.report = work, labels, report
        self.costs = list(costs) or [1.0] * len(work)
        self.results: list[T | None] = [None] * len(work)
        self.stop = threading.Event()
        self.shares: dict[int, float] = {}
        self.label = ""
        self._caller = threading.get_ident()

    def run(self, number: int) -> None:
        if self.stop.is_set():
            return

        def steps(step: int, of: int) -> None:
            self.shares[number] = step / max(of, 1)
            if self.stop.is_set():
                raise KeyboardInterrupt  # the search saves its state and ends
            self.tell()

        self.label = self.labels[number]
        self.tell()
        found = self.work[number](steps)
        self.results[number] = found
        self.shares[number] = 1  # counted at once, so that progress never goes back
        if found is None:
            self.stop.set()
        else:
            self.tell()

    def tell(self) -> None:
        """Report the progress, from the thread that brought the work alone."""
        if self.report is None or threading.get_ident() != self._caller:
            return
        done = sum(self.costs[number] * share for number, share in list(self.shares.items()))
        self.report(self.label, done * len(self.work) / sum(self.costs), len(self.work))
