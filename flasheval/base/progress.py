"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TextIO

from flasheval.base.text import visible
from flasheval.base.time_left import TimeLeft

__all__ = ["ProgressBar", "Report", "duration", "holding_up", "reporting"]

Report = Callable[[str, float, int], None]
"""What work tells its progress to: a label, the units done, and those planned or 0."""

_SILENCE = 2.0  # seconds at the start
_SHARE = 1 / 20  # of the time gone by: the pause between two plain lines, once that is long
_WORTH_SAYING = 1.0  # seconds that something must hold the work up to be named


class ProgressBar:
    """A context manager that shows progress on standard error; call it to report progress.

    Nothing is shown in the first two seconds. Then a terminal gets a bar with the time left. A
    script, a log or a notebook gets a line: one after two seconds, the next at ten, then one every
    ten seconds, and once that is less than a twentieth of the time gone by, one every twentieth, so
    that a night's log stays short. A separate thread draws, so the display goes on while the work
    is inside one long call. The time left is given once it can be trusted.

    Args:
        stream: Where to write; standard error when not given.
        label: Begins every line, for one of several jobs; a terminal then gets lines too.
        whole: Whether one count runs over all the work. Otherwise each part is counted by itself,
            and the time left is said to be that of the part.
        after: Seconds of silence at the start; two when not given.
        every: Seconds between two plain lines, at first.
        shown: Whether anything is written at all.

    >>> with ProgressBar() as report:
    ...     report("halves", 1.5, 10)

    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        label: str = "",
        whole: bool = True,
        after: float | None = None,
        every: float = 10.0,
        shown: bool = True,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._after, self._every = _SILENCE if after is None else after, every
        self._prefix = f"[{label}] " if label else ""
        self._now: tuple[str, float, int] = ("starting", 0.0, 0)
        self._begun = time.monotonic()
        self._whole, self._left = whole, TimeLeft(self._begun)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True) if shown else None

    def __enter__(self) -> Self:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def __call__(self, label: str, done: float, total: int) -> None:
        """Report what is being done, and how much of the work is done.

        Args:
            label: What is under way.
            done: Units done; one under way counts by its share.
            total: Units planned; 0 when unknown.

        """
        now = time.monotonic()
        with self._lock:
            if total != self._now[2] and self._now[2] > 0:
                self._left = TimeLeft(now)
            self._now = (label, done, total)
            if total > 0:
                self._left.note(now, min(done / total, 1.0))

    def line(self) -> str:
        """Return the present state as one plain line.

        >>> report = ProgressBar(label="coco")
        >>> report("splits", 0, 10)
        >>> report.line()
        '[coco] splits: 0.0 s so far'
        """
        elapsed = duration(time.monotonic() - self._begun)
        label, share, left = self._state()
        if not share:
            return f"{self._prefix}{label}: {elapsed} so far"
        return f"{self._prefix}{label}: {share:.0%} after {elapsed}{left and ', ' + left}"

    def _state(self) -> tuple[str, float | None, str]:
        """Return what is under way, the share done where it is known, and the time left."""
        with self._lock:
            label, done, total = self._now
            left = self._left.at(time.monotonic()) if total > 0 else None
        share = min(done / total, 1.0) if total > 0 else None
        of_what = "" if self._whole else " for this part"
        return (
            visible(_hold_up() or label),
            share,
            "" if left is None else f"about {duration(left)} left{of_what}",
        )

    def _watch(self) -> None:
        if self._over.wait(self._after):
            return
        if self._stream.isatty() and not self._prefix:
            self._draw_bar()
            return
        while True:
            print(self.line(), file=self._stream, flush=True)
            if self._over.wait(self._pause(time.monotonic() - self._begun)):
                return

    def _pause(self, elapsed: float) -> float:
        """Return the seconds from a plain line to the next."""
        first = elapsed < self._every
        return self._every - elapsed if first else max(self._every, elapsed * _SHARE)

    def _draw_bar(self) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
        )

        from flasheval.base.drawing.terminal import Terminal

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=Terminal(file=self._stream),
            transient=True,
        )
        with bar:
            task = bar.add_task("", total=None, left="")
            while not self._over.wait(0.2):
                label, share, left = self._state()
                known: dict[str, Any] = {} if share is None else {"completed": share}
                total = None if share is None else 1.0
                bar.update(task, description=label, total=total, left=left, **known)


_held_up: dict[object, tuple[str, float]] = {}


@contextmanager
def holding_up(what: str) -> Iterator[None]:
    """Let every progress say what holds the work up, if it takes more than a second.

    >>> with holding_up("compiling the kernels, once"):
    ...     pass

    """
    token = object()
    _held_up[token] = (what, time.monotonic())
    try:
        yield
    finally:
        del _held_up[token]


def _hold_up() -> str:
    """Return what has held the work up for a while, or nothing."""
    now = time.monotonic()
    long = [what for what, begun in list(_held_up.values()) if now - begun > _WORTH_SAYING]
    return long[0] if long else ""


@contextmanager
def reporting(
    progress: Report | bool | None,
) -> Iterator[Report | None]:
    """Yield the function that work reports its progress to, or None for no reports.

    Args:
        progress: A function, which is yielded unchanged; True or None for a `ProgressBar`; False
            for no reports.

    >>> with reporting(False) as report:
    ...     print(report)
    None

    """
    if progress is not None and not isinstance(progress, bool):
        yield progress
    elif progress is False:
        yield None
    else:
        with ProgressBar() as report:
            yield report


def duration(seconds: float) -> str:
    """Return a number of seconds as readable text.

    >>> duration(0.42), duration(42.2), duration(250), duration(8000)
    ('0.4 s', '42 s', '4 min 10 s', '2 h 13 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
