"""The score file of one unit and one metric, with a checksum over its content."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write
from flasheval.base.json_data import from_plain

__all__ = ["Timing", "UnitScores", "damage_of", "read_unit_scores", "write_unit_scores"]

_FORMAT, _FORMAT_OF_IMAGES = 1, 2
_NOT_OURS = (ValueError, LookupError, TypeError, AttributeError, RecursionError, DataError)


@dataclass(frozen=True)
class Timing:
    """What of a unit's record is computed with.

    Attributes:
        finished: When it was done, in seconds since 1970.
        seconds_generate: How long each batch of images took.
        batches: Images in each batch.
        warm: Whether the model had made images before.
        seconds_score: How long scoring took.
        evaluations: Network evaluations an image took, where they were counted.
        batch: Images made at a time, where the record says it.
        hardware: Name of the device, where the record says it.

    """

    finished: float = 0.0
    seconds_generate: tuple[float, ...] = ()
    batches: tuple[int, ...] = ()
    warm: bool = False
    seconds_score: float = 0.0
    evaluations: int | None = None
    batch: int | None = None
    hardware: str | None = None


_TIMED = tuple(one.name for one in fields(Timing))


@dataclass(frozen=True)
class UnitScores:
    """The scores of one variant on one chunk of prompts in one metric.

    Attributes:
        variant: The variant's name.
        variant_key: The hash of everything that determines its images.
        metric: The metric's name.
        scorer_key: The hash of everything that determines its scores.
        seed: The run's seed.
        prompts: The digest of the chunk's ids and texts.
        ids: The prompts' ids.
        scores: float32 [len(ids)], NaN where there is none.
        faults: Why a score is missing, by prompt id.
        record: Seconds, device, batches and versions; not part of the content.
        image: The images' number among those of their prompt.
        variant_seeds: Whether the variant has image seeds of its own.

    """

    variant: str
    variant_key: str
    metric: str
    scorer_key: str
    seed: int
    prompts: str
    ids: tuple[str, ...]
    scores: NDArray[np.float32]
    faults: Mapping[str, str] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    image: int = 0
    variant_seeds: bool = False

    @property
    def timing(self) -> Timing:
        """The record's times and counts; DataError where one is not of its type."""
        timed = {key: self.record[key] for key in _TIMED if key in self.record}
        return from_plain(Timing, timed, source="its record")


@dataclass(frozen=True)
class _Stored:
    variant: str
    variant_key: str
    metric: str
    scorer_key: str
    seed: int
    prompts: str
    ids: tuple[str, ...]
    scores: tuple[float | None, ...]
    faults: Mapping[str, str]
    image: int = 0
    variant_seeds: bool = False


_STORED = tuple(one.name for one in fields(_Stored))


def write_unit_scores(path: Path, unit: UnitScores) -> None:
    """Write the score file in one step. Raises DataError when it cannot be written.

    >>> import tempfile
    >>> scores = np.float32([0.25, np.nan])
    >>> unit = UnitScores("sd15", "k1", "CLIP", "k2", 0, "d", ("1", "2"), scores, {"2": "no image"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "unit.json"
    ...     write_unit_scores(path, unit)
    ...     read_unit_scores(path).scores.tolist()
    [0.25, nan]
    """
    # An older flasheval must not take further images for the first ones, so it refuses their files.
    more = {"image": unit.image, "variant_seeds": unit.variant_seeds}
    more = more if any(more.values()) else {}
    body = {
        "format": _FORMAT_OF_IMAGES if more else _FORMAT,
        "variant": unit.variant,
        "variant_key": unit.variant_key,
        "metric": unit.metric,
        "scorer_key": unit.scorer_key,
        "seed": unit.seed,
        "prompts": unit.prompts,
        "ids": list(unit.ids),
        "scores": [_written(score) for score in unit.scores],
        "faults": dict(unit.faults),
        **more,
        "record": dict(unit.record),
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({**body, "check": _check(body)}), "utf-8")


def read_unit_scores(path: Path) -> UnitScores | None:
    """Return the scores in a file, or None when it is missing or damaged and must be made again.

    >>> read_unit_scores(Path("no-such-file.json")) is None
    True
    """
    try:
        return _read(path)
    except (OSError, *_NOT_OURS):
        return None


def damage_of(path: Path) -> str | None:
    """Return what is wrong with a score file, or None.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "unit.json"
    ...     _ = path.write_text('{"scores": [0.25')
    ...     damage_of(path)
    'it is cut short or not JSON'
    """
    try:
        _read(path)
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    except json.JSONDecodeError:
        return "it is cut short or not JSON"
    except _NOT_OURS as error:
        return str(error)
    return None


def _read(path: Path) -> UnitScores:
    body = json.loads(path.read_bytes().decode("utf-8"))
    if not isinstance(body, dict) or body.pop("check", None) != _check(body):
        raise ValueError("its checksum does not fit its content")
    if body["format"] not in (_FORMAT, _FORMAT_OF_IMAGES):
        raise ValueError(
            f"it has format {body['format']!r}, this version reads up to {_FORMAT_OF_IMAGES}"
        )
    # The checksum is no guard against a file that was made so, and what reads it computes with it.
    stored = from_plain(_Stored, {key: body[key] for key in _STORED if key in body})
    if stored.image < 0:
        raise ValueError(f"its image number is {stored.image}; expected one from 0 on")
    if len(stored.ids) != len(stored.scores):
        raise ValueError(f"it has {len(stored.scores)} scores of {len(stored.ids)} prompts")
    scores = [math.nan if score is None else score for score in stored.scores]
    unit = UnitScores(
        stored.variant,
        stored.variant_key,
        stored.metric,
        stored.scorer_key,
        stored.seed,
        stored.prompts,
        stored.ids,
        np.array(scores, dtype=np.float64).astype(np.float32),
        stored.faults,
        dict(body["record"]),
        stored.image,
        stored.variant_seeds,
    )
    unit.timing  # noqa: B018 - it can be read
    return unit


def _written(score: np.float32) -> float | None:
    # The shortest decimals that give the same float32 again.
    return None if np.isnan(score) else float(str(np.float32(score)))


def _check(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
