"""Run folders: their names, the files in them, and their log."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import DataError
from flasheval.base.files import content_stem, slug
from flasheval.base.versions import utc_now

if TYPE_CHECKING:
    pass

__all__ = [
    "FOLDER_OF_RUNS",
    "MADE_BY",
    "MANIFEST",
    "RUN_MARK",
    "UNITS",
    "append_log",
    "population_folder",
    "require_writable",
    "run_name",
    "shown_path",
]

FOLDER_OF_RUNS = "flasheval-runs"


MADE_BY = ".flasheval"
"""The hidden file beside a result that keeps which command made it."""


MANIFEST = "subset.json"


UNITS = "units"


RUN_MARK = "run.json"
"""The file that marks the folder of a population's run; it is written first."""


_READABLE = ("scores", "metric", "size", "seed")


_NEUTRAL = ("out", "overwrite")  # do not change what is found


def run_name(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Return the folder name of a search with these settings.

    The name shows scores, metric, method, size and seed. A short hash of all other settings
    follows when any of them differs from its default, or when the scores do not lie in the working
    folder, so different runs never share a name.

    Args:
        settings: Key to value as on the command line; `method` a mapping with its `name`.
        defaults: The same keys with their default values.

    Example:
        >>> both = {"scores": "coco", "metric": None, "size": 50, "seed": 0}
        >>> run_name({**both, "method": {"name": "shared"}}, {**both, "method": {"name": "shared"}})
        'coco-all-shared-50-seed0'

    """
    method = settings["method"]
    size = max(settings.get("nested") or [settings["size"]])
    metric = settings["metric"] or "all"
    metric = "+".join(map(str, metric)) if isinstance(metric, list) else metric
    parts = [_scores_name(settings["scores"]), metric, method["name"], size]
    name = "-".join(map(str, [*parts, f"seed{settings['seed']}"]))
    others = {
        key: value
        for key, value in settings.items()
        if key not in (*_READABLE, *_NEUTRAL) and value != defaults.get(key)
    }
    if not _is_local(settings["scores"]):
        others["scores"] = _absolute(settings["scores"])
    name = slug(name, most=len(name))
    return f"{name[:120]}-{sha256_of(others)[:8]}" if others or len(name) > 120 else name


def population_folder(population: object, prompts: object) -> str:
    """Return the default run folder of a population on a prompt file.

    It does not depend on further settings: what a unit's numbers depend on is in its file's name.

    >>> population_folder({"name": "flasheval78"}, "data/coco.jsonl")
    'flasheval-runs/run/flasheval78-coco'
    """
    said = population.get("name") if isinstance(population, Mapping) else None
    parts = [str(said or "population"), content_stem(str(prompts)) if prompts else "prompts"]
    name = slug("-".join(parts))
    return f"{FOLDER_OF_RUNS}/run/{name}"


def _scores_name(scores: object) -> str:
    if isinstance(scores, Mapping):
        return "+".join(map(str, scores))
    return Path(str(scores)).name or "scores"


def _is_local(scores: object) -> bool:
    return isinstance(scores, str) and Path(scores).name == scores


def _absolute(scores: object) -> Any:
    if isinstance(scores, Mapping):
        return {str(key): os.path.abspath(str(path)) for key, path in scores.items()}
    return os.path.abspath(str(scores))


def require_writable(folder: Path) -> None:
    """Make a folder and check that files can be written into it; DataError when they cannot.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     require_writable(Path(folder) / "runs" / "coco")
    ...     sorted(path.name for path in Path(folder).rglob("*"))
    ['coco', 'runs']
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(
            f"out={folder} cannot be written to: {reason}; choose another folder with out="
        ) from error


def append_log(
    folder: Path,
    command: str,
    versions: Mapping[str, str],
    text: str,
    *,
    name: str = "search.log",
) -> None:
    """Append a command, the versions of its libraries and its output to the log of a run.

    Raises DataError when the log cannot be written.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     append_log(Path(folder), "flasheval search size=50", {"numpy": "2.1"}, "tau 0.9")
    ...     (Path(folder) / "search.log").read_text().splitlines()[1:]
    ['$ flasheval search size=50', 'numpy 2.1', '', 'tau 0.9']
    """
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    entry = f"=== {utc_now()} on {platform.system()}\n$ {command}\n{libraries}\n\n{text}\n"
    path = folder / name
    try:
        with path.open("a", encoding="utf-8") as log:
            log.write(entry)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def shown_path(path: str | Path) -> str:
    """Return a path for messages: relative to the working folder when it lies inside.

    >>> shown_path(Path.cwd() / "runs" / "coco")
    'runs/coco'
    """
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
