"""One job of the command line, alone or in a sweep, and the table after a sweep."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.drawing.terminal import Terminal, plain_table
from flasheval.base.errors import FlashevalError
from flasheval.base.files import write_text
from flasheval.base.run_folders import shown_path
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
    console = Terminal(quiet=not alone)
    context = Context(console, folder, verb=verb, command=command, label=label)
    try:
        ended = row.load_command()(with_prompts(row.make_config(settings)), context)
    except FlashevalError as error:
        if alone:
            return Outcome(code_of(error), error=error)
        _say(f"flasheval: error: [{label}] {error}")
        return Outcome(code_of(error), words=words)
    except Exception:
        if alone:
            raise
        _say(f"flasheval: a bug in job [{label}]:\n{traceback.format_exc()}")
        return Outcome(FAILED, words=words)
    outcome = Outcome(ended) if isinstance(ended, int) else ended
    if alone:
        return outcome
    if outcome.code == INTERRUPTED:
        raise KeyboardInterrupt
    if outcome.summary is not None:
        summary = outcome.summary
        tau = "-" if summary.held_out_tau is None else f"{summary.held_out_tau:.3f}"
        _say(f"done: {label} (held-out tau {tau}, {summary.seconds:.1f} s)")
    return replace(outcome, words=words)


def finish_sweep(outcomes: Sequence[Outcome], folder: Path) -> int:
    """Print one table over all jobs of a sweep, write it as `sweep.csv`, return the exit code.

    Example:
        >>> finish_sweep([Outcome(DONE), Outcome(DONE)], Path("sweep"))  # no measurement
        0

    """
    console = Terminal()
    done = [outcome for outcome in outcomes if outcome.summary is not None]
    if done:
        path = _write_csv(done, folder / "sweep.csv")
        console.print(_sweep_table(outcomes))
        console.print()
        console.print(f"table: {shown_path(path)}", soft_wrap=True, markup=False)
        console.print(f"runs:  {shown_path(folder)}/", soft_wrap=True, markup=False)
    failed = sum(outcome.code != DONE for outcome in outcomes)
    if failed:
        _say(f"flasheval: error: {failed} of {len(outcomes)} jobs failed")
    return max((outcome.code for outcome in outcomes), default=DONE)


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
