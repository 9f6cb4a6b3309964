"""Collecting how several workers ended, to decide whether the work is done."""

from __future__ import annotations

import warnings

from flasheval.base.errors import FlashevalError

__all__ = ["Endings"]


class Endings:
    """The endings of several workers: a warning for each failure, an error if all failed.

    A worker that ends normally has seen every unit done, failed or given up. So the work is over
    when one of them ends normally, even if all others failed.

    >>> endings = Endings()
    >>> endings.note(None)
    >>> endings.settle()  # one worker ended well: the work is done
    """

    def __init__(self) -> None:
        self._well = 0
        self._lines: list[str] = []

    def note(self, trouble: str | None) -> None:
        """Note how a worker ended: its error, of which a warning is given, or None.

        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     Endings().note("worker 0: out of memory")
        >>> str(caught[0].message)
        'worker 0: out of memory; the other workers go on'
        """
        if trouble is None:
            self._well += 1
            return
        self._lines.append(" ".join(trouble.split()))
        warnings.warn(f"{self._lines[-1]}; the other workers go on", stacklevel=2)

    def settle(self) -> None:
        """Raise FlashevalError with the first error when no worker ended normally.

        >>> import warnings
        >>> endings = Endings()
        >>> with warnings.catch_warnings(action="ignore"):
        ...     endings.note("worker 0: out of memory")
        >>> endings.settle()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.FlashevalError: worker 0: out of memory; what is done is kept: ...
        """
        if self._lines and not self._well:
            raise FlashevalError(
                f"{self._lines[0]}; what is done is kept: run the same command to go on"
            )
