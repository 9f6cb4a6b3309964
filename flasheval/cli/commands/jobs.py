"""One job of the command line, alone or in a sweep, and the table after a sweep."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
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
    console = Terminal(quiet=not alone)
    context = Context(console, folder, verb=verb, command=command, label=label, sweep=sweep)
    finished = None if sweep is None else FinishedJob.of(sweep.folder, settings)
    if finished and not settings.get("overwrite") and (before := finished.summary()):
        _say(f"done before: {label}")
        return Outcome(DONE, summary=before, words=words)
    try:
        ended = row.load_command()(with_prompts(row.make_config(settings)), context)
    except FlashevalError as error:
        if alone:
            return Outcome(code_of(error), error=error)
        _say(f"flasheval: error: [{label}] {error}")
        return Outcome(code_of(error), words=words, label=label, reason=str(error))
    except Exception as error:
        if alone:
            raise
        _say(f"flasheval: a bug in job [{label}]:\n{traceback.format_exc()}")
        return Outcome(
            FAILED, words=words, label=label, reason=f"a bug: {type(error).__name__}: {error}"
        )
    outcome = Outcome(ended) if isinstance(ended, int) else ended
    if alone:
        return outcome
    if outcome.code == INTERRUPTED:
        raise KeyboardInterrupt
    if outcome.summary is not None:
        if finished is not None:
            finished.keep(outcome.summary)
        _say(f"done: {label} ({outcome.summary.line()})")
    return replace(outcome, words=words)


def finish_sweep(verb: str, outcomes: Sequence[Outcome], folder: Path) -> int:
    """Show all jobs of a sweep together, write them as files, and return the exit code.

    `sweep.csv` and `sweep.json` hold a row a job, those that failed with the reason. What else
    there is to see is the verb's own.

    Args:
        verb: The verb.
        outcomes: Of the jobs, in order; one that stands twice counts once.
        folder: The folder of the sweep.

    Example:
        >>> finish_sweep("search", [], Path("sweep"))  # no jobs
        0

    """
    outcomes = list({outcome.words: outcome for outcome in outcomes}.values())
    console = Terminal()
    if outcomes:
        _write_jobs(outcomes, folder)
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
    return max((outcome.code for outcome in outcomes), default=DONE)


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
