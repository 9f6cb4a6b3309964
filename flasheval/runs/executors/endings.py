"""How several workers ended, and whether that was the end of the work."""

from __future__ import annotations

import warnings

from flasheval.base.errors import FlashevalError

__all__ = ["Endings"]


class Endings:
    """Tells of each worker that came to grief, and raises once all of them have.

    A worker that ends by itself has seen every unit done, failed or given up, so with one of
    them the work is over, whatever became of the others.
    """

    def __init__(self) -> None:
        self._well = 0
        self._lines: list[str] = []

    def note(self, trouble: str | None) -> None:
        """Take what a worker came to grief by, None for nothing; warn of it in one line."""
        if trouble is None:
            self._well += 1
            return
        self._lines.append(" ".join(trouble.split()))
        warnings.warn(f"{self._lines[-1]}; the other workers go on", stacklevel=2)

    def settle(self) -> None:
        """Raise FlashevalError with the first trouble where no worker ended well."""
        if self._lines and not self._well:
            raise FlashevalError(
                f"{self._lines[0]}; what is done is kept: run the same command to go on"
            )
