"""The file of one unit and one metric: its scores, what they are of, and a check over all of it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.files import atomic_write

__all__ = ["UnitScores", "damage_of", "read_unit_scores", "write_unit_scores"]

_FORMAT = 1


@dataclass(frozen=True)
class UnitScores:
    """The scores of one variant on one chunk of prompts in one metric.

    Attributes:
        variant: The variant's name.
        variant_key: The hash of all that determines its images.
        metric: The metric's name.
        scorer_key: The hash of all that determines its scores.
        seed: The run's seed.
        prompts: The digest of the chunk's ids and texts.
        ids: The prompts' ids.
        scores: float32 [len(ids)], NaN where there is none.
        faults: Why there is none, by prompt id.
        record: How it came about: seconds, device, batch, versions. Does not count as content.

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


def write_unit_scores(path: Path, unit: UnitScores) -> None:
    """Write the file, whole or not at all. Raises DataError when it cannot be written."""
    body = {
        "format": _FORMAT,
        "variant": unit.variant,
        "variant_key": unit.variant_key,
        "metric": unit.metric,
        "scorer_key": unit.scorer_key,
        "seed": unit.seed,
        "prompts": unit.prompts,
        "ids": list(unit.ids),
        "scores": [_written(score) for score in unit.scores],
        "faults": dict(unit.faults),
        "record": dict(unit.record),
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({**body, "check": _check(body)}), "utf-8")


def read_unit_scores(path: Path) -> UnitScores | None:
    """Return what a file holds; None where it is absent or damaged, so that it is made again."""
    try:
        return _read(path)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def damage_of(path: Path) -> str | None:
    """Return what is wrong with a file, None where nothing is."""
    try:
        _read(path)
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    except json.JSONDecodeError:
        return "it is cut short or not JSON"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        return str(error)
    return None


def _read(path: Path) -> UnitScores:
    body = json.loads(path.read_bytes().decode("utf-8"))
    if not isinstance(body, dict) or body.pop("check", None) != _check(body):
        raise ValueError("its checksum does not fit its content")
    if body["format"] != _FORMAT:
        raise ValueError(f"it has format {body['format']!r}, this version reads {_FORMAT}")
    scores = [math.nan if score is None else score for score in body["scores"]]
    return UnitScores(
        body["variant"],
        body["variant_key"],
        body["metric"],
        body["scorer_key"],
        body["seed"],
        body["prompts"],
        tuple(body["ids"]),
        np.array(scores, dtype=np.float32),
        body["faults"],
        body["record"],
    )


def _written(score: np.float32) -> float | None:
    # The shortest decimals that give the same float32 again.
    return None if np.isnan(score) else float(str(np.float32(score)))


def _check(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
