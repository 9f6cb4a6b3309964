"""What `flasheval show` says of the files that flasheval writes beside scores and subsets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.drawing.view import Line, Table, View, lines
from flasheval.base.errors import DataError
from flasheval.base.json_data import read_json
from flasheval.base.run_folders import MADE_BY, MANIFEST, RUN_MARK, shown_path
from flasheval.evaluation.report import FORMAT as REPORT_FORMAT
from flasheval.evaluation.report import Report
from flasheval.prompts.loading import load_prompts
from flasheval.prompts.summary import prompts_view
from flasheval.scores.votes import load_votes
from flasheval.scores.votes.loading import KEPT
from flasheval.selection.held_out.report_files import REPORT as VALIDATION
from flasheval.subset.manifest import FORMAT as MANIFEST_FORMAT

__all__ = ["Found", "document_view", "found_in"]

_WATCH = "watch.json"
_PROMPTS = "prompts.parquet"
_INNER = ("units", "known", "failures", "submitted", "checkpoints", ".claims")
_MARKS = {RUN_MARK: "status", MANIFEST: "show", VALIDATION: "show", _WATCH: "show"}
_DOCUMENTS = ("answer", "sweep", "error")

# Files that tell little by themselves: what each is, and what shows more of it.
_NAMED = {
    "history.parquet": "the history of a search, a row a step",
    "agreement.parquet": "the agreement of a search on each split, a row a size and metric",
    "cells.parquet": "what a comparison of methods measured, a row a split, method and size",
    "random.parquet": "what random prompts measured in a comparison of methods",
    "learning.parquet": "what searches on fewer variants measured, a row each",
    "distances.parquet": "distances of image sets from a reference, a row a variant",
    "variants.parquet": "the variants of scores, with their factors",
    "sweep.csv": "the table of a sweep, a row a search",
    "faults.csv": "the faults of an import, a row each",
    "rank.csv": "a leaderboard, a row a variant",
    "votes.csv": "a leaderboard by votes, a row a variant",
    "leaderboard.csv": "the leaderboard of a watch, a row a checkpoint",
    "leaderboard.md": "the leaderboard of a watch",
    "monitor.json": "the state of a monitor: a training goes on from it",
    "overrides.yaml": "the words of a command line, as Hydra keeps them",
    "config.yaml": "the settings of a command, as Hydra keeps them",
    "hydra.yaml": "Hydra's own settings of a command",
}
_SUFFIXED = {
    ".log": "the log of a command: what was typed, the versions and what was printed",
    ".png": "a picture",
    ".svg": "a picture",
    ".html": "a page: open it in a browser",
    ".md": "a text for people, in Markdown",
}


@dataclass(frozen=True)
class Found:
    """What a file or a folder is: what is shown of it, and the same for programs."""

    view: View
    result: object


def found_in(path: Path) -> Found | None:
    """Return what a path holds that is neither scores nor a subset; None where it may be those.

    Raises DataError for a damaged file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log = Path(folder, "search.log")
        ...     _ = log.write_text("flasheval search")
        ...     found_in(log).view.headline.split(": ", 1)[1]
        'the log of a command: what was typed, the versions and what was printed'

    """
    if path.is_dir():
        return _watch(path) if (path / _WATCH).is_file() else None
    if part := _part(path):
        return part
    if path.name == _PROMPTS:
        prompts = load_prompts(path)
        return Found(prompts_view(prompts), prompts)
    if path.name == KEPT:
        votes = load_votes(path)
        return Found(votes.view(), votes)
    if path.name == RUN_MARK:
        return _one_line(path, f"the mark of a run: flasheval status {shown_path(path.parent)}")
    if path.name == _WATCH:
        return _watch(path.parent)
    if path.suffix.lower() == ".json":
        return _of_json(path)
    said = _NAMED.get(path.name) or _SUFFIXED.get(path.suffix.lower())
    return None if said is None else _one_line(path, said)


def document_view(document: Mapping[str, Any]) -> View:
    """Return what a document shows that a command answered with under ``json=true``.

    >>> document_view({"kind": "error", "error": {"message": "size=0"}, "exit_code": 2}).headline
    'error: size=0 (exit code 2)'
    """
    if document["kind"] == "error":
        said = f"error: {document['error']['message']} (exit code {document['exit_code']})"
        return View((Line(said, "headline"),))
    if document["kind"] == "sweep":
        jobs = document["jobs"]
        failed = sum(job["exit_code"] != 0 for job in jobs)
        said = f"A sweep of {len(jobs)} jobs, {failed} failed"
        heads = [document_view(job).headline for job in jobs]
        return View((Line(said, "headline"), *lines(heads), *_made_by(document)))
    tables = [
        Table(one["titles"], one["rows"], one["left"], one["strong"], one["caption"])
        for one in document["tables"]
    ]
    return View(
        (
            Line(document["headline"], "headline"),
            *lines(document["lines"]),
            *tables,
            *lines(document["warnings"], "warning"),
            *_made_by(document),
        )
    )


def _made_by(document: Mapping[str, Any]) -> tuple[Line, ...]:
    return Line(""), Line(f"made by: {document['command']}", "faint")


def _of_json(path: Path) -> Found | None:
    try:
        content = read_json(path)
    except DataError:  # JSON lines, or scores, whose reader says what is wrong with them
        return None
    if path.name == VALIDATION:
        from flasheval.selection.held_out.report import ValidationReport

        report = ValidationReport.load(path.parent)
        return Found(report.view(), report)
    if not isinstance(content, Mapping) or content.get("format") == MANIFEST_FORMAT:
        return None
    if content.get("format") == REPORT_FORMAT:
        evaluated = Report.load(path)
        return Found(evaluated.view(), evaluated)
    kind = content.get("kind")
    if kind in _DOCUMENTS and "exit_code" in content:
        try:
            return Found(document_view(content), content)
        except (KeyError, TypeError) as error:
            raise DataError(
                f"{path}: a damaged {kind} of flasheval ({error} is missing)"
            ) from error
    if isinstance(kind, str) and isinstance(content.get("headline"), str):
        return Found(View((Line(content["headline"], "headline"), Line(f"kind: {kind}"))), content)
    if "standings" in content and "prompt_set" in content:
        return _board(path, content, "ranks")
    if "pairs" in content and "votes" in content:
        return _board(path, content, "votes")
    said = _NAMED.get(path.name)
    return None if said is None else _one_line(path, said)


def _board(path: Path, content: Mapping[str, Any], what: str) -> Found:
    """Return the line of a leaderboard's data; the whole one lies beside it, as text."""
    text = path.with_suffix(".md")
    where = f": {shown_path(text)} has it whole" if text.is_file() else ""
    said = f"a leaderboard by {what}, of {content['prompt_set']}{where}"
    return _one_line(path, said, content)


