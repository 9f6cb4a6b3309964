"""Importer of NumPy arrays: scores with the names of their variants, prompts and metrics."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.base.files import read_text, refuse_dense_zip, require_file
from flasheval.base.ids import prompt_id
from flasheval.base.json_data import read_json
from flasheval.prompts import PromptSet
from flasheval.scores.importers.official_names import official_variant
from flasheval.scores.importers.result import ImportResult
from flasheval.scores.importers.settings import direction_of, finish
from flasheval.scores.matrix import ScoreMatrix
from flasheval.scores.table import ScoreTable

__all__ = ["ID_KEYS", "METRIC_KEYS", "TEXT_KEYS", "VARIANT_KEYS", "Npz"]

VARIANT_KEYS = ("variants", "models", "variant_names", "model_names")
ID_KEYS = ("prompt_ids", "ids")
TEXT_KEYS = ("texts", "captions", "prompts", "prompt_texts")
METRIC_KEYS = ("metrics", "metric_names")
"""What the labels of arrays are called, in an archive and in a mapping."""

_VARIANTS, _IDS = (*VARIANT_KEYS, "variant", "model"), (*ID_KEYS, "prompt_id")
_TEXTS, _METRICS = TEXT_KEYS, METRIC_KEYS
_NO_LABELS = (*_VARIANTS, *_IDS, *_TEXTS, *_METRICS, "metric", "higher_is_better", "seeds")
_AXES = ("metrics", "variants", "prompts", "values")


@dataclass(frozen=True)
class Npz:
    """Read an ``.npz`` with ``scores`` [n, P], ``variants`` (or ``models``) and ``prompt_ids``.

    ``scores`` may have an axis of metrics (with ``metrics``, their names) and one of several values
    of a cell, kept beside their mean; the lengths tell which axis is which, in the order
    metrics, variants, prompts, values where they do not. Arrays without the name ``scores`` are a
    metric each. ``prompts`` (or ``texts``) are the texts; without ``prompt_ids`` they are numbered.
    ``higher_is_better`` is one truth value or one a metric. An ``.npy`` is read with the names in
    files beside it: NAME.json with these keys, or variants.txt and prompt_ids.txt.

    Scores of any real type, float16 too, become float32, or float64 where that loses scores; NaN
    is not measured. Names of the official form give the variants their factors.

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
        entries = _beside(path) if path.suffix.lower() == ".npy" else _entries(path)
        variants = _labels(path, entries, _found(entries, _VARIANTS) or "models")
        ids, texts = _prompts_of(path, entries)
        found = _scores(path, entries)
        several = len(found) > 1 or "scores" not in found
        metrics: Sequence[str] = tuple(found)
        if not several:
            name = _found(entries, _METRICS)
            metrics = _labels(path, entries, name) if name else (self._one(path, entries),)
            if name and self.metric is not None and len(metrics) > 1:
                raise SettingError(
                    f"{path} names its metrics ({', '.join(metrics[:4])}); leave out "
                    f"metric={self.metric!r}"
                )
            if len(metrics) == 1 and self.metric is not None:
                metrics = (self.metric,)
        sizes = (1 if several else len(metrics), len(variants), len(ids))
        cubes: list[NDArray[Any]] = []
        notes = []
        for name, array in found.items():
            values, order = _arranged(path, name, array, sizes)
            cubes.extend(values)
            if order:
                notes.append(order)
        most = max(cube.shape[-1] for cube in cubes)
        how = f"read as arrays: {len(variants)} variants, {len(ids):,} prompts"
        how += f", metrics {', '.join(metrics)}"[:80]
        if most > 1:
            how += f", the mean of {most} values a cell"
        try:
            bare = PromptSet(path.stem, ids, texts)
            table = ScoreTable(
                bare,
                tuple(map(official_variant, variants)),
                {
                    metric: ScoreMatrix.from_images(
                        metric,
                        cube,
                        variants,
                        ids,
                        higher_is_better=direction_of(
                            metric, self.higher_is_better, _direction(path, entries, place, metrics)
                        ),
                        prompt_set_hash=bare.hash if texts is not None else None,
                    )
                    for place, (metric, cube) in enumerate(zip(metrics, cubes, strict=True))
                },
            )
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
        how = "; ".join((how, *dict.fromkeys(notes)))
        return ImportResult(finish(table, self.prompts, self.higher_is_better), how=how)

    def _one(self, path: Path, entries: Mapping[str, Any]) -> str:
        return self.metric or (str(entries["metric"]) if "metric" in entries else path.stem)


def _found(entries: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in entries), None)


