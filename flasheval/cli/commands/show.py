"""`flasheval show`: the contents of a score table, a manifest, a run or a list of prompts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from flasheval.base.drawing.terminal import drawn, plain_table
from flasheval.base.drawing.view import Line, Part, View, lines
from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import read_json
from flasheval.base.resources import bundled, shipped_scores
from flasheval.base.run_folders import MANIFEST, RUN_MARK, shown_path
from flasheval.base.suggest import nearest
from flasheval.cli.commands.context import Answer, Context, Outcome
from flasheval.cli.commands.of_subsets.rows import data_of
from flasheval.cli.configs import ShowConfig
from flasheval.cli.exit_codes import DONE
from flasheval.generators.image_time import uneven_times
from flasheval.prompts.loading import as_prompts
from flasheval.prompts.summary import prompts_view
from flasheval.report.written_files import found_in
from flasheval.scores.by_tag import rankings_by_tag, tag_ranking_table
from flasheval.scores.given_seconds import with_seconds
from flasheval.scores.importers.by_shape import read_scores
from flasheval.scores.leaderboard import rank
from flasheval.scores.leaderboard.frontier import frontier_figure, frontier_parts, seconds_cell
from flasheval.scores.parquet import is_saved_table
from flasheval.scores.table_view import table_view
from flasheval.selection.held_out.report_files import REPORT
from flasheval.subset import Subset
from flasheval.subset.evidence_table import fewer
from flasheval.subset.manifest import FORMAT
from flasheval.subset.prompt_sources import seeds_note
from flasheval.subset.tag_shares import tag_shares

if TYPE_CHECKING:
    from flasheval.scores import ScoreTable
    from flasheval.subset import Subset

__all__ = ["run_show", "show_subset"]

_FIRST_IDS = 10
_PREFIX = ("prefix_of", "prefix_size")  # a note says it in words


def run_show(config: ShowConfig, context: Context) -> Outcome:
    """Print the contents of `path` or `prompts` and return the outcome.

    Raises FlashevalError for a path that holds no scores, subset or run, or no prompts.
    """
    console = context.console
    if config.prompts and not config.path:
        prompts = as_prompts(config.prompts)
        view = prompts_view(prompts, by=config.by)
        console.print(drawn(view))
        return Outcome(DONE, answer=Answer(prompts, view=view))
    if not config.path:
        raise SettingError(
            "path is missing: flasheval show PATH, of scores, a manifest or a run; "
            "flasheval show prompts=FILE for a list of prompts"
        )
    path = shipped_scores(config.path)
    if not path.exists():
        published = bundled()
        if config.path not in published:
            raise DataError(
                f"{path} does not exist; expected scores, a subset manifest, a run or the name of "
                f"a published subset{nearest(config.path, published)}"
            )
        path = published[config.path]
    return Outcome(DONE, answer=_shown(path, config, console))


def _shown(path: Path, config: ShowConfig, console: Console) -> Answer:
    """Print what a path holds and return the same for programs."""
    found = found_in(path)
    if found is not None:
        for key in ("by", "prompts", "metric"):
            if getattr(config, key):
                raise SettingError(f"{key}= is for scores, a subset or prompts; leave it out")
        console.print(drawn(found.view))
        return Answer(found.result, view=found.view, files={"path": path})
    if path.suffix.lower() == ".json" and path.is_file() and _is_manifest(path):
        return _show_subset(path, console, config)
    show = _show_folder if path.is_dir() else _show_scores
    return show(path, config, console)


def _show_folder(path: Path, config: ShowConfig, console: Console) -> Answer:
    if is_saved_table(path):
        return _show_scores(path, config, console)
    if (path / MANIFEST).exists() and not (path / REPORT).exists():
        return _show_subset(path / MANIFEST, console, config)
    if (path / REPORT).exists():
        for key in ("by", "prompts"):
            if getattr(config, key):
                raise SettingError(f"{key}= is for scores, a subset or prompts; leave it out")
        return _show_validation(path, console)
    runs = [*_show_runs(path, console), *_show_validations(path, console)]
    if runs:
        result = {"kind": "runs", "schema": 1, "runs": runs}
        return Answer(result, f"{len(runs)} runs in {shown_path(path)}/")
    try:
        return _show_scores(path, config, console)
    except DataError as error:
        if (path / RUN_MARK).exists():
            raise DataError(
                f"{path} is a run without a score table yet: flasheval status {shown_path(path)} "
                "tells how far it is"
            ) from error
        raise DataError(f"{error}; nor is there a run ({MANIFEST}) in it") from error


def _show_validation(folder: Path, console: Console) -> Answer:
    from flasheval.selection.held_out.report import ValidationReport

    report = ValidationReport.load(folder)
    view = report.view()
    console.print(drawn(view))
    console.print(f"\nfiles: {shown_path(folder)}/", soft_wrap=True, markup=False)
    return Answer(report, view=view, files={"folder": folder})


def _is_manifest(path: Path) -> bool:
    # A long table may be JSON too; anything else that claims to be JSON must read as JSON.
    try:
        content = read_json(path)
    except DataError as error:
        if "line 2" in str(error) and "Extra data" in str(error):
            return False
        raise
    return isinstance(content, dict) and ("format" in content or FORMAT in content)


def _show_subset(path: Path, console: Console, config: ShowConfig) -> Answer:
    subset, by = Subset.load(path), config.by
    if config.prompts:
        subset = subset.with_tags(as_prompts(config.prompts))
    show_subset(subset, shown_path(path), console)
    if by is not None:
        console.print(drawn(View((Line(""), tag_shares(subset, by)))))
    said = f"{subset.name}: {subset.size} prompts of {subset.prompt_set_name}"
    view, files = subset.view(), {"subset": path}
    headline = "" if view.headline else said
    return Answer(subset, headline, view, notes=tuple(subset.record.notes), files=files)


def show_subset(subset: Subset, where: str, console: Console) -> None:
    """Print a subset and its evidence; `where` is the path of its manifest."""
    console.print(drawn(subset.view()))
    for note in filter(None, (*subset.record.notes, seeds_note(subset))):
        console.print(f"note: {note}", style="magenta", markup=False)
    chosen = subset.method.settings.items()
    settings = ", ".join(f"{key}={value}" for key, value in chosen if key not in _PREFIX)
    lines = [
        f"method:   {subset.method.name}({settings}), seed {subset.method.seed}",
        f"metrics:  {', '.join(map(str, subset.metrics))}",
        f"ids:      {', '.join(subset.ids[:_FIRST_IDS])}"
        + (f", ... ({subset.size} in all)" if subset.size > _FIRST_IDS else ""),
        f"content:  sha256 {subset.content_hash[:12]}, made {subset.record.created or 'some day'}",
        f"file:     {where}",
    ]
    console.print()
    for line in lines:
        console.print(line, markup=False)


def _show_runs(path: Path, console: Console) -> list[dict[str, object]]:
    """Print the searches below a folder, one row each, and return what each is."""
    manifests = sorted([*path.glob(f"*/{MANIFEST}"), *path.glob(f"*/*/{MANIFEST}")])
    if not manifests:
        return []
    rows: list[tuple[str | Text, ...]] = []
    found: list[dict[str, object]] = []
    for manifest in manifests:
        name = str(manifest.parent.relative_to(path))
        try:
            subset = Subset.load(manifest)
            rows.append((name, *_run_row(subset)))
            found.append({"run": name, **data_of(subset)})
        except DataError as error:
            found.append({"run": name, "error": str(error)})
            rows.append((name, Text(str(error), style="red"), *[""] * 5))
    titles = ("run", "method", "size", "held-out", "random", "as good as", "fewer")
    console.print(plain_table(titles, rows, left=2))
    return found


def _show_validations(path: Path, console: Console) -> list[dict[str, object]]:
    """Print what the comparisons below a folder found, a line each, and return the same."""
    from flasheval.selection.held_out.answer import answer
    from flasheval.selection.held_out.report import ValidationReport

    reports = sorted([*path.glob(f"*/{REPORT}"), *path.glob(f"*/*/{REPORT}")])
    found: list[dict[str, object]] = []
    for report in reports:
        name = report.parent.relative_to(path)
        try:
            said = answer(ValidationReport.load(report.parent))
        except DataError as error:
            said = str(error)
        console.print(f"{name}: {said}", markup=False)
        found.append({"run": str(name), "answer": said})
    return found


def _run_row(subset: Subset) -> tuple[str, ...]:
    evidence = subset.record.evidence
    method = subset.method.name + ("*" if subset.record.interrupted else "")
    if evidence is None:
        return (method, str(subset.size), *["-"] * 4)
    pooled = evidence.pooled
    equivalent = pooled.equivalent_random_size
    return (
        method,
        str(subset.size),
        f"{pooled.held_out_tau.mean:.3f}",
        f"{pooled.random_tau.mean:.3f}",
        "-" if equivalent is None else str(equivalent.estimate),
        "-" if equivalent is None else fewer(equivalent.estimate, evidence.size),
    )


def _show_scores(path: Path, config: ShowConfig, console: Console) -> Answer:
    result = read_scores(
        path, prompts=config.prompts, columns=config.columns, drop=config.drop or ()
    )
    table, told = with_seconds(result.table, config.seconds)
    if result.how:
        console.print(Text(result.how, style="magenta"), soft_wrap=True)
    twins = table.named_twins()  # in every metric, whichever are shown
    if config.metric is not None:
        names = [config.metric] if isinstance(config.metric, str) else list(config.metric)
        table = table.with_metrics(names)
    costs, uneven = _costs(table)
    more: list[Part] = [] if costs is None else list(costs.parts)
    if config.by is not None:
        by_tag = tag_ranking_table(config.by, rankings_by_tag(table, config.by))
        more += [Line(""), by_tag]
    more += lines([*told, *uneven], "warning")
    view = table_view(table, twins, more)
    console.print(drawn(view))
    notes = (result.how,) if result.how else ()
    return Answer(table, view=view, notes=notes, files={"scores": path})


def _costs(table: ScoreTable) -> tuple[View | None, list[str]]:
    """Return what images cost and which variants are worth it, and warnings; None if unknown."""
    times = [variant.time for variant in table.variants if variant.time is not None]
    if not times:
        return None, []
    low, high = min(one.seconds for one in times), max(one.seconds for one in times)
    said = f"seconds an image: {seconds_cell(low)} to {seconds_cell(high)}, of {len(times)} of "
    devices = dict.fromkeys(one.device for one in times)
    batches = dict.fromkeys(one.batch for one in times)
    said += f"{len(table)} variants"
    if len(devices) == 1 and None not in devices:
        said += f", on {next(iter(devices))}"
    if len(batches) == 1 and None not in batches:
        said += f", in batches of {next(iter(batches))}"
    warnings = uneven_times(times)
    parts: list[Part] = [Line(""), Line(said)]
    try:
        standings = rank(table, progress=False).standings
    except DataError as error:  # as where no variant is complete
        return View(tuple(parts)), [*warnings, str(error)]
    figure = frontier_figure(standings)
    return View((*parts, *frontier_parts(standings), *([figure] if figure else []))), warnings
