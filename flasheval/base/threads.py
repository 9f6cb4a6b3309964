"""Threads of our own: pieces of work spread over the cores, work inside work included.

Compiled kernels and numpy release the interpreter lock, so threads share one score table in place.
A crew is a number of threads that may run at a time. Whoever has pieces of work runs them itself
and takes idle members of the crew along, so that nested work never waits for a thread and never
starts more than the crew has. Threads live for one piece of work: none is left behind when a
process forks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Generic, TypeVar

from flasheval.base.errors import SettingError

__all__ = ["check_workers", "cores", "crew", "in_blocks", "spread"]

T = TypeVar("T")
_LOOK_EVERY = 0.2  # seconds


def cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def check_workers(workers: int | None) -> None:
    """Raise SettingError for a number of workers that cannot be."""
    whole = isinstance(workers, int) and not isinstance(workers, bool)
    if workers is not None and not (whole and workers >= 1):
        raise SettingError(f"workers={workers}: expected at least 1, or null for all cores")


class _Crew:
    """The threads that may run beside the one that brings the work."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._idle = size - 1
        self._lock = threading.Lock()

    def take(self) -> bool:
        with self._lock:
            if self._idle <= 0:
                return False
            self._idle -= 1
            return True

    def give_back(self) -> None:
        with self._lock:
            self._idle += 1


_everyone = _Crew(cores())
_current: ContextVar[_Crew | None] = ContextVar("crew", default=None)


def _after_fork() -> None:
    """Start afresh in a child: its parent's threads, and what they held, are not there."""
    global _everyone
    _everyone = _Crew(cores())
    _current.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def crew(workers: int | None) -> Iterator[int]:
    """Let what runs inside use so many threads; None takes those of the surrounding crew.

    >>> with crew(2) as count:
    ...     count
    2
    """
    check_workers(workers)
    if workers is None:
        yield (_current.get() or _everyone).size
        return
    token = _current.set(_Crew(workers))
    try:
        yield workers
    finally:
        _current.reset(token)


def spread(
    pieces: Sequence[Callable[[], T]],
    *,
    stop: Callable[[], None] | None = None,
    waiting: Callable[[], None] | None = None,
) -> list[T]:
    """Run pieces of work that do not depend on each other; return their results in order.

    Pieces begin in order. The caller runs them too, so it may itself be a piece of other work.

    Args:
        pieces: What to run.
        stop: Called when one of them has failed, so that those under way can end early.
        waiting: Called now and then by the caller while others finish theirs.

    Raises:
        BaseException: The first that a piece raised; pieces that had not begun are left out.

    >>> spread([lambda: 1, lambda: 2, lambda: 3])
    [1, 2, 3]

    """
    return _Job(pieces, _current.get() or _everyone, stop, waiting).run()


def in_blocks(count: int, block: int, work: Callable[[int, int], None]) -> None:
    """Call ``work(first, last)`` for the numbers from 0 to ``count``, so many at a time.

    >>> seen = []
    >>> in_blocks(5, 2, lambda first, last: seen.append((first, last)))
    >>> sorted(seen)
    [(0, 2), (2, 4), (4, 5)]
    """
    bounds = [(first, min(first + block, count)) for first in range(0, count, block)]
    if len(bounds) == 1:
        work(*bounds[0])
        return
    spread([partial(work, first, last) for first, last in bounds])


class _Job(Generic[T]):
    """Pieces that several threads take one after the other."""

    def __init__(
        self,
        pieces: Sequence[Callable[[], T]],
        members: _Crew,
        stop: Callable[[], None] | None,
        waiting: Callable[[], None] | None,
    ) -> None:
        self._pieces, self._crew = pieces, members
        self._stop, self._waiting = stop, waiting
        self._results: list[T | None] = [None] * len(pieces)
        self._lock = threading.Lock()
        self._next = 0
        self._error: BaseException | None = None
        self._helpers: list[threading.Thread] = []

    def run(self) -> list[T]:
        try:
            self._work(calls_others=True)
            self._wait()
        except BaseException as error:  # Ctrl-C between two pieces, or while waiting
            self._fail(error)
        for helper in self._helpers:
            helper.join()
        if self._error is not None:
            raise self._error
        return self._results  # type: ignore[return-value]

    def _any_left(self) -> bool:
        return self._next < len(self._pieces) and self._error is None

    def _take(self) -> int | None:
        with self._lock:
            if not self._any_left():
                return None
            self._next += 1
            return self._next - 1

    def _work(self, *, calls_others: bool) -> None:
        while (number := self._take()) is not None:
            if calls_others:
                self._call_others()
            try:
                self._results[number] = self._pieces[number]()
            except BaseException as error:
                self._fail(error)
                return

    def _fail(self, error: BaseException) -> None:
        with self._lock:
            self._error = self._error or error
        if self._stop is not None:
            self._stop()

    def _wait(self) -> None:
        for helper in self._helpers:
            while helper.is_alive():
                helper.join(_LOOK_EVERY)
                if self._waiting is not None:
                    self._waiting()

    def _call_others(self) -> None:
        """Take along as many idle members of the crew as there are pieces left."""
        while self._any_left() and self._crew.take():
            context = copy_context()  # helpers work in the same crew
            helper = threading.Thread(target=context.run, args=(self._help,), daemon=True)
            self._helpers.append(helper)
            helper.start()

    def _help(self) -> None:
        try:
            self._work(calls_others=False)
        finally:
            self._crew.give_back()
