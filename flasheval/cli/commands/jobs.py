"""One job of the command line, alone or in a sweep, and the table after a sweep."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.drawing.terminal import Terminal
from flasheval.base.errors import FlashevalError
from flasheval.base.files import write_text
from flasheval.base.json_data import write_json
from flasheval.base.run_folders import shown_path
from flasheval.cli.answers import answer_document, error_document, sweep_document
from flasheval.cli.commands.context import Context, Outcome, Sweep
from flasheval.cli.commands.prompt_keys import with_prompts
from flasheval.cli.commands.sweeps.finished_jobs import FinishedJob
from flasheval.cli.exit_codes import DONE, FAILED, INTERRUPTED, code_of
from flasheval.cli.verbs import VERBS

__all__ = ["finish_sweep", "run_job"]

TABLE, DATA = "sweep.csv", "sweep.json"


def run_job(
    verb: str,
    settings: Mapping[str, Any],
    folder: Path,
    command: str,
    words: Sequence[str] | None,
    sweep: Sweep | None = None,
) -> Outcome:
    """Do one job; in a sweep, only where it is not done yet.

    Args:
        verb: The verb.
        settings: Its settings, plain data.
        folder: The run folder, for a verb that has one.
        command: What was typed, for the log.
        words: The overrides of the job in its sweep; None for a job alone.
        sweep: The sweep, where it is a job of one.

    Returns:
        The outcome. A FlashevalError is in it, or in a sweep printed on standard error; so is a
        bug in a sweep, with its traceback, for the other jobs go on.

    Raises:
        KeyboardInterrupt: In a sweep, once what was found is written: the others must not start.

    Example:
        >>> settings = {"path": "no-such-file.parquet", "metric": None}
        >>> outcome = run_job("show", settings, Path(), "flasheval show no-such-file.parquet", None)
        >>> outcome.code, type(outcome.error).__name__
        (1, 'DataError')

    """
    row, alone = VERBS[verb], sweep is None
    words = tuple(words or ())
    label = " ".join(word for word in words if sweep is None or _key(word) in sweep.swept)
    config = row.make_config(settings)
    console = Terminal(quiet=not alone or config.quiet or config.json)
    shown = config.progress and not config.quiet
    context = Context(console, folder, verb, command, label, sweep, shows_progress=shown)
    finished = None if sweep is None else FinishedJob.of(sweep.folder, settings)
    if finished and not settings.get("overwrite") and (before := finished.summary()):
        _say(f"done before: {label}")
        return Outcome(DONE, summary=before, words=words)
    try:
        with _told(verbose=config.verbose, quiet=config.quiet):
            ended = row.load_command()(with_prompts(config), context)
            outcome = Outcome(ended) if isinstance(ended, int) else ended
            outcome = _documented(outcome, config, context)
    except FlashevalError as error:
        if alone:
            return Outcome(code_of(error), error=error)
        _say(f"flasheval: error: [{label}] {error}")
        document = error_document(error, code_of(error))
        return Outcome(
            code_of(error), words=words, label=label, reason=str(error), document=document
        )
    except Exception as error:
        if alone:
            raise
        _say(f"flasheval: a bug in job [{label}]:\n{traceback.format_exc()}")
        reason = f"a bug: {type(error).__name__}: {error}"
        document = error_document(error, FAILED)
        return Outcome(FAILED, words=words, label=label, reason=reason, document=document)
    if alone:
        return outcome
    if outcome.code == INTERRUPTED:
        raise KeyboardInterrupt
    if outcome.summary is not None:
        if finished is not None:
            finished.keep(outcome.summary)
        if not config.quiet:
            _say(f"done: {label} ({outcome.summary.line()})")
    return replace(outcome, words=words)


def _documented(outcome: Outcome, config: Any, context: Context) -> Outcome:
    """Return an outcome with its document, where one is asked for or to be kept in a file.

    The answer itself goes: an outcome may cross to another process.
    """
    answer, row = outcome.answer, VERBS[context.verb]
    if answer is None:
        return outcome
    kept = row.output is not None and row.output.keeps_answer and bool(config.out)
    document = None
    if config.json or kept:
        document = answer_document(context.verb, context.command, outcome.code, answer)
    if kept:
        path = write_json(Path(config.out).expanduser(), document)
        context.console.print(f"\nanswer: {shown_path(path)}", soft_wrap=True)
    if config.json and not config.quiet:
        for note in answer.notes:
            _say(f"flasheval: {note}")
    return replace(outcome, answer=None, document=document if config.json else None)


@contextmanager
def _told(*, verbose: bool, quiet: bool) -> Iterator[None]:
    """Let the loggers of flasheval write to standard error meanwhile, and warnings not if quiet."""
    logger = logging.getLogger("flasheval")
    handler, level = logging.StreamHandler(), logger.level
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
    with warnings.catch_warnings():
        if quiet:
            warnings.simplefilter("ignore")
        if verbose:
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


def finish_sweep(
    verb: str, outcomes: Sequence[Outcome], folder: Path, command: str = "", *, quiet: bool = False
) -> tuple[int, dict[str, Any]]:
    """Show all jobs of a sweep together and write them as files.

    `sweep.csv` and `sweep.json` hold a row a job, those that failed with the reason. What else
    there is to see is the verb's own.

    Args:
        verb: The verb.
        outcomes: Of the jobs, in order; one that stands twice counts once.
        folder: The folder of the sweep.
        command: The command line, for the document.
        quiet: Whether nothing is printed.

    Returns:
        The exit code, and the sweep as a document.

    Example:
        >>> code, document = finish_sweep("search", [], Path("sweep"))  # no jobs
        >>> code, document["jobs"]
        (0, [])

    """
    outcomes = list({outcome.words: outcome for outcome in outcomes}.values())
    console, files = Terminal(quiet=quiet), {"runs": folder}
    if outcomes:
        _write_jobs(outcomes, folder)
        files["table"] = folder / TABLE
        show = resolve_name(str(VERBS[verb].sweeps))
        for part in show(outcomes, folder):
            console.print(part, soft_wrap=isinstance(part, str), markup=False)
        for outcome in outcomes:
            if outcome.code != DONE:
                said = f"failed: {outcome.label}: {outcome.reason}"
                console.print(said, soft_wrap=True, markup=False)
        console.print()
        console.print(f"table: {shown_path(folder / TABLE)}", soft_wrap=True, markup=False)
        console.print(f"runs:  {shown_path(folder)}/", soft_wrap=True, markup=False)
    failed = sum(outcome.code != DONE for outcome in outcomes)
    if failed:
        _say(f"flasheval: error: {failed} of {len(outcomes)} jobs failed")
    code = max((outcome.code for outcome in outcomes), default=DONE)
    jobs = [one.document for one in outcomes if one.document is not None]
    return code, sweep_document(verb, command, code, jobs, files)


def _write_jobs(outcomes: Sequence[Outcome], folder: Path) -> None:
    """Write a row a job as CSV and as JSON; a failed one has its reason and no numbers."""
    rows = [
        {
            **(outcome.summary.row() if outcome.summary else {}),
            "overrides": " ".join(outcome.words),
            "error": outcome.reason,
        }
        for outcome in outcomes
    ]
    titles = list(dict.fromkeys(key for row in sorted(rows, key=len, reverse=True) for key in row))
    cells = [[row.get(title, "") for title in titles] for row in rows]
    write_text(folder / TABLE, csv_for_people([titles, *cells]))
    write_json(folder / DATA, {"jobs": rows})


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+")


def _say(line: str) -> None:
    """Write to standard error in one piece, as jobs in several processes share it."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
