"""Independent searches on several threads, with one progress and a clean stop on Ctrl-C.

Threads, not processes: the compiled kernels and numpy release the interpreter lock, and all of
them read one score table in place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from flasheval.base.errors import SettingError
from flasheval.selection.held_out.one_search import ProgressCallback
from flasheval.selection.methods.driver import StepCallback

__all__ = ["check_workers", "run_parallel", "worker_count"]

T = TypeVar("T")
_LOOK_EVERY = 0.2


def check_workers(workers: int | None) -> None:
    """Raise SettingError for a number of workers that cannot be."""
    whole = isinstance(workers, int) and not isinstance(workers, bool)
    if workers is not None and not (whole and workers >= 1):
        raise SettingError(f"workers={workers}: expected at least 1, or null for all cores")


def worker_count(workers: int | None) -> int:
    """Return how many searches may run at a time: by default as many as kernels have threads.

    Where numba was built without a threading layer that several threads may enter, it is 1; which
    layer there is shows once a parallel kernel has run.
    """
    import numba

    runtime: Any = numba  # not all of what is used here is typed
    count: int = runtime.get_num_threads() if workers is None else workers
    try:
        safe = runtime.threading_layer() != "workqueue"
    except ValueError:  # no parallel kernel has run yet
        safe = False
    return count if safe else 1


def run_parallel(
    work: Sequence[Callable[[StepCallback], T | None]],
    labels: Sequence[str],
    *,
    workers: int,
    report: ProgressCallback | None = None,
) -> tuple[list[T | None], bool]:
    """Run pieces of work that do not depend on each other.

    Linear algebra is held to one thread, and so is each compiled kernel where several workers
    run, so the results are the same for any number of them.

    Args:
        work: Each is called with a function to report its steps to, and gives None when it was
            stopped half-way.
        labels: What each does, for `report`.
        workers: Threads.
        report: Told of the progress from this thread.

    Returns:
        One result a piece, None where there is none, and whether Ctrl-C left some out.

    Raises:
        Exception: The first error of a piece; the others are stopped.

    Example:
        >>> run_parallel([lambda steps: 1, lambda steps: 2], ["one", "two"], workers=2)
        ([1, 2], False)

    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    crew = _Crew(labels, report)
    # Around all workers: limits set and lifted inside one would change those of its neighbours.
    with threadpool_limits(limits=1, user_api="blas"):
        pool = ThreadPoolExecutor(workers, initializer=_one_kernel_thread if workers > 1 else None)
        try:
            futures: list[Future[T | None]] = [
                pool.submit(crew.run, number, one) for number, one in enumerate(work)
            ]
            for future in futures:
                future.add_done_callback(crew.finished.put)
            crew.watch(len(futures))
        finally:
            crew.stop.set()
            pool.shutdown(cancel_futures=True)
    results = [_result_of(future) for future in futures]
    return results, None in results


class _Crew:
    """What the threads at work and the one that watches them share."""

    def __init__(self, labels: Sequence[str], report: ProgressCallback | None) -> None:
        self.labels, self.report = labels, report
        self.stop = threading.Event()
        self.finished: SimpleQueue[Future[Any]] = SimpleQueue()
        self.shares: dict[int, float] = {}
        self.label = ""

    def run(self, number: int, one: Callable[[StepCallback], Any]) -> Any:
        def steps(step: int, of: int) -> None:
            self.shares[number] = step / max(of, 1)
            if self.stop.is_set():
                raise KeyboardInterrupt  # the search saves its state and ends

        self.label = self.labels[number]
        try:
            found = one(steps)
            if found is None:
                self.stop.set()
            return found
        finally:
            self.shares[number] = 1  # counted at once, so that progress never goes back

    def watch(self, total: int) -> None:
        """Wait for all pieces; Ctrl-C breaks the wait off."""
        done = 0
        with suppress(KeyboardInterrupt):
            while done < total:
                try:
                    self.finished.get(timeout=_LOOK_EVERY).result()
                    done += 1
                except Empty:
                    pass
                if self.report is not None:
                    self.report(self.label, sum(list(self.shares.values())), total)


def _result_of(future: Future[T | None]) -> T | None:
    if future.cancelled() or future.exception() is not None:
        return None
    return future.result()


def _one_kernel_thread() -> None:
    import numba

    numba.set_num_threads(1)
