"""The subsets that come with the package: a folder a prompt set, a file called like its subset."""

from __future__ import annotations

import re
from pathlib import Path

from flasheval.base.errors import DataError
from flasheval.base.resources import subsets_dir
from flasheval.subset.subset import Subset

__all__ = ["bundled", "load_named"]


def bundled() -> dict[str, Path]:
    """Return the manifests that come with the package, by name; sizes in order of number."""
    found = {path.stem: path for path in subsets_dir().rglob("*.json")}
    return {name: found[name] for name in sorted(found, key=_by_number)}


def load_named(path: Path, name: str) -> Subset:
    """Read and check a manifest that must be the subset of this name.

    Raises DataError for one that is damaged, or another subset's.
    """
    subset = Subset.load(path)
    if subset.name != name:
        raise DataError(
            f'{path} holds the subset "{subset.name}", not "{name}"; it was renamed or replaced: '
            "fetch it again"
        )
    return subset


def _by_number(name: str) -> tuple[str, int]:
    family, number = re.fullmatch(r"(.*?)(\d{0,9})", name, re.DOTALL).groups()  # type: ignore[union-attr] # it fits any text
    return family, int(number or 0)
