"""The run folders of verbs, named by their settings where ``out`` names none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flasheval.base.canonical import sha256_of
from flasheval.base.run_folders import FOLDER_OF_RUNS, population_folder, run_name
from flasheval.cli.configs import SearchConfig, ValidateConfig, method_configs

__all__ = [
    "folder_of_distance",
    "folder_of_population",
    "folder_of_search",
    "folder_of_sweep",
    "folder_of_validation",
]


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


def folder_of_sweep(verb: str, words: list[str]) -> str:
    """Return the folder of a sweep: the swept keys, and a hash of all its words.

    >>> folder_of_sweep("search", ["size=10,20", "seed=3"])
    'flasheval-runs/search-sweep/size-cc101890'
    """
    ordered = sorted(words)
    swept = "-".join(word.partition("=")[0] for word in ordered if "," in word) or "all"
    name = f"{swept.replace('/', '_')[:80]}-{sha256_of(ordered)[:8]}"
    return f"{FOLDER_OF_RUNS}/{verb}-sweep/{name}"