def _prompts_of(
    path: Path, entries: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    ids, text = _found(entries, _IDS), _found(entries, _TEXTS)
    texts = None if text is None else _labels(path, entries, text)
    if ids is None and texts is not None:
        if any(" " in one for one in texts):
            return tuple(map(str, range(1, len(texts) + 1))), texts
        return texts, None
    known = _labels(path, entries, ids or "prompt_ids")
    if texts is not None and len(texts) != len(known):
        raise DataError(f"{path}: {len(known)} prompt ids but {len(texts)} {text}")
    return known, texts


def _scores(path: Path, entries: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the arrays of scores by name: the one called scores, else each a metric."""
    if "scores" not in entries:
        found = {
            name: array
            for name, array in entries.items()
            if name not in _NO_LABELS and array.ndim >= 2 and array.dtype.kind in "fiub"
        }
        if found:
            return found
    scores = _entry(path, entries, "scores")
    if scores.dtype.kind not in "fiub":
        raise DataError(f"{path}: 'scores' is of type {scores.dtype}; expected numbers")
    return {"scores": scores}


def _arranged(
    path: Path, name: str, scores: NDArray[Any], sizes: tuple[int, int, int]
) -> tuple[NDArray[Any], str]:
    """Return scores as [metrics, variants, prompts, values], and what is to be told."""
    n_metrics, n_variants, n_prompts = sizes
    names = [axis for axis in _AXES[:3] if axis != "metrics" or n_metrics > 1 or scores.ndim == 4]
    if len(names) < scores.ndim:
        names = [*names, "values"] if scores.ndim == len(names) + 1 else list(_AXES)
    lengths = {"metrics": n_metrics, "variants": n_variants, "prompts": n_prompts}
    fitting = [
        order
        for order in itertools.permutations(names)
        if len(order) == scores.ndim
        and all(
            lengths.get(axis, size) == size for axis, size in zip(order, scores.shape, strict=True)
        )
    ]
    if not fitting:
        metrics = f"{n_metrics} metrics, " if n_metrics > 1 else ""
        raise DataError(
            f"{path}: {name!r} has shape {scores.shape}, but there are {metrics}{n_variants} "
            f"variants and {n_prompts} prompt ids"
        )
    order = tuple(names) if tuple(names) in fitting else fitting[0]
    told = "" if order == tuple(names) else f"{name!r} is [{', '.join(order)}]"
    if len(fitting) > 1 and order == tuple(names):
        told = f"{name!r} is taken for [{', '.join(order)}], as lengths are equal"
    if len(fitting) > 1 and order != tuple(names):
        raise DataError(
            f"{path}: {name!r} has shape {scores.shape}, which fits [{', '.join(fitting[0])}] and "
            f"[{', '.join(fitting[1])}]; save it as [{', '.join(names)}]"
        )
    values = np.moveaxis(scores, [order.index(axis) for axis in names], range(len(names)))
    if "metrics" not in names:
        values = values[None]
    if "values" not in names:
        values = values[..., None]
    if values.dtype.kind == "b" or values.dtype.itemsize < 4:
        values = values.astype(np.float32)
    return values, told


def _direction(
    path: Path, entries: Mapping[str, Any], place: int, metrics: Sequence[str]
) -> bool | None:
    if "higher_is_better" not in entries:
        return None
    words = np.asarray(entries["higher_is_better"])
    if words.dtype.kind not in "biu" or words.shape not in ((), (1,), (len(metrics),)):
        raise DataError(
            f"{path}: 'higher_is_better' must be one truth value, or one for each of the "
            f"{len(metrics)} metrics"
        )
    flat = words.reshape(-1)
    return bool(flat[place if len(flat) > 1 else 0])


def _beside(path: Path) -> dict[str, Any]:
    """Return the scores of an ``.npy`` with the names that lie beside it."""
    try:
        scores = np.load(path, allow_pickle=False)
    except Exception as error:  # numpy raises many kinds for damaged files
        raise DataError(f"{path} is not a readable .npy ({str(error)[:100]})") from error
    entries: dict[str, Any] = {"scores": scores}
    notes = path.with_suffix(".json")
    if notes.is_file():
        named = read_json(notes)
        if isinstance(named, Mapping):
            entries.update((key, np.asarray(value)) for key, value in named.items())
    for role, names in (
        ("variants", _VARIANTS),
        ("prompt_ids", _IDS),
        ("prompts", _TEXTS),
        ("metrics", _METRICS),
    ):
        if _found(entries, names):
            continue
        for stem in (f"{path.stem}_{name}" for name in names), names:
            file = next((f for one in stem if (f := _list_file(path.parent / one))), None)
            if file is not None:
                entries[role] = _list_in(file)
                break
    lacking = [
        what
        for what, names in (("variants", _VARIANTS), ("prompt_ids", (*_IDS, *_TEXTS)))
        if not _found(entries, names)
    ]
    if lacking:
        raise DataError(
            f"{path} is a single array {scores.shape} without names: put {notes.name} beside it, "
            f"with the keys variants and prompt_ids (missing: {', '.join(lacking)})"
        )
    return entries


def _list_file(stem: Path) -> Path | None:
    files = (stem.with_name(stem.name + suffix) for suffix in (".txt", ".json", ".npy"))
    return next((file for file in files if file.is_file()), None)


def _list_in(file: Path) -> NDArray[Any]:
    if file.suffix == ".txt":
        return np.asarray([line for line in read_text(file).splitlines() if line.strip()])
    if file.suffix == ".json":
        return np.asarray(read_json(file))
    try:
        return np.asarray(np.load(file, allow_pickle=False))
    except Exception as error:  # numpy raises many kinds for damaged files
        raise DataError(f"{file} is not a readable .npy ({str(error)[:100]})") from error


def _entries(path: Path) -> dict[str, Any]:
    refuse_dense_zip(path)
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
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    if array.ndim != 1 or array.dtype.kind not in "iuU":
        raise DataError(
            f"{path}: {name!r} must be one row of strings or integers, not {array.dtype} of shape "
            f"{array.shape}"
        )
    values: list[Any] = array.tolist()
    return tuple([prompt_id(value) for value in values])
