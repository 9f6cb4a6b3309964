"""Whether a run folder holds what the undisturbed one holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from flasheval.runs.score_files import damage_of

__all__ = ["columns_but_times", "damaged_units", "differences", "temporaries"]

# What tells of the commands, not of the results; and what a kill leaves, which is counted apart.
_OF_COMMANDS = (".claims", ".flasheval", "run.log", "repairs.jsonl", "plans/")
_UNNAMED = ".tmp-"


def differences(run: Path, reference: Path) -> list[str]:
    """Return which files of a run are missing, too many, or not the reference's byte by byte.

    Of a unit's scores the record (seconds, time) may differ, and the seconds an image that the
    table says of its variants; nothing else.
    """
    ours, theirs = _files(run), _files(reference)
    found = [f"{run.name}: {name} is missing" for name in sorted(theirs - ours)]
    found += [f"{run.name}: {name} is too many" for name in sorted(ours - theirs)]
    for name in sorted(ours & theirs):
        if _content(run, name) != _content(reference, name):
            found.append(f"{run.name}: {name} differs")
    return found


def columns_but_times(path: Path) -> Any:
    """Return a Parquet file's columns and what is said of them, but for measured times."""
    try:
        table = pq.read_table(path)
    except (OSError, ValueError):
        return None
    kept = [name for name in table.column_names if name != "seconds"]
    said = table.schema.metadata or {}
    told = {key: value for key, value in said.items() if b"seconds" not in key}
    return table.select(kept).to_pydict(), told


def temporaries(run: Path) -> list[Path]:
    """Return the files that were not given their names yet."""
    return sorted(run.rglob(f"{_UNNAMED}*"))


def damaged_units(run: Path) -> list[str]:
    """Return the files of scores that are there but not whole: a kill must leave none."""
    return [str(path) for path in run.glob("units/*/*/*.json") if damage_of(path) is not None]


def _files(run: Path) -> set[str]:
    paths = [path for path in run.rglob("*") if path.is_file()]
    names = [path.relative_to(run).as_posix() for path in paths if _UNNAMED not in path.name]
    return {name for name in names if not name.startswith(_OF_COMMANDS)}


def _content(run: Path, name: str) -> Any:
    if Path(name).name == "variants.parquet":
        return columns_but_times(run / name)
    data = (run / name).read_bytes()
    if not name.startswith("units/"):
        return data
    try:
        body = json.loads(data)
    except ValueError:
        return None
    return {key: value for key, value in body.items() if key not in ("record", "check")}
