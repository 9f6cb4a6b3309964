"""Finished searches of a held-out evaluation, one small file each, so that none is done twice."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import DataError, FlashevalError
from flasheval.base.files import atomic_write
from flasheval.selection.methods.driver import SearchOutcome
from flasheval.selection.methods.selector import Selection

__all__ = ["FinishedSearches"]

# What a file that is missing, cut short, overwritten or something else makes of reading it.
_DAMAGE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    FlashevalError,
)


@dataclass(frozen=True)
class FinishedSearches:
    """A folder of finished searches.

    Attributes:
        folder: Where the files lie; made by `ready`, or when the first is written.
        context: Hash of all that the searches have in common: scores, metrics, method with its
            settings, seed, and the prompts required, forbidden or started from.

    Example:
        >>> import tempfile
        >>> outcome = SearchOutcome(Selection(np.array([4, 2])))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     finished = FinishedSearches(Path(folder), "scores and settings")
        ...     finished.write("first", outcome)
        ...     finished.read("first").selection.indices, finished.read("second")
        (array([4, 2]), None)

    """

    folder: Path
    context: str

    def ready(self) -> FinishedSearches:
        """Make the folder, so that one that cannot be used is found before any work is done.

        Raises DataError when it is no folder or cannot be written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"folder={self.folder}: {error.strerror or error}; name a folder to keep work in"
            ) from error
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise DataError(f"folder={self.folder}: it cannot be written to; name another folder")
        return self

    def key(
        self, search_variants: Sequence[int], sizes: Sequence[int], images: object = None
    ) -> str:
        """Name of one search: a hash of everything that determines its subset.

        Args:
            search_variants: Positions of the variants searched.
            sizes: The sizes asked for.
            images: `ImageUse.search_key` where the search sees some images only.

        Example:
            >>> finished = FinishedSearches(Path("units"), "scores and settings")
            >>> keys = [finished.key([0, 1, 5], sizes) for sizes in ([50], [10])]
            >>> len(keys[0]), keys[0] == keys[1]
            (32, False)

        """
        parts: list[object] = [self.context, list(search_variants), list(sizes)]
        return sha256_of(parts if images is None else [*parts, images])[:32]

    def state_file(self, key: str) -> Path:
        """Where an unfinished search keeps its state.

        Example:
            >>> FinishedSearches(Path("units"), "scores and settings").state_file("4f2a").name
            '4f2a.npz'

        """
        return self.folder / f"{key}.npz"

    def drop_states(self, key: str) -> None:
        """Remove the states of a finished search, those of a nested one's stages too."""
        for file in self.folder.glob(f"{key}*.npz"):
            file.unlink(missing_ok=True)

    def read(self, key: str) -> SearchOutcome | None:
        """Return a finished search; None if absent or damaged, so that it is done again.

        Example:
            >>> FinishedSearches(Path("no-such-folder"), "scores").read("4f2a") is None
            True

        """
        try:
            unit = json.loads((self.folder / f"{key}.json").read_text("utf-8"))
            if unit.pop("check") != sha256_of(unit, digits=17):
                return None
            weights = unit["weights"]
            return SearchOutcome(
                Selection(
                    np.asarray(unit["indices"], dtype=np.int64),
                    None if weights is None else np.asarray(weights, dtype=np.float64),
                ),
                unit["history"],
                int(unit["sets"]),
                float(unit["seconds"]),
            )
        except _DAMAGE:
            return None

    def write(self, key: str, outcome: SearchOutcome) -> None:
        """Keep a finished search; DataError when the folder cannot be written."""
        weights = outcome.selection.weights
        unit = {
            "indices": outcome.selection.indices.tolist(),
            "weights": None if weights is None else weights.tolist(),
            "history": [_finite(row) for row in outcome.history],
            "sets": outcome.sets,
            "seconds": outcome.seconds,
        }
        with atomic_write(self.folder / f"{key}.json") as temporary:
            text = json.dumps({**unit, "check": sha256_of(unit, digits=17)})
            temporary.write_text(text, "utf-8")


def _finite(row: Mapping[str, float]) -> dict[str, float]:
    """Leave out of a history row the numbers JSON has no word for."""
    return {name: value for name, value in row.items() if math.isfinite(value)}
