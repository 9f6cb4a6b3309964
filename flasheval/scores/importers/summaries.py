"""Averages among the variants or prompts of a table, told by their values or their names."""

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.importers.column_names import is_summary

__all__ = ["summaries"]

_CLOSE = 0.02  # of what is left of the scores once variants' and prompts' means are out
_LOOKED = 2000  # prompts
_FEWEST = 3  # cells, and as many others, from which values alone tell an average


def summaries(values: NDArray[np.float32], labels: Sequence[str], *, anywhere: bool) -> list[int]:
    """Return the rows that are averages of the others, by their values or by their label.

    Args:
        values: float32 [rows, cells].
        labels: The rows' labels.
        anywhere: Whether a row between others may be one by its values alone; else only the first
            and the last.

    >>> rng = np.random.default_rng(0)
    >>> scores = rng.random((3, 8), dtype=np.float32)
    >>> summaries(np.vstack([scores, scores.mean(axis=0)]), ["a", "b", "c", "d"], anywhere=True)
    [3]

    """
    named = [row for row, label in enumerate(labels) if is_summary(label)]
    if len(named) == len(labels):
        return []
    found = set(named)
    step = max(1, values.shape[1] // _LOOKED)
    if values.shape[0] - len(named) > 3 and values.shape[1] >= _FEWEST:
        rows = [row for row in range(len(labels)) if row not in found]
        places = rows if anywhere else _near_average(values, [rows[0], rows[-1]])
        if places:
            found.update(_by_values(values, rows, places, step, anywhere))
    return sorted(found)


def _near_average(values: NDArray[np.float32], places: Sequence[int]) -> list[int]:
    """Return the rows that may equal the others' average, as a sample of many rows has it."""
    if len(values) <= 4 * _LOOKED:
        return list(places)
    sample = values[:: len(values) // _LOOKED].astype(np.float64)
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # cells that the sample lacks
        error = np.nanstd(sample, axis=0) / np.sqrt(len(sample))
        room = 10 * error + _CLOSE * np.nanmax(np.nanstd(sample, axis=0))
        apart = np.abs(values[list(places)] - np.nanmean(sample, axis=0))
    return [place for place, far in zip(places, apart > room, strict=True) if not far.any()]


def _by_values(
    values: NDArray[np.float32],
    rows: Sequence[int],
    places: Sequence[int],
    step: int,
    anywhere: bool,
) -> list[int]:
    """Return those of some rows that equal the mean (or the best) of the others in every cell."""
    whole = len(rows) == len(values)
    part = values[:, ::step] if whole else values[list(rows)][:, ::step]
    measured = ~np.isnan(part)
    counts = measured.sum(axis=0)
    sums = np.where(measured, part, 0).sum(axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        average = sums / counts
        spread = _left(part, average)
        if not spread > 0:
            return []
        found = []
        place_of = {row: place for place, row in enumerate(rows)}
        for row in places:
            own = part[place_of[row]].astype(np.float64)
            mine = measured[place_of[row]]
            others = (sums - np.where(mine, own, 0)) / (counts - mine)
            apart = np.abs(own - others)[mine]
            if (
                apart.size >= _FEWEST
                and not np.isnan(apart).any()
                and apart.max() <= _CLOSE * spread
            ) or (anywhere and _is_extreme(part, place_of[row])):
                found.append(row)
    return found


def _is_extreme(part: NDArray[np.float32], row: int) -> bool:
    """Tell whether a row is in every cell the largest, or the smallest, of the other rows."""
    own, others = part[row], np.delete(part, row, axis=0)
    if np.isnan(own).any() or len(own) < 2 * _FEWEST or (others == own).all(axis=1).any():
        return False
    blank = np.isnan(others)
    largest = np.where(blank, -np.inf, others).max(axis=0)
    smallest = np.where(blank, np.inf, others).min(axis=0)
    # Scores of few levels tie by chance.
    levels = len(np.unique(own))
    return levels > len(own) / 2 and bool((own == largest).all() or (own == smallest).all())


def _left(part: NDArray[np.float32], average: NDArray[np.float64]) -> float:
    """Return what is left of the scores, in the middle, once both means are out."""
    sample = part[: max(1, 1_000_000 // max(1, part.shape[1]))].astype(np.float64)
    rest = sample - average
    counts = (~np.isnan(rest)).sum(axis=1)
    rest -= (np.nansum(rest, axis=1) / counts)[:, None]
    sizes = np.sqrt(np.nansum(rest**2, axis=1) / counts)[counts > 0]
    return float(np.median(sizes)) if sizes.size else 0.0
