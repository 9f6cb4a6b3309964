"""`flasheval search`: from settings to a subset, its evidence and its run folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.console import Group, RenderableType
from rich.text import Text

from flasheval.base.drawing.terminal import as_text, drawn, plain_table
from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import safe_name
from flasheval.base.progress import ProgressBar, duration
from flasheval.base.run_folders import MANIFEST, UNITS, append_log, shown_path
from flasheval.base.version import __version__
from flasheval.base.versions import library_versions
from flasheval.cli.commands.context import Answer, Context, Outcome, SearchSummary
from flasheval.cli.commands.prompt_ids import read_ids
from flasheval.cli.commands.score_settings import (
    note_on,
    read_scores,
)
from flasheval.cli.configs import SearchConfig
from flasheval.cli.exit_codes import DONE, INTERRUPTED
from flasheval.report.search_folder import write_search
from flasheval.scores.table import Incomplete
from flasheval.subset.evidence_table import SIZE_TITLES, fewer, size_row

if TYPE_CHECKING:
    from flasheval.scores import ScoreTable
    from flasheval.selection.search import SearchResult
    from flasheval.subset.evidence import Evidence

__all__ = ["run_search"]


def run_search(config: SearchConfig, context: Context) -> Outcome:
    """Search with the settings of the command line, write the run folder, print the result.

    Args:
        config: The settings; `method` a mapping or dataclass with the method's `name`.
        context: Its folder is the run folder; `units/` in it lets the same call continue.

    Returns:
        The outcome, with a row for the table of a sweep.

    Raises:
        FlashevalError: A setting, a file or a score that cannot be used.

    """
    begun, folder, console = time.monotonic(), context.folder, context.console
    table, how = read_scores(
        config.scores, config.prompts, config.higher_is_better, config.columns, config.drop
    )
    method = config.method if isinstance(config.method, Mapping) else asdict(config.method)
    with context.progress() as progress:
        result = _search(config, method, table, folder, progress)
    note = note_on(config.scores)
    if note:
        result = _with_note(result, note)
    write_search(result, folder)
    seconds = time.monotonic() - begun
    said = result.subset.record.notes
    more = [one for one in said if one != note]
    view = result.view(table.n_prompts, more)
    report = Group(drawn(view), *_prefixes(config, result))
    told = tuple(line for line in (note, how) if line)
    notes = [Text(line, style="magenta") for line in told]
    timing = f"{result.sets:,} sets scored, {duration(seconds)} in all"
    text = as_text(*notes, report, "", *_where(folder), timing)
    append_log(folder, context.command, {"flasheval": __version__, **library_versions()}, text)
    for part in (*notes, report):
        console.print(part)
    console.print()
    for line in _where(folder):
        console.print(line, soft_wrap=True, markup=False)
    code = INTERRUPTED if result.interrupted else DONE
    files = {"folder": folder, "subset": folder / MANIFEST}
    answer = Answer(result, view=view, notes=told, files=files)
    return Outcome(code, summary=_summary(result, seconds, folder), answer=answer)


def _prefixes(config: SearchConfig, result: SearchResult) -> list[RenderableType]:
    """Return a table of the evidence of each prefix of a nested subset."""
    from flasheval.selection.held_out.evidence import evidence_of

    if config.nested is None or result.measurement is None:
        return []
    rows = []
    for size in result.measurement.judged_sizes:
        evidence = evidence_of(result.measurement, size)
        if evidence is not None:
            rows.append(size_row(evidence))
    return ["", plain_table(SIZE_TITLES, rows)]


def _search(
    config: SearchConfig,
    method: Mapping[str, Any],
    table: ScoreTable,
    folder: Path,
    progress: ProgressBar,
) -> SearchResult:
    from flasheval.selection.search import search

    settings = {key: value for key, value in method.items() if key != "name"}
    return search(
        table,
        size=config.size,
        method=method["name"],
        settings={k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()},
        metric=config.metric,
        seed=config.seed,
        splits=_without_null(config.splits),
        incomplete=cast("Incomplete", config.incomplete),
        nested=config.nested,
        warm_start=read_ids(config.warm_start, "warm_start", table.prompts) or None,
        require=read_ids(config.require, "require", table.prompts),
        forbid=read_ids(config.forbid, "forbid", table.prompts),
        curve=config.curve,
        draws=config.draws,
        images_per_prompt=config.images_per_prompt,
        images_as=config.images_as,
        balance=config.balance,
        quota=config.quota,
        calibrate=config.calibrate,
        expect=config.expect,
        group=config.group,
        name=_name(config.name),
        folder=folder / UNITS,
        progress=progress,
    )


def _without_null(value: object) -> object:
    return None if value in ("none", "null", "") else value


def _name(value: str | None) -> str | None:
    try:
        return value if value is None else safe_name(value, "subset name")
    except DataError as error:
        raise SettingError(f"name={value}: {error}") from error


def _with_note(result: SearchResult, note: str) -> SearchResult:
    record = result.subset.record
    record = replace(record, notes=(note, *record.notes))
    return replace(result, subset=replace(result.subset, record=record))


def _where(folder: Path) -> list[str]:
    """Say where the files are and how to use the subset."""
    return [
        f"files:  {shown_path(folder)}/",
        f"look:   flasheval report {shown_path(folder)}",
        f'use it: flasheval.load_subset("{shown_path(folder)}")',
    ]


def _summary(result: SearchResult, seconds: float, folder: Path) -> SearchSummary:
    subset = result.subset
    evidence: Evidence | None = subset.record.evidence
    pooled = None if evidence is None else evidence.pooled
    equivalent = None if pooled is None else pooled.equivalent_random_size
    return SearchSummary(
        method=subset.method.name,
        size=subset.size,
        metrics="+".join(metric.name for metric in subset.metrics),
        search_tau=None if pooled is None else pooled.search_tau,
        held_out_tau=None if pooled is None else pooled.held_out_tau.mean,
        held_out_low=None if pooled is None else pooled.held_out_tau.low,
        held_out_high=None if pooled is None else pooled.held_out_tau.high,
        random_tau=None if pooled is None else pooled.random_tau.mean,
        equivalent="" if equivalent is None else str(equivalent.estimate),
        fewer="" if equivalent is None else fewer(equivalent.estimate, subset.size),
        seconds=round(seconds, 2),
        folder=shown_path(folder),
        interrupted=result.interrupted,
    )
