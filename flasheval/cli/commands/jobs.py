"""One job of the command line, alone or in a sweep, and the table after a sweep."""

from __future__ import annotations

import csv
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from flasheval.base.drawing.terminal import plain_table
from flasheval.base.errors import FlashevalError
from flasheval.base.files import atomic_write
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.compare import run_compare
from flasheval.cli.commands.distance import run_distance
from flasheval.cli.commands.doctor import run_doctor
from flasheval.cli.commands.evaluate import run_evaluate
from flasheval.cli.commands.import_scores import run_import
from flasheval.cli.commands.publish import run_publish
from flasheval.cli.commands.report import run_report
from flasheval.cli.commands.run import run_population
from flasheval.cli.commands.search import SearchSummary, run_search
from flasheval.cli.commands.show import run_show
from flasheval.cli.commands.status import run_status
from flasheval.cli.commands.subsets import run_subsets
from flasheval.cli.commands.watch import run_watch
from flasheval.cli.configs import (
    IMPORTER_CONFIGS,
    RUN_CONFIGS,
    CompareConfig,
    DistanceConfig,
    DoctorConfig,
    PublishConfig,
    ReportConfig,
    SearchConfig,
    ShowConfig,
    StatusConfig,
    SubsetsConfig,
    ValidateConfig,
    evaluate_configs,
    watch_config,
)

__all__ = ["JobOutcome", "finish_sweep", "run_job"]

_FAILED, _INTERRUPTED = 1, 130
_SHOWN = ("method", "size")  # overrides that have a column of their own


@dataclass(frozen=True)
class JobOutcome:
    """How one job ended.

    Attributes:
        code: Its exit code.
        words: Its overrides.
        summary: What it measured, for a search that found something.
        error: The line it failed with, or None.

    """

    code: int
    words: tuple[str, ...] = ()
    summary: SearchSummary | None = None
    error: str | None = None


def run_job(
    verb: str,
    settings: Mapping[str, Any],
    folder: Path,
    command: str,
    words: Sequence[str] | None,
) -> JobOutcome:
    """Do one job.

    Args:
        verb: The verb.
        settings: Its settings, plain data.
        folder: The run folder of a search.
        command: What was typed, for the log.
        words: The overrides that tell this job from the others of its sweep; None for a job alone.

    Returns:
        The outcome; a FlashevalError is in it as a line. So is a bug in a sweep, its traceback on
        standard error, for the other jobs go on.

    Raises:
        KeyboardInterrupt: In a sweep, once what was found is written: the others must not start.

    """
    from rich.console import Console

    if words is None:
        try:
            code, summary = _do(verb, settings, folder, command, Console(highlight=False), "")
        except FlashevalError as error:
            return JobOutcome(_FAILED, error=str(error))
        return JobOutcome(code, summary=summary)
    label = " ".join(words)
    try:
        code, summary = _do(verb, settings, folder, command, None, label)
    except FlashevalError as error:
        _say(f"flasheval: error: [{label}] {error}")
        return JobOutcome(_FAILED, tuple(words), error=str(error))
    except Exception as error:
        _say(f"flasheval: a bug in job [{label}]:\n{traceback.format_exc()}")
        return JobOutcome(_FAILED, tuple(words), error=f"{type(error).__name__}: {error}")
    if code == _INTERRUPTED:
        raise KeyboardInterrupt
    if summary is not None:
        tau = "-" if summary.held_out_tau is None else f"{summary.held_out_tau:.3f}"
        _say(f"done: {label} (held-out tau {tau}, {summary.seconds:.1f} s)")
    return JobOutcome(code, tuple(words), summary)


def _do(
    verb: str, settings: Mapping[str, Any], folder: Path, command: str, console: Any, label: str
) -> tuple[int, SearchSummary | None]:
    if verb == "search":
        summary = run_search(SearchConfig(**settings), folder, console, command, label)
        return (_INTERRUPTED if summary.interrupted else 0), summary
    from rich.console import Console

    console = console or Console(highlight=False)
    if verb == "validate":
        from flasheval.cli.commands.validate import run_validate

        report = run_validate(ValidateConfig(**settings), folder, console, command)
        return (_INTERRUPTED if report.interrupted else 0), None
    if verb in RUN_CONFIGS:
        return run_population(verb, RUN_CONFIGS[verb](**settings), folder, console, command), None
    if verb == "distance":
        run_distance(DistanceConfig(**settings), folder, console, command)
        return 0, None
    if verb == "evaluate":
        run_evaluate(evaluate_configs()[settings["generator"]](**settings), console)
        return 0, None
    if verb == "watch":
        return run_watch(watch_config()(**settings), console), None
    if verb == "doctor":
        return run_doctor(DoctorConfig(**settings), console), None
    if verb == "subsets":
        return run_subsets(SubsetsConfig(**settings), console), None
    if verb == "status":
        run_status(StatusConfig(**settings), console)
    elif verb == "compare":
        run_compare(CompareConfig(**settings), console)
    elif verb == "report":
        run_report(ReportConfig(**settings), console)
    elif verb == "publish":
        run_publish(PublishConfig(**settings), console)
    elif verb == "import":
        run_import(IMPORTER_CONFIGS[settings["importer"]](**settings), console)
    else:
        run_show(ShowConfig(**settings), console)
    return 0, None


def finish_sweep(outcomes: Sequence[JobOutcome], folder: Path) -> int:
    """Print one table over all jobs of a sweep, write it as `sweep.csv`, return the exit code."""
    from rich.console import Console

    console = Console(highlight=False)
    done = [outcome for outcome in outcomes if outcome.summary is not None]
    if done:
        path = _write_csv(done, folder / "sweep.csv")
        console.print(_sweep_table(outcomes))
        console.print()
        console.print(f"table: {shown_path(path)}", soft_wrap=True, markup=False)
        console.print(f"runs:  {shown_path(folder)}/", soft_wrap=True, markup=False)
    failed = sum(outcome.code != 0 for outcome in outcomes)
    if failed:
        _say(f"flasheval: error: {failed} of {len(outcomes)} jobs failed")
    return max((outcome.code for outcome in outcomes), default=0)


def _sweep_table(outcomes: Sequence[JobOutcome]) -> Any:
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


def _failed_cells(outcome: JobOutcome) -> tuple[str, ...]:
    said = dict(word.split("=", 1) for word in outcome.words)
    return (said.get("method", ""), said.get("size", ""), "failed", "", "", "", "")


def _varying(outcomes: Sequence[JobOutcome]) -> list[str]:
    """Return the keys, beside method and size, in which the jobs differ."""
    values: dict[str, set[str]] = {}
    for outcome in outcomes:
        for word in outcome.words:
            values.setdefault(_key(word), set()).add(word)
    return [key for key, seen in values.items() if len(seen) > 1 and key not in _SHOWN]


def _key(word: str) -> str:
    return word.partition("=")[0]


def _write_csv(outcomes: Sequence[JobOutcome], path: Path) -> Path:
    names = [field.name for field in fields(SearchSummary)]
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*names, "overrides"])
        writer.writeheader()
        for outcome in outcomes:
            if outcome.summary is not None:
                writer.writerow({**asdict(outcome.summary), "overrides": " ".join(outcome.words)})
    return path


def _say(line: str) -> None:
    """Write to standard error in one piece, as jobs in several processes share it."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
