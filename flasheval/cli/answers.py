"""A command's answer for programs: one JSON document on standard output, and nothing else there.

There are three kinds of documents, `answer`, `sweep` and `error`; `flasheval/cli/schemas` says in
JSON Schema what stands in each. ``schema`` is the version of a form: it grows when a key changes
its meaning or goes, not when one is added.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from flasheval.base.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flasheval.base.errors import FlashevalError
    from flasheval.cli.commands.context import Answer

__all__ = ["SCHEMA", "Answers", "answer_document", "error_document", "sweep_document"]

_IN_TEXT = {"-h", "--help", "-V", "--version", "-c", "--cfg", "--info", "-i", "--hydra-help"}

SCHEMA = 1
"""The version of the documents' form; a result in one has its own."""


class Answers:
    """Where the document goes that a command answers with; nothing where it answers in text.

    While it is open under ``json=true`` all that is printed goes to standard error, also what
    libraries and processes print.

    Args:
        words: The words of the command line; the settings may still ask for JSON later.

    Example:
        >>> with Answers(["show", "json=true"]) as answers:
        ...     print("loading")  # goes to standard error
        ...     answers.give({"kind": "answer"})
        {
          "kind": "answer"
        }

    """

    def __init__(self, words: Sequence[str]) -> None:
        said = [word.lstrip("+").partition("=") for word in words]
        asked = [value.lower() == "true" for key, _, value in said if key == "json"]
        self.json = bool(asked) and asked[-1] and not set(words) & _IN_TEXT
        self._out: IO[str] | None = None
        self._open = ExitStack()

    def __enter__(self) -> Answers:
        if self.json:
            self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._out = None

    def begin(self) -> None:
        """Keep standard output for the document from now on."""
        if self._out is None:
            self.json = True
            self._out = self._open.enter_context(_alone_on_stdout())

    def give(self, document: Mapping[str, Any]) -> None:
        """Write the document, once: one that comes later is left out."""
        if self._out is not None:
            self._out.write(as_json(document))
            self._out.flush()
            self._out = open(os.devnull, "w")  # noqa: SIM115 - nothing follows the document
            self._open.callback(self._out.close)


def as_json(document: Mapping[str, Any]) -> str:
    r"""Return a document as text: in ASCII, so that no encoding of a stream can harm it.

    >>> as_json({"name": "é"})
    '{\n  "name": "\\u00e9"\n}\n'
    """
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def answer_document(verb: str, command: str, code: int, answer: Answer) -> dict[str, Any]:
    """Return the document of an answer.

    Args:
        verb: The verb.
        command: What was typed.
        code: The exit code.
        answer: What the command found.

    Example:
        >>> from flasheval.cli.commands.context import Answer
        >>> found = Answer({"kind": "scores", "schema": 1}, "4 variants", files={"out": Path("a")})
        >>> document = answer_document("show", "flasheval show a", 0, found)
        >>> document["headline"], document["result"]["kind"], document["files"]
        ('4 variants', 'scores', {'out': 'a'})

    """
    from flasheval.base.json_data import plain_data  # which needs NumPy

    view = None if answer.view is None else answer.view.to_dict()
    warnings = [*answer.warnings, *(view["warnings"] if view else ())]
    result = plain_data(answer.result)
    headlines = (answer.headline, view and view["headline"], result.get("headline"))
    return {
        **_head("answer", verb, command, code),
        "headline": next(filter(None, headlines), ""),
        "warnings": list(dict.fromkeys(warnings)),
        "notes": list(answer.notes),
        "files": {key: str(path) for key, path in answer.files.items()},
        "lines": view["lines"] if view else [],
        "tables": view["tables"] if view else [],
        "result": result,
    }


def sweep_document(
    verb: str, command: str, code: int, jobs: Sequence[Mapping[str, Any]], files: Mapping[str, Path]
) -> dict[str, Any]:
    """Return the document of a sweep: one of an answer or an error for each job, in order.

    >>> sweep_document("search", "flasheval search -m size=5,10", 0, [], {})["jobs"]
    []
    """
    files_text = {key: str(path) for key, path in files.items()}
    return {**_head("sweep", verb, command, code), "files": files_text, "jobs": list(jobs)}


def error_document(
    error: FlashevalError | BaseException, code: int, message: str = ""
) -> dict[str, Any]:
    """Return the document of an error: its message in one line, and its kind.

    >>> error_document(ValueError("size is 0"), 2)["error"]
    {'kind': 'ValueError', 'message': 'size is 0'}
    """
    said = message or " ".join(str(error).split())
    told = {"kind": type(error).__name__, "message": said}
    return {"kind": "error", "schema": SCHEMA, "exit_code": code, "error": told}


def _head(kind: str, verb: str, command: str, code: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "schema": SCHEMA,
        "flasheval": __version__,
        "verb": verb,
        "command": command,
        "exit_code": code,
    }


@contextmanager
def _alone_on_stdout() -> Iterator[IO[str]]:
    """Yield standard output as it is; whatever else writes there writes to standard error."""
    own = sys.stdout
    with ExitStack() as stack:
        out: IO[str] = own
        if _number(own) == 1:  # the process's: what other processes of ours inherit too
            own.flush()
            kept = os.dup(1)
            out = stack.enter_context(os.fdopen(kept, "w", encoding="ascii"))
            os.dup2(2, 1)
            stack.callback(os.dup2, kept, 1)
        sys.stdout = sys.stderr
        try:
            yield out
        finally:
            sys.stdout = own


def _number(stream: IO[str]) -> int | None:
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None
