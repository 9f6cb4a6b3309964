"""The `flasheval` command: `flasheval VERB key=value ...`, with Hydra underneath.

This package is the only place that knows Hydra, and imports it only once a verb runs. Each row of
`verbs` says all about one verb. Every FlashevalError is told in one line, and `exit_codes` says
with which code: a mistake in the settings is 2, work that failed is 1. Ctrl-C and SIGTERM end with
what was found so far (130). Any other exception is a bug, and shows its traceback. Under json=true
standard output gets one document, of an error too (`answers`).
"""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.extras import missing_library
from flasheval.base.suggest import nearest
from flasheval.base.text import visible
from flasheval.base.version import __version__
from flasheval.cli.answers import Answers, error_document
from flasheval.cli.exit_codes import DONE, FAILED, INTERRUPTED, code_of
from flasheval.cli.tab.scripts import HIDDEN
from flasheval.cli.verbs import VERBS

__all__ = ["main"]

_CALL = 2  # words of a shell's call before those it asks about


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Args:
        argv: The words after `flasheval`; those of this process when not given.

    Example:
        >>> main(["--version"])
        flasheval 0.2.0
        0

    """
    words = list(sys.argv[1:] if argv is None else argv)
    _open_streams()
    try:
        with Answers(words) as answers:
            code = _run(words, answers)
        sys.stdout.flush()
    except BrokenPipeError:  # `flasheval show ... | head`
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - the interpreter flushes it at exit
        return FAILED
    return code


def _run(words: list[str], answers: Answers) -> int:
    from flasheval.cli.help import overview, verb_help

    if words[:1] == [HIDDEN]:
        from flasheval.cli.tab.offers import answer

        print(answer(words[1], words[2:]) if len(words) > _CALL else "")
        return DONE
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return DONE
    if words[0] in ("-V", "--version"):
        print(f"flasheval {__version__}")
        return DONE
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        known = ", ".join(VERBS)
        error = SettingError(f"no verb {verb!r}; there are: {known}{nearest(verb, VERBS)}")
        if "=" in verb or verb.startswith("-"):
            error = SettingError(
                f"{verb}: a verb comes first, as in: flasheval search size=10; there are: {known}"
            )
        return _complain(error, answers)
    if {"-h", "--help"} & set(rest):
        print(verb_help(verb, rest))
        return DONE
    try:
        from flasheval.cli.hydra_app import run_verb

        with _one_line_warnings(), _terminated_like_interrupted():
            return run_verb(verb, rest, answers)
    except FlashevalError as error:
        return _complain(error, answers)
    except ModuleNotFoundError as error:
        said = missing_library(error)
        if said is None:
            raise
        return _complain(SettingError(said), answers)
    except KeyboardInterrupt as error:
        said = "interrupted; run the same command to continue"
        print(f"flasheval: {said}", file=sys.stderr)
        answers.give(error_document(error, INTERRUPTED, said))
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        if not answers.json:
            raise
        traceback.print_exc()
        answers.give(error_document(error, FAILED))
        return FAILED


def _open_streams() -> None:
    """Let output go nowhere where it is closed, and lose a sign rather than stop in ASCII."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # `flasheval ... >&-`
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - for as long as we run
        elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _complain(error: FlashevalError, answers: Answers) -> int:
    """Print an error in one line, as a document too where one is asked for; return its code."""
    print(f"flasheval: error: {error}", file=sys.stderr)
    answers.give(error_document(error, code_of(error)))
    return code_of(error)


@contextmanager
def _one_line_warnings() -> Iterator[None]:
    def show(message: Warning | str, *_: object, **__: object) -> None:
        print(f"flasheval: warning: {visible(' '.join(str(message).split()))}", file=sys.stderr)

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
