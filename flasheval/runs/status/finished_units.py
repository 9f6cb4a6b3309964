"""What of a variant's units is there, by the names of the files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.runs.store import RunStore, score_name

__all__ = ["FinishedUnits", "finished_units", "image_folder"]

_Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class FinishedUnits:
    """Which outputs of a variant's units are there.

    Attributes:
        scored: bool [metrics, units].
        kept: Whether the images are kept, bool [units].
        keeps: Whether kept images are an output.

    """

    scored: _Flags
    kept: _Flags
    keeps: bool

    @property
    def outputs(self) -> _Flags:
        """The outputs asked for, bool [outputs, units]."""
        return np.vstack([self.scored, self.kept]) if self.keeps else self.scored

    @property
    def whole(self) -> _Flags:
        """Whether a unit has all its outputs, bool [units]."""
        whole: _Flags = np.all(self.outputs, axis=0)
        return whole

    @property
    def share(self) -> float:
        """The share of the outputs that is there."""
        return float(self.outputs.mean()) if self.outputs.size else 1.0

    @property
    def to_make(self) -> _Flags:
        """Whether a unit's images are still to be made, bool [units]."""
        to_make: _Flags = ~self.whole & ~self.kept
        return to_make


def finished_units(
    store: RunStore,
    slug: str,
    units: Sequence[str] | int,
    metrics: Sequence[tuple[str, str]],
    image_store: str,
    *,
    keeps: bool,
) -> FinishedUnits:
    """List a variant's folders, reading no file.

    Args:
        store: The run.
        slug: The variant's folder.
        units: The units' names; their number where the names are not known. Then any file in the
            folders counts as one of them, though an older one may be of other prompts.
        metrics: Folder and scorer key of each metric.
        image_store: How images are kept: ``shards`` or ``folder``.
        keeps: Whether kept images are an output.

    """
    count = units if isinstance(units, int) else len(units)
    scored = np.zeros((len(metrics), count), dtype=np.bool_)
    for row, (folder, key) in enumerate(metrics):
        there = _listing(store.folder / "units" / slug / folder)
        scored[row] = _flags(there, units, partial(score_name, scorer_key=key))
    suffix = ".json" if image_store == "folder" else ".tar"
    there = _listing(image_folder(store, slug, image_store))
    return FinishedUnits(scored, _flags(there, units, lambda unit: unit + suffix), keeps)


def image_folder(store: RunStore, slug: str, image_store: str) -> Path:
    """Return the folder that has one file for each unit whose images are kept."""
    folder = store.folder / "images" / slug
    return folder / ".units" if image_store == "folder" else folder


def _flags(there: set[str], units: Sequence[str] | int, name_of: Callable[[str], str]) -> _Flags:
    if isinstance(units, int):
        return np.arange(units) < len(there)
    return np.array([name_of(unit) in there for unit in units], dtype=np.bool_)


def _listing(folder: Path) -> set[str]:
    try:
        return {name for name in os.listdir(folder) if name.endswith((".json", ".tar"))}
    except OSError:
        return set()
