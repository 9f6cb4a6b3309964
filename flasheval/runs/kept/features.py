"""Kept embeddings of a unit's images, as a scorer's model returned them."""

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
    """A store of embeddings: one archive a unit and scorer, ``FOLDER/VARIANT/NAME-SCORER.npz``.

    An archive holds ``features`` [n, width], ``ids`` [n] and a ``sha256`` over both; `numpy.load`
    opens it without pickle.

    Args:
        folder: The folder of the archives.

    >>> import tempfile
    >>> unit = ImageUnit("0a1b", "sd15", ("1", "2"), ("A cat.", "A dog."))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = FeatureStore(Path(folder))
    ...     store.write(unit, "clip-key", np.float32([[1, 2], [3, 4]]))
    ...     store.read(unit, "clip-key").tolist(), store.read(unit, "another-key")
    ([[1.0, 2.0], [3.0, 4.0]], None)

    """

    folder: Path

    def path(self, unit: ImageUnit, scorer: str) -> Path:
        """Return the path of the archive of a unit and a scorer, given by its key.

        >>> unit = ImageUnit("0a1b", "sd15", (), ())
        >>> path = FeatureStore(Path("embeddings")).path(unit, "clip-key")
        >>> path.parent.as_posix(), path.name.startswith("0a1b-"), path.suffix
        ('embeddings/sd15', True, '.npz')
        """
        digest = hashlib.sha256(scorer.encode()).hexdigest()[:16]
        return self.folder / unit.folder / f"{unit.name}-{digest}.npz"

    def has(self, unit: ImageUnit, scorer: str) -> bool:
        """Tell whether the archive exists, without reading it.

        >>> FeatureStore(Path("no/such/folder")).has(ImageUnit("0a1b", "sd15", (), ()), "clip-key")
        False
        """
        return self.path(unit, scorer).is_file()

    def write(self, unit: ImageUnit, scorer: str, features: NDArray[np.floating[Any]]) -> None:
        """Save the embeddings, float16 or float32 [len(unit.ids), width], unchanged.

        Raises DataError for another type or shape, and when they cannot be written.

        >>> unit = ImageUnit("0a1b", "sd15", ("1", "2"), ("A cat.", "A dog."))
        >>> store = FeatureStore(Path("out"))
        >>> store.write(unit, "clip-key", np.float64([[1, 2]]))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.DataError: the embeddings are float64 of shape [1, 2]; expected ...
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
        """Return the embeddings, or None when they are missing or damaged."""
        try:
            return self._read(unit, scorer) if self.has(unit, scorer) else None
        except (OSError, Damaged):
            return None

    def damage(self, unit: ImageUnit, scorer: str) -> str | None:
        """Return what is wrong with an existing archive, or None.

        >>> import tempfile
        >>> unit = ImageUnit("0a1b", "sd15", ("7",), ("A cat.",))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = FeatureStore(Path(folder))
        ...     store.path(unit, "clip-key").parent.mkdir()
        ...     _ = store.path(unit, "clip-key").write_bytes(b"half")
        ...     store.damage(unit, "clip-key")[:15], store.damage(unit, "another-key")
        ('it is cut short', None)
        """
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
