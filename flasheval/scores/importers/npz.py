"""Importer of NumPy archives: an array ``scores`` [variants, prompts] with its labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from flasheval.base.errors import DataError
from flasheval.base.files import require_file
from flasheval.base.ids import prompt_id
from flasheval.prompts import PromptSet
from flasheval.scores.importers.official_names import official_variant
from flasheval.scores.importers.result import ImportResult
from flasheval.scores.importers.settings import direction_of, finish
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["Npz"]


@dataclass(frozen=True)
class Npz:
    """Read an ``.npz`` with ``scores`` [n, P], ``variants`` (or ``models``) and ``prompt_ids``.

    Scores of any real type, float16 too, become float32 before anything is computed of them;
    NaN is not measured. Names of the official form give the variants their factors.

    Attributes:
        prompts: A PromptSet or its file, for the texts.
        metric: The metric's name, else an entry ``metric`` names it, else the file's stem.
        higher_is_better: The direction, for all metrics or for each.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/clip.npz", scores=[[0.25, 0.5]], models=["sd15"], prompt_ids=[1, 2])
    ...     table = Npz().read(f"{folder}/clip.npz").table
    >>> table.metrics, table.variant_names, table.prompts.ids
    (('clip',), ('sd15',), ('1', '2'))

    """

    name: ClassVar[str] = "npz"
    prompts: Any = None
    metric: str | None = None
    higher_is_better: Any = None

    def read(self, source: str | Path) -> ImportResult:
        """Read the archive.

        Raises DataError in one line for a damaged archive, one that needs pickle, or entries that
        are missing or do not fit together.
        """
        path = require_file(source, "NumPy archive (.npz)")
        entries = _entries(path)
        scores = _entry(path, entries, "scores")
        variants = _labels(path, entries, "variants" if "variants" in entries else "models")
        ids = _labels(path, entries, "prompt_ids")
        if scores.dtype.kind not in "fiu":
            raise DataError(f"{path}: 'scores' is of type {scores.dtype}; expected numbers")
        if scores.shape != (len(variants), len(ids)):
            raise DataError(
                f"{path}: 'scores' has shape {scores.shape}, but there are {len(variants)} "
                f"variants and {len(ids)} prompt ids"
            )
        name = self.metric or (str(entries["metric"]) if "metric" in entries else path.stem)
        try:
            matrix = ScoreMatrix(
                name,
                scores,
                variants,
                ids,
                higher_is_better=direction_of(name, self.higher_is_better, None),
            )
            table = ScoreTable(
                PromptSet(path.stem, ids), tuple(map(official_variant, variants)), {name: matrix}
            )
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
        return ImportResult(finish(table, self.prompts, self.higher_is_better))


def _entries(path: Path) -> dict[str, Any]:
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(f"{path} is a single array; expected an .npz with its labels")
        with archive:
            return {name: archive[name] for name in archive.files}
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds for damaged archives
        if isinstance(error, ValueError) and "pickle" in str(error):
            raise DataError(
                f"{path} needs pickle to be read, which may run foreign code; save it again with "
                "plain number and string arrays"
            ) from error
        raise DataError(
            f"{path} is not a readable .npz ({str(error)[:100]}); is it damaged or cut short?"
        ) from error


def _entry(path: Path, entries: Mapping[str, Any], name: str) -> Any:
    if name not in entries:
        have = ", ".join(entries) or "nothing"
        raise DataError(f"{path} has no entry {name!r}; it has: {have}")
    return entries[name]


def _labels(path: Path, entries: Mapping[str, Any], name: str) -> tuple[str, ...]:
    array = _entry(path, entries, name)
    if array.ndim != 1 or array.dtype.kind not in "iuU":
        raise DataError(
            f"{path}: {name!r} must be one row of strings or integers, not {array.dtype} of shape "
            f"{array.shape}"
        )
    values: list[Any] = array.tolist()
    return tuple([prompt_id(value) for value in values])
