"""Kept features: the embeddings of a unit's images, as a scorer's model gave them."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write
from flasheval.runs.kept.images import Damaged, ImageUnit

__all__ = ["FeatureStore"]

_TYPES = (np.float16, np.float32)


@dataclass(frozen=True)
class FeatureStore:
    """Embeddings, one NumPy archive a unit and scorer, ``FOLDER/VARIANT/NAME-SCORER.npz``.

    An archive holds ``features`` [n, width], ``ids`` [n] and a ``sha256`` over both; `numpy.load`
    opens it without pickle.

    Args:
        folder: Where the archives lie.

    """

    folder: Path

    def path(self, unit: ImageUnit, scorer: str) -> Path:
        """Return the archive of a unit and a scorer, which is told by its key."""
        digest = hashlib.sha256(scorer.encode()).hexdigest()[:16]
        return self.folder / unit.folder / f"{unit.name}-{digest}.npz"

    def has(self, unit: ImageUnit, scorer: str) -> bool:
        """Return whether the archive is there, without reading it."""
        return self.path(unit, scorer).is_file()

    def write(self, unit: ImageUnit, scorer: str, features: NDArray[np.floating[Any]]) -> None:
        """Keep the embeddings, float16 or float32 [len(unit.ids), width], as they are.

        Raises DataError for another type or shape, and when they cannot be written.
        """
        features = np.ascontiguousarray(features)
        if features.dtype not in _TYPES or features.ndim != 2 or len(features) != len(unit.ids):
            raise DataError(
                f"the embeddings are {features.dtype} of shape {list(features.shape)}; expected "
                f"float16 or float32 of shape [{len(unit.ids)}, width]"
            )
        ids = np.array(unit.ids, dtype=np.str_)
        buffer = io.BytesIO()
        np.savez(buffer, features=features, ids=ids, sha256=np.array(_digest(features, unit.ids)))
        with atomic_write(self.path(unit, scorer)) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def read(self, unit: ImageUnit, scorer: str) -> NDArray[np.floating[Any]] | None:
        """Return the embeddings; None where they are absent or damaged."""
        try:
            return self._read(unit, scorer) if self.has(unit, scorer) else None
        except (OSError, Damaged):
            return None

    def damage(self, unit: ImageUnit, scorer: str) -> str | None:
        """Return what is wrong with an archive that is there; None where nothing is."""
        try:
            if self.has(unit, scorer):
                self._read(unit, scorer)
        except (OSError, Damaged) as error:
            return str(error)
        return None

    def _read(self, unit: ImageUnit, scorer: str) -> NDArray[np.floating[Any]]:
        data = self.path(unit, scorer).read_bytes()
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                features: NDArray[np.floating[Any]] = archive["features"]
                ids = tuple(archive["ids"].tolist())
                digest = str(archive["sha256"])
        except Exception as error:  # NumPy and zipfile raise all sorts for damaged bytes
            raise Damaged(f"it is cut short or no NumPy archive ({error})") from error
        if digest != _digest(features, ids):
            raise Damaged("its checksum does not fit its content")
        if ids != unit.ids:
            raise Damaged("it holds embeddings of other prompts")
        return features


def _digest(features: NDArray[Any], ids: tuple[str, ...]) -> str:
    head = json.dumps([features.dtype.str, features.shape, ids])
    return hashlib.sha256(head.encode() + features.tobytes()).hexdigest()
