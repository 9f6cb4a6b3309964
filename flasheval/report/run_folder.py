"""The folder of one search: what it is called and what lies in it.

The name follows from the settings alone, so the same command finds the same folder and continues.
Beside the command line's own `config/` a finished run holds `subset.json` (the manifest),
`history.parquet` (the search, a row a step), `agreement.parquet` (every split's numbers),
`agreement.png`, `search.log`, and `units/`, the searches already done.
"""

from __future__ import annotations

import os
import platform
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flasheval.errors import DataError
from flasheval.storage.canonical import sha256_of
from flasheval.storage.files import atomic_write, content_stem

if TYPE_CHECKING:
    from flasheval.procedure import SearchResult
    from flasheval.validation.measure import Measurement

__all__ = [
    "FOLDER_OF_RUNS",
    "MANIFEST",
    "RUN_MARK",
    "UNITS",
    "append_log",
    "population_folder",
    "require_writable",
    "run_name",
    "shown_path",
    "write_run",
]

FOLDER_OF_RUNS = "flasheval-runs"
MANIFEST = "subset.json"
UNITS = "units"
RUN_MARK = "run.json"
"""The file that a folder of a population's run has from its beginning."""

_READABLE = ("scores", "metric", "size", "seed")
_NEUTRAL = ("out",)  # does not change what is found


def run_name(settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Return the name of the run with these settings.

    Scores, metric, method, size and seed can be read off it. A short hash of all other settings
    follows where one of them, or one of the method's, is not the default, or where the scores do
    not lie in the working folder: so different runs never share a name.

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
    name = re.sub(r"[^\w.+-]+", "_", name)
    return f"{name[:120]}-{sha256_of(others)[:8]}" if others or len(name) > 120 else name


def population_folder(population: object, prompts: object) -> str:
    """Return the run folder of a population on a prompt file where none is given.

    It does not depend on further settings: what a unit's numbers depend on is in its file's name.

    >>> population_folder({"name": "flasheval78"}, "data/coco.jsonl")
    'flasheval-runs/run/flasheval78-coco'
    """
    said = population.get("name") if isinstance(population, Mapping) else None
    parts = [str(said or "population"), content_stem(str(prompts)) if prompts else "prompts"]
    name = re.sub(r"[^\w.+-]+", "_", "-".join(parts))[:120]
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
    """Make a folder, and see that files can be written into it; DataError where they cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(
            f"out={folder} cannot be written to: {reason}; choose another folder with out="
        ) from error


def write_run(result: SearchResult, folder: Path) -> None:
    """Write the manifest, the tables and the plot of a search; DataError where it cannot be."""
    subset, measurement = result.subset, result.measurement
    subset.save(folder / MANIFEST)
    _write_rows(result.history or [{"step": 0}], folder / "history.parquet")
    if measurement is None:
        for stale in ("agreement.parquet", "agreement.png"):
            (folder / stale).unlink(missing_ok=True)
        return
    from flasheval.report.plot import plot_agreement

    _write_rows(_agreement_rows(measurement), folder / "agreement.parquet")
    evidence = subset.record.evidence
    name = subset.prompt_set_name
    about = f"{name} population: "
    notes = [note.removeprefix(about) for note in subset.record.notes if note.startswith(about)]
    plot_agreement(
        measurement,
        folder / "agreement.png",
        method=subset.method.name,
        size=subset.size,
        prompt_set=f"{name} ({'; '.join(notes)})" if notes else name,
        equivalent=None if evidence is None else evidence.pooled.equivalent_random_size,
    )


def _agreement_rows(measurement: Measurement) -> list[dict[str, Any]]:
    return [
        {
            "split": cell.split,
            "size": cell.size,
            "metric": agreement.metric,
            "search_tau": agreement.search_tau,
            "held_out_tau": agreement.held_out_tau,
            "held_out_tau_significant": agreement.held_out_tau_significant,
            "held_out_accuracy": agreement.held_out_accuracy,
            "seconds": cell.seconds,
        }
        for cell in measurement.cells
        for agreement in cell.agreements
    ]


def _write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = dict.fromkeys(name for row in rows for name in row)
    table = pa.table({name: [row.get(name) for row in rows] for name in names})
    with atomic_write(path) as temporary:
        pq.write_table(table, temporary)


def append_log(
    folder: Path,
    command: str,
    versions: Mapping[str, str],
    text: str,
    *,
    name: str = "search.log",
) -> None:
    """Add what was run, with what, and what came of it to the log of a run."""
    from flasheval.subset.evidence import utc_now

    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    entry = f"=== {utc_now()} on {platform.system()}\n$ {command}\n{libraries}\n\n{text}\n"
    path = folder / name
    try:
        with path.open("a", encoding="utf-8") as log:
            log.write(entry)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def shown_path(path: str | Path) -> str:
    """Return a path as it is best read: relative to the working folder where it lies in it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
