"""The `flasheval` command: `flasheval VERB key=value ...`, with Hydra underneath.

This package is the only place that knows Hydra, and imports it only once a verb runs. A mistake in
the settings is found before anything is done and told in one line (exit code 2); a FlashevalError
of the work itself is one line too (1); Ctrl-C and SIGTERM end with what was found so far (130).
What is left is a bug, and shows its traceback.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from flasheval.base.errors import FlashevalError
from flasheval.base.suggest import nearest
from flasheval.base.version import __version__
from flasheval.cli.help import VERBS, overview, verb_help
from flasheval.cli.hydra_app import run_verb
from flasheval.cli.setting_errors import Mistake

__all__ = ["main"]

_FAILED, _BAD_SETTING, _INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        argv: The words after `flasheval`; those of this process when not given.

    Example:
        >>> main(["--version"])
        flasheval 0.1.0
        0

    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if words[0] in ("-V", "--version"):
        print(f"flasheval {__version__}")
        return 0
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        verbs = ", ".join(VERBS)
        return _complain(
            f"no verb {verb!r}; there are: {verbs}{nearest(verb, VERBS)}", _BAD_SETTING
        )
    if {"-h", "--help"} & set(rest):
        print(verb_help(verb, rest))
        return 0
    try:
        with _one_line_warnings(), _terminated_like_interrupted():
            return _run_verb(verb, rest)
    except FlashevalError as error:
        return _complain(str(error), _FAILED)
    except KeyboardInterrupt:
        print("flasheval: interrupted; run the same command to continue", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # `flasheval show ... | head`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - the interpreter flushes it at exit
        return _FAILED


def _run_verb(verb: str, words: list[str]) -> int:
    try:
        return run_verb(verb, words)
    except Mistake as mistake:
        return _complain(str(mistake), _BAD_SETTING)


def _complain(message: str, code: int) -> int:
    print(f"flasheval: error: {' '.join(message.split())}", file=sys.stderr)
    return code


@contextmanager
def _one_line_warnings() -> Iterator[None]:
    def show(message: Warning | str, *_: object, **__: object) -> None:
        print(f"flasheval: warning: {' '.join(str(message).split())}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Treat SIGTERM, a batch system's way to say stop, as Ctrl-C."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
