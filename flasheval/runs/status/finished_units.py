"""The finished outputs of a variant's units, found by listing file names."""

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
    """The outputs of a variant's units that exist.

    Attributes:
        scored: Whether the score file exists, bool [metrics, units].
        kept: Whether the images are kept, bool [units].
        keeps: Whether kept images are an output.

    >>> scored = np.array([[True, True, False], [True, False, False]])  # 2 metrics, 3 units
    >>> found = FinishedUnits(scored, np.array([True, True, True]), keeps=True)
    >>> found.whole.tolist(), round(found.share, 3), found.to_make.tolist()
    ([True, False, False], 0.667, [False, False, False])

    """

    scored: _Flags
    kept: _Flags
    keeps: bool

    @property
    def outputs(self) -> _Flags:
        """Whether each requested output exists, bool [outputs, units].

        >>> found = FinishedUnits(np.zeros((2, 3), dtype=bool), np.zeros(3, dtype=bool), keeps=True)
        >>> found.outputs.shape
        (3, 3)
        """
        return np.vstack([self.scored, self.kept]) if self.keeps else self.scored

    @property
    def whole(self) -> _Flags:
        """Whether a unit has all its outputs, bool [units].

        >>> scored = np.array([[True, True, False], [True, False, False]])
        >>> FinishedUnits(scored, np.zeros(3, dtype=bool), keeps=False).whole.tolist()
        [True, False, False]
        """
        whole: _Flags = np.all(self.outputs, axis=0)
        return whole

    @property
    def share(self) -> float:
        """The share of the requested outputs that exist."""
        return float(self.outputs.mean()) if self.outputs.size else 1.0

    @property
    def to_make(self) -> _Flags:
        """Whether a unit's images must still be made, bool [units].

        >>> scored = np.array([[True, False, False]])
        >>> kept = np.array([False, True, False])  # the second unit needs scores only
        >>> FinishedUnits(scored, kept, keeps=False).to_make.tolist()
        [False, False, True]
        """
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
        units: The units' names, or their number when the names are not known. Then any file in
            the folders counts as one of them, though an older one may be of other prompts.
        metrics: Folder and scorer key of each metric.
        image_store: How images are kept: ``shards`` or ``folder``.
        keeps: Whether kept images are an output.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "units", "sd15", "CLIP", score_name("0a1b", "clip-key"))
    ...     path.parent.mkdir(parents=True)
    ...     path.touch()
    ...     found = finished_units(RunStore(Path(folder)), "sd15", ["0a1b", "2c3d"],
    ...                            [("CLIP", "clip-key")], "shards", keeps=False)
    >>> found.scored.tolist()
    [[True, False]]

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
    """Return the folder that has one file for each unit whose images are kept.

    >>> store = RunStore(Path("run"))
    >>> image_folder(store, "sd15", "shards").as_posix()
    'run/images/sd15'
    >>> image_folder(store, "sd15", "folder").as_posix()
    'run/images/sd15/.units'
    """
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
