"""Several values of one variant and prompt (images, seeds, raters): kept beside their mean."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["mean_of_images", "values_in_cells"]

_MOST = 1 << 30  # values kept one by one; of more there is the mean only


def mean_of_images(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean over the last axis of what was measured, NaN where nothing was.

    >>> mean_of_images(np.array([[1, 2, np.nan], [np.nan] * 3], dtype=np.float32)).tolist()
    [1.5, nan]
    """
    measured = ~np.isnan(values)
    counts = measured.sum(axis=-1)
    sums = np.where(measured, values, 0).sum(axis=-1, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(counts > 0, sums / counts, np.nan), dtype=np.float32)


def values_in_cells(
    cells: NDArray[np.int64], scores: NDArray[np.float32], size: int, *, repeated: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, int]:
    """Put scores into their cells.

    Args:
        cells: The cell of each score, int64 [n].
        scores: float32 [n], NaN for what was not measured.
        size: The number of cells.
        repeated: Whether equal values of one cell are values of their own, told apart by a column.

    Returns:
        The mean of each cell, float32 [size]; the values, float32 [size, most], None where each
        cell has one (or they are too many to keep); and the most values of a cell.

    >>> found = values_in_cells(np.array([0, 0, 1]), np.array([1, 2, 5], dtype=np.float32), 3,
    ...                         repeated=False)
    >>> found[0].tolist(), found[1].tolist(), found[2]
    ([1.5, 5.0, nan], [[1.0, 2.0], [5.0, nan], [nan, nan]], 2)

    """
    means = np.full(size, np.nan, dtype=np.float32)
    missing = np.isnan(scores)
    if missing.any():
        cells, scores = cells[~missing], scores[~missing]
    del missing
    means[cells] = scores
    counts = np.bincount(cells, minlength=size)
    most = int(counts.max(initial=0))
    if most <= 1 or (not repeated and np.array_equal(means[cells], scores)):
        return means, None, min(most, 1)
    sums = np.bincount(cells, weights=scores, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.asarray(np.where(counts > 0, sums / counts, np.nan), dtype=np.float32)
    if size * most > _MOST:
        return means, None, most
    order = np.argsort(cells, kind="stable")
    place = np.arange(len(cells)) - np.repeat(np.cumsum(counts) - counts, counts)
    images = np.full((size, most), np.nan, dtype=np.float32)
    images[cells[order], place] = scores[order]
    return means, images, most
