"""Claims on units, so that several runners on one folder do not do the same work.

A claim is a lock on one byte of a file, at a place that the unit's name gives. The system frees
it when its process ends, however that ends, so none is ever left behind. Where a file system has
no locks every claim succeeds: the work may then be done twice, and the result is the same.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # not a POSIX system: no claims
    fcntl = None  # type: ignore[assignment]

__all__ = ["Claims", "are_held", "can_lock"]

_TAKEN = (errno.EACCES, errno.EAGAIN)


class Claims:
    """The claims of one process on the units of a run.

    Args:
        path: The file to lock; made when absent, and always empty.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     claims = Claims(Path(folder) / ".claims")
    ...     with claims.claim("0123456789abcdef") as one, claims.claim("fedcba9876543210") as two:
    ...         print(one, two)
    ...     claims.close()
    True True

    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @contextmanager
    def claim(self, name: str) -> Iterator[bool]:
        """Yield True while this process holds the unit of that name, False if another does.

        Args:
            name: The unit's name: at least 15 hex digits.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     claims = Claims(Path(folder) / ".claims")
        ...     with claims.claim("0123456789abcdef") as mine:
        ...         print(mine)
        ...     claims.close()
        True

        """
        if fcntl is None:
            yield True
            return
        place = int(name[:15], 16)
        try:
            fcntl.lockf(self._open(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError as error:
            yield error.errno not in _TAKEN
            return
        try:
            yield True
        finally:
            fcntl.lockf(self._open(), fcntl.LOCK_UN, 1, place)

    def close(self) -> None:
        """Release every claim."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        return self._descriptor


def are_held(path: Path) -> bool | None:
    """Tell whether another process holds a claim now; None when the file system has no locks.

    The check holds the file for an instant: a runner that asks just then tries its unit again
    later. A process that holds claims itself must not call it, because it would lose them.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     are_held(Path(folder) / ".claims")  # no run has claimed anything yet
    False
    """
    if fcntl is None:
        return None
    error = _locked(path, os.O_RDONLY, "LOCK_SH")
    if error in (None, errno.ENOENT):
        return False
    return True if error in _TAKEN else None


def can_lock(path: Path) -> bool:
    """Tell whether files like this one, which is made when absent, can be locked."""
    if fcntl is None:
        return False
    return _locked(path, os.O_RDWR | os.O_CREAT, "LOCK_EX") is None


def _locked(path: Path, flags: int, lock: str) -> int | None:
    """Lock a whole file for an instant; return the number of the error, None where it goes."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
    except OSError as error:
        return error.errno
    try:
        fcntl.lockf(descriptor, getattr(fcntl, lock) | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno
    finally:
        os.close(descriptor)
    return None
