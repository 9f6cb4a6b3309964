"""The pages of the reference, as Markdown, from `flasheval.__all__`, the help texts and `conf/`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import flasheval
from flasheval.base.resources import conf_dir
from flasheval.cli.groups import GROUPS
from flasheval.cli.help import first_comment, keys_of, verb_help
from flasheval.cli.verbs import VERBS

__all__ = ["cli_page", "pages", "python_pages", "settings_page"]

# Public names by what one does with them; what is listed nowhere comes last, on a page of its own.
_TOPICS: dict[str, tuple[str, Sequence[str]]] = {
    "search": ("Search and validate", ("search", "SearchResult", "validate", "ValidationReport")),
    "subsets": ("Subsets", ("load_subset", "Subset")),
    "data": (
        "Scores, prompts, variants",
        ("load_scores", "ScoreTable", "ScoreMatrix", "load_prompts", "PromptSet", "Variant"),
    ),
    "leaderboards": ("Leaderboards", ("rank", "Leaderboard")),
    "votes": ("Votes", ("load_votes", "Votes")),
    "populations": ("Populations", ("run", "RunResult")),
    "checkpoints": (
        "Checkpoints",
        ("evaluate", "Report", "compare", "Comparison", "CheckpointMonitor", "watch"),
    ),
    "errors": ("Errors", ("FlashevalError",)),
}

# What public functions take and return, and modules that guides import from.
_BESIDE: dict[str, Sequence[str]] = {
    "subsets": (
        "flasheval.subset.SubsetPrompt",
        "flasheval.subset.MetricInfo",
        "flasheval.subset.Method",
        "flasheval.subset.predictions.Prediction",
        "flasheval.subset.predictions.Difference",
        "flasheval.subset.predictions.Placement",
        "flasheval.subset.evidence.Record",
        "flasheval.subset.evidence.Evidence",
    ),
    "checkpoints": ("flasheval.evaluation.MetricScores",),
    "votes": (
        "flasheval.scores.votes.VoteBoard",
        "flasheval.scores.votes.votes_from_scores",
    ),
    "errors": ("flasheval.base.errors.DataError", "flasheval.base.errors.SettingError"),
}
_OF_A_MODULE = "    options: {show_root_heading: false, show_root_toc_entry: false}\n"
_MODULES = {"evaluation.trackers": "Trackers", "set_metrics": "Set metrics"}


def pages() -> dict[str, str]:
    """Return each made page's text by its path in the site's sources."""
    python = {f"reference/python/{name}.md": text for name, text in python_pages().items()}
    return {**python, "reference/cli.md": cli_page(), "reference/settings.md": settings_page()}


def python_pages() -> dict[str, str]:
    """Return the pages of the Python reference by name; every public name is on one of them."""
    placed = {name for _, names in _TOPICS.values() for name in names}
    others = [name for name in flasheval.__all__ if name not in placed]
    topics = {**_TOPICS, **({"others": ("Others", others)} if others else {})}
    found = {}
    for page, (title, names) in topics.items():
        public = [f"flasheval.{name}" for name in names if name in flasheval.__all__]
        found[page] = _python_page(title, [*public, *_BESIDE.get(page, ())])
    for module, title in _MODULES.items():
        page = module.rpartition(".")[2].replace("_", "-")
        found[page] = f"# {title}\n\n::: flasheval.{module}\n" + _OF_A_MODULE
    return found


def _python_page(title: str, names: Iterable[str]) -> str:
    return "\n\n".join([f"# {title}", *(f"::: {name}" for name in names)]) + "\n"


def cli_page() -> str:
    """Return the page of the command line: what `flasheval VERB --help` prints, for each verb."""
    parts = [
        "# Command line",
        "`flasheval VERB key=value ...`: what each verb prints for `--help`. The settings of "
        "methods, scorers, generators and the like are on [a page of their own](settings.md).",
    ]
    parts += [f"## {verb}\n\n```text\n{verb_help(verb)}\n```" for verb in VERBS]
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """Return the page of the groups in `conf/`: each choice, and what can be set of it."""
    parts = [
        "# Settings",
        "What can be chosen by name, and each choice's own settings with their defaults, as they "
        "stand in `conf/`. The keys of a verb itself are with the [command line](cli.md).",
    ]
    for name, group in GROUPS.items():
        parts.append(f"## {group.title}\n\n{group.usage}")
        parts += [_choice(path) for path in sorted((conf_dir() / name).glob("*.yaml"))]
    return "\n\n".join(parts) + "\n"


def _choice(path: Path) -> str:
    """Return the section of one settings file."""
    said = first_comment(path)
    rows = [
        f"| `{key}` | `{_cell(value)}` | {_cell(meaning)} |"
        for key, (value, meaning) in keys_of(path).items()
        if value != path.stem  # the key that merely repeats the choice's name
    ]
    head = "| setting | default | meaning |\n| --- | --- | --- |"
    table = "\n".join([head, *rows]) if rows else ""
    heading = f"### {path.stem} {{ #{path.parent.name}-{path.stem} }}"
    return "\n\n".join(part for part in (heading, said, table) if part)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
