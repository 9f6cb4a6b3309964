"""One job of the command line, alone or in a sweep, and the table after a sweep."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.drawing.terminal import Terminal, plain_table
from flasheval.base.errors import FlashevalError
from flasheval.base.files import write_text
from flasheval.base.json_data import write_json
from flasheval.base.run_folders import shown_path
from flasheval.cli.answers import answer_document, error_document, sweep_document
from flasheval.cli.commands.context import Context, Outcome, SearchSummary
from flasheval.cli.commands.prompt_keys import with_prompts
from flasheval.cli.exit_codes import DONE, FAILED, INTERRUPTED, code_of
from flasheval.cli.verbs import VERBS

__all__ = ["finish_sweep", "run_job"]

_SHOWN = ("method", "size")  # overrides that have a column of their own


def run_job(
    verb: str,
    settings: Mapping[str, Any],
    folder: Path,
    command: str,
    words: Sequence[str] | None,
) -> Outcome:
    """Do one job.

    Args:
        verb: The verb.
        settings: Its settings, plain data.
        folder: The run folder, for a verb that has one.
        command: What was typed, for the log.
        words: The overrides that tell this job from the others of its sweep; None for a job alone.

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
    row, alone = VERBS[verb], words is None
    words, label = tuple(words or ()), " ".join(words or ())
    config = row.make_config(settings)
    console = Terminal(quiet=not alone or config.quiet or config.json)
    shown = config.progress and not config.quiet
    context = Context(console, folder, verb, command, label, shows_progress=shown)
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
        return Outcome(code_of(error), words=words, document=document)
    except Exception as error:
        if alone:
            raise
        _say(f"flasheval: a bug in job [{label}]:\n{traceback.format_exc()}")
        return Outcome(FAILED, words=words, document=error_document(error, FAILED))
    if alone:
        return outcome
    if outcome.code == INTERRUPTED:
        raise KeyboardInterrupt
    if outcome.summary is not None and not config.quiet:
        summary = outcome.summary
        tau = "-" if summary.held_out_tau is None else f"{summary.held_out_tau:.3f}"
        _say(f"done: {label} (held-out tau {tau}, {summary.seconds:.1f} s)")
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
    outcomes: Sequence[Outcome], folder: Path, verb: str, command: str, *, quiet: bool = False
) -> tuple[int, dict[str, Any]]:
    """Print one table over all jobs of a sweep and write it as `sweep.csv`.

    Returns the exit code, and the sweep as a document.

    Example:
        >>> outcomes = [Outcome(DONE), Outcome(DONE)]  # no measurement
        >>> code, document = finish_sweep(outcomes, Path("sweep"), "search", "flasheval search -m")
        >>> code, document["jobs"]
        (0, [])

    """
    console = Terminal(quiet=quiet)
    files = {"runs": folder}
    done = [outcome for outcome in outcomes if outcome.summary is not None]
    if done:
        path = files["table"] = _write_csv(done, folder / "sweep.csv")
        console.print(_sweep_table(outcomes))
        console.print()
        console.print(f"table: {shown_path(path)}", soft_wrap=True, markup=False)
        console.print(f"runs:  {shown_path(folder)}/", soft_wrap=True, markup=False)
    failed = sum(outcome.code != DONE for outcome in outcomes)
    if failed:
        _say(f"flasheval: error: {failed} of {len(outcomes)} jobs failed")
    code = max((outcome.code for outcome in outcomes), default=DONE)
    jobs = [one.document for one in outcomes if one.document is not None]
    return code, sweep_document(verb, command, code, jobs, files)


def _sweep_table(outcomes: Sequence[Outcome]) -> Any:
    varying = _varying(outcomes)
    titles = (
        "method",
        "size",
        "search",
        "held-out tau",
        "random",
        "as good as",
        "fewer",
        *(["settings"] if varying else []),
    )
    rows = []
    for outcome in outcomes:
        row = outcome.summary
        shown = " ".join(word for word in outcome.words if _key(word) in varying)
        cells = _cells(row) if row is not None else _failed_cells(outcome)
        rows.append((*cells, *([shown] if varying else [])))
    return plain_table(titles, rows, left=1)


def _cells(row: SearchSummary) -> tuple[str, ...]:
    held_out = "-"
    if row.held_out_tau is not None and row.held_out_low is not None:
        held_out = f"{row.held_out_tau:.3f} ({row.held_out_low:.2f}-{row.held_out_high:.2f})"
    return (
        row.method,
        str(row.size),
        "-" if row.search_tau is None else f"{row.search_tau:.3f}",
        held_out,
        "-" if row.random_tau is None else f"{row.random_tau:.3f}",
        row.equivalent or "-",
        row.fewer or "-",
    )


def _failed_cells(outcome: Outcome) -> tuple[str, ...]:
    said = dict(word.split("=", 1) for word in outcome.words)
    return (said.get("method", ""), said.get("size", ""), "failed", "", "", "", "")


def _varying(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the keys, beside method and size, in which the jobs differ."""
    values: dict[str, set[str]] = {}
    for outcome in outcomes:
        for word in outcome.words:
            values.setdefault(_key(word), set()).add(word)
    return [key for key, seen in values.items() if len(seen) > 1 and key not in _SHOWN]


def _key(word: str) -> str:
    return word.partition("=")[0]


def _write_csv(outcomes: Sequence[Outcome], path: Path) -> Path:
    names = [field.name for field in fields(SearchSummary)]
    rows: list[list[object]] = [[*names, "overrides"]]
    for outcome in outcomes:
        if outcome.summary is not None:
            rows.append([*asdict(outcome.summary).values(), " ".join(outcome.words)])
    return write_text(path, csv_for_people(rows))


def _say(line: str) -> None:
    """Write to standard error in one piece, as jobs in several processes share it."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
