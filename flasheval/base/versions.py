"""When and with which versions something was made."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata

__all__ = ["library_versions", "utc_now"]


def utc_now() -> str:
    """Return the present time as :class:`Record` wants it: ISO 8601, UTC, whole seconds."""
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
