"""The present time and the versions of libraries, for records of what was made."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata

__all__ = ["library_versions", "utc_now"]


def utc_now() -> str:
    """Return the present time in ISO 8601: UTC, whole seconds.

    >>> moment = datetime.fromisoformat(utc_now())
    >>> moment.microsecond, moment.utcoffset().total_seconds()
    (0, 0.0)
    """
    return datetime.now(UTC).isoformat(timespec="seconds")


def library_versions(
    names: Iterable[str] = ("flasheval", "numpy", "scipy", "numba"),
) -> dict[str, str]:
    """Return the versions of Python and of the installed distributions among ``names``.

    >>> sorted(library_versions(["numpy", "no-such-distribution"]))
    ['numpy', 'python']
    """
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # run from a checkout, or an extra not installed
            continue
    return found
