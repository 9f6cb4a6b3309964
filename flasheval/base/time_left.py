"""The time that work will still take, from how it has gone of late."""

from __future__ import annotations

from bisect import bisect_right

__all__ = ["TimeLeft"]

_ENOUGH = 0.065  # of the work that the stretch looked at began with
_LONG = 30.0  # seconds of steady work that may be trusted before so much is done
_MANY = 8  # reports in them
_KEPT = 2000


class TimeLeft:
    """An estimate of the time left that is given only once it can be trusted.

    The rate is that of the last stretch: it begins when a third of the time had passed, or a third
    of what is done was done, whichever is later. So a slow start (kernels compiled, models loaded)
    is soon forgotten, and so is a quick one (work found finished).

    Args:
        begun: When the work began, in seconds of any clock.

    >>> left = TimeLeft(begun=100.0)
    >>> for second in range(1, 11):
    ...     left.note(100.0 + second, second / 40)
    >>> round(left.at(110.0))
    30

    """

    def __init__(self, begun: float) -> None:
        self._times, self._shares = [begun], [0.0]

    def note(self, now: float, share: float) -> None:
        """Take down the share of the work that is done, from 0 to 1."""
        if share < self._shares[-1]:  # other work, counted from its own start
            self._times, self._shares = [now], [share]
        elif share > self._shares[-1]:
            self._times.append(now)
            self._shares.append(share)
        if len(self._times) > _KEPT:
            del self._times[1:-1:2], self._shares[1:-1:2]

    def at(self, now: float) -> float | None:
        """Return the seconds left, or None as long as nobody can say."""
        times, shares = self._times, self._shares
        share = shares[-1]
        by_time = bisect_right(times, times[0] + (now - times[0]) / 3) - 1
        by_work = bisect_right(shares, share / 3) - 1
        first = max(by_time, by_work, 1)  # what came before the first report may be loading
        steps = len(times) - 1 - first
        if steps < 2:  # one piece may be unlike the others
            return None
        enough = share - shares[first] >= _ENOUGH * (1 - shares[first])
        if not enough and (now - times[first] < _LONG or steps < _MANY):
            return None
        # Between two reports work goes on, but not past the next one.
        waited = now - times[-1]
        rate = (share - shares[first]) / max(times[-1] - times[first], 1e-9)
        step = max(shares[k + 1] - shares[k] for k in range(first, len(shares) - 1))
        likely = min(share + min(rate * waited, 0.9 * step), 1.0)
        return (1 - likely) * (now - times[first]) / (likely - shares[first])
