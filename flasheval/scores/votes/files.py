"""Votes on disk: one Parquet file, a row a vote, which any importer of votes reads too.

Columns, those nobody knows left out: ``model_a``, ``model_b``, ``prompt_id``, ``prompt`` (the
text), ``winner`` (a, b, tie, both_bad), ``rater``, ``left`` (a, b or empty: who was shown left),
``seconds`` (float32), ``image_a``, ``image_b`` (int32, from 0). The metadata holds
``flasheval.votes``, the version of this form; ``flasheval.variants`` and ``flasheval.raters``, the
names in their order, as JSON; and ``flasheval.prompt_set``, the prompt set's name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.base.columns import Columns
from flasheval.base.errors import DataError
from flasheval.base.files import atomic_write
from flasheval.scores.votes.arrays import VoteArrays
from flasheval.scores.votes.reading import OWN_FORM

__all__ = ["PROMPT_SET", "in_saved_order", "write_votes"]

PROMPT_SET = "flasheval.prompt_set"
_VARIANTS, _RATERS = "flasheval.variants", "flasheval.raters"
_VERSION = 1


def write_votes(votes: VoteArrays, path: Path) -> Path:
    """Write votes as Parquet and return the path; DataError where that cannot be."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def named(codes: NDArray[Any], labels: Sequence[str]) -> Any:
        places = pa.array(codes.astype(np.int32), mask=codes < 0)
        return pa.DictionaryArray.from_arrays(places, pa.array(labels, pa.string()))

    columns: dict[str, Any] = {
        "model_a": named(votes.first, votes.variants),
        "model_b": named(votes.second, votes.variants),
        "prompt_id": named(votes.prompt, votes.prompts.ids),
    }
    if votes.prompts.texts is not None:
        columns["prompt"] = named(votes.prompt, votes.prompts.texts)
    columns["winner"] = named(_winner(votes), ("a", "b", "tie", "both_bad"))
    if votes.rater is not None:
        columns["rater"] = named(votes.rater, votes.raters)
    if votes.left is not None:
        columns["left"] = named(np.where(votes.left == 0, -1, votes.left < 0), ("a", "b"))
    if votes.seconds is not None:
        columns["seconds"] = pa.array(votes.seconds, mask=np.isnan(votes.seconds))
    if votes.images is not None:
        for side, numbers in zip("ab", votes.images.T, strict=True):
            columns[f"image_{side}"] = pa.array(np.ascontiguousarray(numbers), mask=numbers < 0)
    metadata = {
        OWN_FORM: str(_VERSION),
        _VARIANTS: json.dumps(votes.variants, ensure_ascii=False),
        _RATERS: json.dumps(votes.raters, ensure_ascii=False),
        PROMPT_SET: votes.prompts.name,
    }
    with atomic_write(path) as temporary:
        pq.write_table(
            pa.table(columns).replace_schema_metadata(metadata),
            temporary,
            compression="zstd",
            write_page_checksum=True,
        )
    return path


def _winner(votes: VoteArrays) -> NDArray[np.int64]:
    found = np.where(votes.outcome == 1, 0, np.where(votes.outcome == -1, 1, 2))
    return found if votes.both_bad is None else np.where(votes.both_bad, 3, found)


def in_saved_order(votes: VoteArrays, columns: Columns) -> VoteArrays:
    """Return votes with variants and raters in the order that the file's metadata tells.

    Raises DataError where the file is of a later version, or its metadata is damaged.
    """
    version = columns.metadata.get(OWN_FORM)
    if version is None:
        return votes
    if not version.isdigit() or not 1 <= int(version) <= _VERSION:
        raise DataError(
            f"{columns.path} has the version {version} of saved votes, this flasheval reads up to "
            f"{_VERSION}; update flasheval"
        )
    variants = _order(columns, _VARIANTS, votes.variants)
    raters = _order(columns, _RATERS, votes.raters)
    place = np.array([variants.index(name) for name in votes.variants])
    rater = votes.rater
    if rater is not None:
        known = {name: number for number, name in enumerate(raters)}
        rater = np.array([*(known[name] for name in votes.raters), -1])[rater]
    return replace(
        votes,
        variants=variants,
        first=place[votes.first],
        second=place[votes.second],
        raters=raters,
        rater=rater,
    )


def _order(columns: Columns, key: str, found: tuple[str, ...]) -> tuple[str, ...]:
    if key not in columns.metadata:
        return found
    try:
        names = tuple(map(str, json.loads(columns.metadata[key])))
    except (ValueError, TypeError) as error:
        raise DataError(f"{columns.path}: its metadata is damaged: {error}") from error
    if not set(found) <= set(names):
        raise DataError(f"{columns.path}: its metadata lacks names that its rows hold")
    return names
