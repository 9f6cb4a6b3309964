"""`flasheval import`: other people's score files as a score table, with every fault named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from flasheval.base.drawing.spreadsheet import csv_for_people
from flasheval.base.drawing.terminal import drawn
from flasheval.base.drawing.view import View
from flasheval.base.errors import SettingError
from flasheval.base.files import write_text
from flasheval.base.run_folders import shown_path
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.prompt_keys import PROMPT_KEYS
from flasheval.cli.configs import COMMON_KEYS, ImporterConfig
from flasheval.cli.exit_codes import DONE
from flasheval.cli.folders import folder_of_import
from flasheval.scores.importers import import_scores
from flasheval.scores.table_view import metrics_table

if TYPE_CHECKING:
    from flasheval.scores import ScoreTable
    from flasheval.scores.importers import Fault, ImportResult

__all__ = ["run_import"]

_SOURCES = ("root", "source")
_FAULTS = "faults.csv"


def run_import(config: ImporterConfig, context: Context) -> Outcome:
    """Read a source, write the score table, print coverage, means and every fault.

    Returns the outcome. Raises FlashevalError when nothing can be read or written.
    """
    settings = {key: value for key, value in vars(config).items() if value not in (None, [])}
    for key in (*PROMPT_KEYS, *COMMON_KEYS):
        settings.pop(key, None)
    overwrite = settings.pop("overwrite")
    importer = settings.pop("importer")
    out = settings.pop("out", None)
    key = next(key for key in _SOURCES if hasattr(config, key))
    source = settings.pop(key, None)
    if not source:
        raise SettingError(f"{key} is missing: flasheval import {importer} {key}=PATH out=FOLDER")
    folder = Path(str(folder_of_import({"out": out, "source": source})))
    if folder.resolve() == Path(source).resolve():
        raise SettingError(f"out={out} is the source itself; name another folder")
    result = import_scores(importer, source, **settings)
    result.table.save(folder, overwrite=overwrite)
    _write_faults(result.faults, folder / _FAULTS)
    _print(result, folder, context.console)
    return Outcome(DONE, answer=_answer(result, folder))


def _answer(result: ImportResult, folder: Path) -> Answer:
    table = result.table
    found = {
        "kind": "import",
        "schema": 1,
        "table": table,
        "faults": [
            {
                "file": str(one.path),
                "metric": one.metric,
                "variant": one.variant,
                "problem": one.problem,
                "detail": one.detail,
            }
            for one in result.faults
        ],
    }
    notes = (result.how,) if result.how else ()
    files = {"scores": folder, "faults": folder / _FAULTS}
    return Answer(found, _headline(table), notes=notes, files=files)


def _headline(table: ScoreTable) -> str:
    return f"{len(table)} variants, {table.n_prompts:,} prompts of {table.prompts.name}"


def _print(result: ImportResult, folder: Path, console: Console) -> None:
    table = result.table
    if result.how:
        console.print(Text(result.how, style="magenta"), soft_wrap=True)
    console.print(Text(f"{_headline(table)}\n", style="bold"))
    console.print(drawn(View((metrics_table(table),))))
    console.print()
    if result.faults:
        _print_faults(result.faults, console)
    shown = shown_path(folder)
    console.print(f"scores:   {shown}/", soft_wrap=True, markup=False)
    console.print(f"use them: flasheval search scores={shown}", soft_wrap=True, markup=False)
    count = len(result.faults)
    style = "yellow" if count else "green"
    where = f", listed in {_FAULTS} there" if count else ""
    said = f"{count or 'no'} fault{'' if count == 1 else 's'}{where}"
    console.print(Text(said, style=style))


def _print_faults(faults: tuple[Fault, ...], console: Console) -> None:
    """Print each fault with its file; variants that are wholly absent are named together."""
    for fault in faults:
        if fault.problem != "absent":
            what = f"{fault.metric or 'all metrics'}, {fault.variant or 'all variants'}"
            console.print(Text.assemble((fault.problem, "yellow"), f": {what}"))
            console.print(f"  {fault.path}", soft_wrap=True, markup=False)
            console.print(Padding(Text(fault.detail), (0, 0, 0, 2)))
    absent = [fault.variant or "" for fault in faults if fault.problem == "absent"]
    if absent:
        said = f": {len(absent)} expected variants have no file"
        console.print(Text.assemble(("absent", "yellow"), said))
        console.print(Padding(Text(", ".join(absent)), (0, 0, 0, 2)))
    console.print()


def _write_faults(faults: tuple[Fault, ...], path: Path) -> None:
    titles = ("file", "metric", "variant", "problem", "detail")
    rows = [(str(one.path), one.metric, one.variant, one.problem, one.detail) for one in faults]
    write_text(path, csv_for_people([titles, *rows]))
