"""The subsets that come with the package: one folder a prompt set, one file a subset."""

from __future__ import annotations

import re
from pathlib import Path

from flasheval.base.errors import DataError
from flasheval.base.resources import subsets_dir
from flasheval.subset.subset import Subset

__all__ = ["bundled", "load_named"]


def bundled() -> dict[str, Path]:
    """Return the paths of the manifests in the package, by name, smaller sizes first.

    >>> [name for name in bundled() if name.startswith("coco-shared")][:3]
    ['coco-shared-5', 'coco-shared-10', 'coco-shared-20']
    """
    found = {path.stem: path for path in subsets_dir().rglob("*.json")}
    return {name: found[name] for name in sorted(found, key=_by_number)}


def load_named(path: Path, name: str) -> Subset:
    """Read and check a manifest that must hold the subset of this name.

    Raises DataError for one that is damaged, or another subset's.

    >>> load_named(bundled()["coco-shared-50"], "coco-shared-50").size
    50
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
