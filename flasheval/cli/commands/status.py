"""`flasheval status`: a run's progress, failures and speed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from flasheval.base.drawing.terminal import plain_table
from flasheval.base.errors import SettingError
from flasheval.base.progress import duration
from flasheval.base.run_folders import shown_path
from flasheval.base.text import first_few
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.run import unscored
from flasheval.cli.configs import StatusConfig
from flasheval.cli.exit_codes import DONE
from flasheval.runs.status.run_status import read_status

if TYPE_CHECKING:
    from flasheval.runs.failures import Failure
    from flasheval.runs.status.run_status import RunStatus, VariantStatus

__all__ = ["run_status"]

_ROWS = 20
_REASONS = 10


def run_status(config: StatusConfig, context: Context) -> Outcome:
    """Print how far the run in a folder is and return the outcome.

    Raises FlashevalError when there is no run.
    """
    console = context.console
    if not config.path:
        raise SettingError("path is missing: flasheval status FOLDER, the out= of a run")
    if config.out and not config.out.endswith(".json"):
        raise SettingError(f"out={config.out}: expected a name in .json")
    status = read_status(Path(config.path), check=config.check)
    console.print(Text(_answer(status), style="bold"))
    console.print()
    if status.variants:
        _print_variants(status, console)
    problems = [
        f"{title}: {line}"
        for title, lines in (
            ("failed", _failures(status)),
            ("no score", _faults(status)),
            ("damaged", _damaged(status)),
        )
        for line in lines
    ]
    for problem in [*problems, ""] if problems else []:
        console.print(Text(problem, style="yellow"), soft_wrap=True)
    for line in _next(status):
        console.print(line, soft_wrap=True, markup=False)
    files = {"folder": status.folder}
    answer = Answer(status, _answer(status), warnings=tuple(problems), files=files)
    return Outcome(DONE, answer=answer)


def _answer(status: RunStatus) -> str:
    if status.asked is None:
        return "Not started: the command was stopped before it began"
    what = "images" if status.asked.stage == "generate" else "scores"
    count = f"{len(status.variants)} variant{'' if len(status.variants) == 1 else 's'}"
    if status.complete:
        several = status.asked.images_per_prompt
        images = len(status.variants) * status.n_prompts * several
        each = f", {several} images each" if several > 1 else ""
        missing = unscored(sum(status.faults.values()), images)
        return f"{missing or 'Complete'}: {what} of {count} on {status.n_prompts:,} prompts{each}"
    share = min(int(100 * status.share), 99)  # 100% is what is complete
    parts = [f"{share}% done"]
    if status.at_work:
        parts.append(_time_left(status, "left"))
    else:
        parts += ["no process is working on it", _time_left(status, "more")]
    failed = sum(one.failed for one in status.variants)
    if failed:
        parts.append(f"{failed} of {count} failed")
    return ", ".join(part for part in parts if part)


def _time_left(status: RunStatus, word: str) -> str:
    if status.pace is None or not status.seconds_left:
        return ""
    rate = status.pace.images_per_second
    shown = f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"
    return f"about {duration(status.seconds_left)} {word} at {shown} images/s"


def _print_variants(status: RunStatus, console: Console) -> None:
    ordered = sorted(status.variants, key=_urgency)
    rows = [
        (
            one.name,
            f"{one.done} of {one.units}",
            "failed" if one.failed else f"{min(int(100 * one.share), 99 + one.complete)}%",
            str(one.faults) if one.faults else "-",
            "-" if one.seconds is None else f"{one.seconds:.3g}",
            "-" if one.evaluations is None else str(one.evaluations),
        )
        for one in ordered[:_ROWS]
    ]
    titles = ("variant", "units", "done", "no score", "s/image", "evaluations")
    console.print(plain_table(titles, rows, left=1))
    rest = ordered[_ROWS:]
    if rest:
        complete = sum(one.complete for one in rest)
        console.print(f"and {len(rest)} more variants, {complete} of them complete")
    console.print()


def _urgency(one: VariantStatus) -> int:
    """Return the place of a variant: failed, under way, not begun, complete."""
    if one.failed:
        return 0
    if one.complete:
        return 3
    return 1 if one.share else 2


def _failures(status: RunStatus) -> Iterator[str]:
    whole = {one.variant: one.reason for one in status.failures if not one.unit}
    reasons: dict[tuple[str, str], list[Failure]] = {}
    for one in status.failures:
        if not one.unit or not whole.get(one.variant, "").startswith(one.reason):
            reasons.setdefault((one.stage, one.reason), []).append(one)
    for (stage, reason), failures in list(reasons.items())[:_REASONS]:
        names = list(dict.fromkeys(one.variant for one in failures))
        shown = first_few(names)
        units = sum(bool(one.unit) for one in failures)
        count = f" ({units} unit{'' if units == 1 else 's'})" if units else ""
        yield f"{stage} of {shown}{count}: {reason}"
    if len(reasons) > _REASONS:
        yield f"{len(reasons) - _REASONS} more reasons, in {shown_path(status.folder)}/failures/"


def _faults(status: RunStatus) -> Iterator[str]:
    for reason, count in Counter(status.faults).most_common(_REASONS):
        yield f"{count:,} image{'' if count == 1 else 's'}: {reason}"
    if status.faults and status.files_read < status.files:
        yield (
            f"counted in {status.files_read:,} of {status.files:,} score files; check=true reads "
            "them all"
        )


def _damaged(status: RunStatus) -> Iterator[str]:
    for one in status.damaged or ():
        yield f"{shown_path(one.path)}: {one.reason}"


def _next(status: RunStatus) -> Iterator[str]:
    folder = shown_path(status.folder)
    if status.damaged:
        if any(one.is_score for one in status.damaged):
            yield "the same command makes damaged score files again"
        if not all(one.is_score for one in status.damaged):
            yield "delete damaged images and embeddings; the same command then makes them again"
    elif status.damaged is not None:
        yield "check: no file is damaged"
    if not status.complete:
        if status.at_work:
            yield f"look again: flasheval status {folder}"
        else:
            again = ", failed units are retried" if status.failures else ""
            yield f"continue with the same command: finished work is kept{again}"
        return
    if status.asked is not None and status.asked.stage == "generate":
        yield f"score them: flasheval score with the same words, out={folder}"
        return
    if any((status.folder / "scores").glob("*.parquet")):
        yield f"use them: flasheval search scores={folder}"
    elif not status.at_work:
        yield "run the same command again to write the score table"