def _part(path: Path) -> Found | None:
    """Return the line of a file that a run, a search or a watch keeps for itself, if it is one."""
    if path.name == MADE_BY:
        return _one_line(path, "which command made the files beside it")
    for folder, shows in (
        (one, _MARKS[name]) for one in path.parents for name in _MARKS if (one / name).is_file()
    ):
        if path.relative_to(folder).parts[0] in _INNER:
            said = f"a part of {shown_path(folder)}/: flasheval {shows} {shown_path(folder)}"
            return _one_line(path, said)
    return None


def _watch(folder: Path) -> Found:
    asked = read_json(folder / _WATCH)
    reports = sorted((folder / "reports").glob("*.json"))
    said = f"a watch of {asked.get('folder', 'a folder')}: {len(reports)} checkpoints evaluated"
    shown = lines(f"{one.stem}: flasheval show {shown_path(one)}" for one in reports)
    result = {
        "kind": "watch",
        "schema": 1,
        "settings": asked,
        "reports": [str(one) for one in reports],
    }
    return Found(View((Line(f"{shown_path(folder)}: {said}", "headline"), *shown)), result)


def _one_line(path: Path, said: str, content: object = None) -> Found:
    more = {} if content is None else {"content": content}
    result = {"kind": "file", "schema": 1, "path": str(path), "is": said, **more}
    beside = ""
    if (path.parent / MANIFEST).is_file() and path.name in ("history.parquet", "agreement.parquet"):
        beside = f"; flasheval show {shown_path(path.parent)} shows the search"
    return Found(View((Line(f"{shown_path(path)}: {said}{beside}", "headline"),)), result)
