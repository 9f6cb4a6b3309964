"""Several values of one variant and prompt (images, seeds, raters): kept beside their mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flasheval.scores.matrix import mean_of_images

__all__ = ["images_of_metric", "values_in_cells"]

_MOST = 1 << 30  # values kept one by one; of more there is the mean only


def values_in_cells(
    cells: NDArray[np.int64],
    scores: NDArray[Any],
    size: int,
    *,
    repeated: bool,
    numbers: NDArray[np.int64] | None = None,
) -> tuple[NDArray[Any], NDArray[Any] | None, int]:
    """Put scores into their cells.

    Args:
        cells: The cell of each score, int64 [n].
        scores: float32 or float64 [n], NaN for what was not measured.
        size: The number of cells.
        repeated: Whether equal values of one cell are values of their own, told apart by a column.
        numbers: The number of each score's image (seed, rater), int64 [n], where cells share them:
            a number is then one place in all cells. Counted in each cell where there is none.

    Returns:
        The mean of each cell, [size]; the values, [size, places], None where each cell has one
        (or they are too many to keep); and the most values of a cell. All are float64 where the
        scores are.

    >>> found = values_in_cells(np.array([0, 0, 1]), np.array([1, 2, 5], dtype=np.float32), 3,
    ...                         repeated=False)
    >>> found[0].tolist(), found[1].tolist(), found[2]
    ([1.5, 5.0, nan], [[1.0, 2.0], [5.0, nan], [nan, nan]], 2)

    """
    means = np.full(size, np.nan, dtype=scores.dtype)
    missing = np.isnan(scores)
    if missing.any():
        cells, scores = cells[~missing], scores[~missing]
        numbers = None if numbers is None else numbers[~missing]
    del missing
    means[cells] = scores
    counts = np.bincount(cells, minlength=size)
    most = int(counts.max(initial=0))
    if most <= 1 or (not repeated and np.array_equal(means[cells], scores)):
        return means, None, min(most, 1)
    places, width = _places(cells, counts, most, numbers)
    if size * width > _MOST:
        sums = np.bincount(cells, weights=scores, minlength=size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(counts > 0, sums / counts, np.nan), None, most
    images = np.full((size, width), np.nan, dtype=scores.dtype)
    images[cells, places] = scores
    return mean_of_images(images[None])[0], images, most


def _places(
    cells: NDArray[np.int64],
    counts: NDArray[np.int64],
    most: int,
    numbers: NDArray[np.int64] | None,
) -> tuple[NDArray[np.int64], int]:
    """Return each score's place in its cell, and how many places there are.

    Common numbers are the places where each is in a cell once, and in many cells.
    """
    if numbers is not None:
        kept, shared = np.unique(numbers, return_inverse=True)
        width = len(kept)
        if width <= 2 * most and len(np.unique(cells * width + shared)) == len(cells):
            return shared, width
    order = np.argsort(cells, kind="stable")
    places = np.empty(len(cells), dtype=np.int64)
    places[order] = np.arange(len(cells)) - np.repeat(np.cumsum(counts) - counts, counts)
    return places, most


def images_of_metric(images: NDArray[Any] | None) -> NDArray[Any] | None:
    """Return one metric's values of cells, without places that it never has; None for one a cell.

    >>> images_of_metric(np.array([[[0.5, np.nan], [0.25, np.nan]]])) is None
    True
    """
    if images is None:
        return None
    used = np.array([not np.isnan(images[..., place]).all() for place in range(images.shape[-1])])
    if used.sum() <= 1 or not (np.isnan(images).sum(axis=-1) < images.shape[-1] - 1).any():
        return None
    return images if used.all() else images[..., used]
