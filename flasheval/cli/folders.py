"""The run folders of verbs, named by their settings where ``out`` names none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import SettingError
from flasheval.base.run_folders import FOLDER_OF_RUNS, population_folder, run_name
from flasheval.cli.configs import COMMON_KEYS, SearchConfig, ValidateConfig, method_configs

__all__ = [
    "PAGE",
    "VOTES_PAGE",
    "file_of_report",
    "file_of_subset",
    "folder_of_distance",
    "folder_of_import",
    "folder_of_population",
    "folder_of_search",
    "folder_of_sweep",
    "folder_of_validation",
    "folder_of_votes",
]

PAGE = "report.html"
VOTES_PAGE = "votes.html"


def folder_of_search(settings: Mapping[str, Any]) -> str:
    """Return the folder of a search."""
    defaults = asdict(SearchConfig())
    defaults["method"] = asdict(method_configs()[settings["method"]["name"]]())
    return f"{FOLDER_OF_RUNS}/search/{run_name(settings, defaults)}"


def folder_of_validation(settings: Mapping[str, Any]) -> str:
    """Return the folder of a comparison of methods."""
    from flasheval.report.validation_folder import validation_name

    return f"{FOLDER_OF_RUNS}/validate/{validation_name(settings, asdict(ValidateConfig()))}"


def folder_of_population(settings: Mapping[str, Any]) -> str:
    """Return the folder of a population on a prompt file: run, generate and score share it.

    >>> folder_of_population({"population": {"name": "mine"}, "prompts": "data/coco.jsonl"})
    'flasheval-runs/run/mine-coco'
    """
    return population_folder(settings["population"], settings["prompts"])


def folder_of_distance(settings: Mapping[str, Any]) -> str:
    """Return the folder of distances from a reference."""
    from flasheval.cli.commands.distance import distance_name

    return f"{FOLDER_OF_RUNS}/distance/{distance_name(settings)}"


def folder_of_import(settings: Mapping[str, Any]) -> str | None:
    """Return the folder of imported scores, by default one named like their source.

    >>> folder_of_import({"source": "results/geneval", "out": None})
    'flasheval-runs/scores/geneval'
    """
    source = settings.get("source") or settings.get("root")
    if settings.get("out") or not source:
        return settings.get("out")
    return f"{FOLDER_OF_RUNS}/scores/{Path(source).resolve().name}"


def file_of_report(settings: Mapping[str, Any]) -> str | None:
    """Return the file of a page that `out` names; None where it names none.

    >>> file_of_report({"out": "page.HTML"}), file_of_report({"out": "pages"})
    ('page.HTML', 'pages/report.html')
    """
    out = settings.get("out")
    return out if not out or out.lower().endswith((".html", ".htm")) else f"{out}/{PAGE}"


def file_of_subset(settings: Mapping[str, Any]) -> str | None:
    """Return the file that an action writes; None for one that writes none.

    >>> file_of_subset({"action": "export", "out": "a.txt"}), file_of_subset({"action": "list"})
    ('a.txt', None)
    """
    return settings.get("out") if settings.get("action") in ("export", "import") else None


def folder_of_sweep(verb: str, words: list[str]) -> str:
    """Return the folder of a sweep: the swept keys, and a hash of all its words.

    >>> folder_of_sweep("search", ["size=10,20", "seed=3"])
    'flasheval-runs/search-sweep/size-cc101890'
    """
    neutral = ("overwrite", *COMMON_KEYS)
    ordered = sorted(word for word in words if word.partition("=")[0] not in neutral)
    lists = re.compile(r"[^=]*=[\[{]")  # whose commas part no values of a sweep
    several = [word for word in ordered if "," in word and not lists.match(word)]
    swept = "-".join(word.partition("=")[0] for word in several) or "all"
    name = f"{swept.replace('/', '_')[:80]}-{sha256_of(ordered)[:8]}"
    return f"{FOLDER_OF_RUNS}/{verb}-sweep/{name}"


def folder_of_votes(settings: Mapping[str, Any]) -> str | None:
    """Return the folder that a command writes to; None where it only prints.

    >>> folder_of_votes({"action": "page", "out": None}), folder_of_votes({"action": "rank"})
    ('votes-page', None)
    """
    out = settings.get("out")
    if settings.get("action") != "page":
        return None if out is None else str(out)
    if out is not None and Path(str(out)).suffix.lower() in (".html", ".htm"):
        raise SettingError(f"out={out}: name a folder; the page is {VOTES_PAGE} in it")
    return str(out or "votes-page")
