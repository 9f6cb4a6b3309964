"""The exit codes of `flasheval`, and which error ends with which."""

from __future__ import annotations

from flasheval.base.errors import FlashevalError, SettingError

__all__ = ["BAD_SETTING", "DONE", "FAILED", "INTERRUPTED", "code_of"]

DONE = 0
FAILED = 1
"""The work failed: a file, a score or a model cannot be used, or a check found a fault."""
BAD_SETTING = 2
"""A mistake on the command line: an unknown verb, key or choice, or an invalid value."""
INTERRUPTED = 130
"""Ctrl-C or SIGTERM; the same command continues."""


def code_of(error: FlashevalError) -> int:
    """Return the exit code of a command that ends with this error.

    >>> code_of(SettingError("size=0: expected at least 1"))
    2
    >>> code_of(FlashevalError("no device is left"))
    1
    """
    return BAD_SETTING if isinstance(error, SettingError) else FAILED
