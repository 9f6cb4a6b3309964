"""The mean of several scores of one variant on one prompt: images, seeds or raters."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["mean_of_images"]


def mean_of_images(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the means of scores [variants, prompts, k] over k; what is NaN is not counted.

    >>> mean_of_images(np.array([[[0.0, 1.0], [np.nan, 3.0], [np.nan, np.nan]]])).tolist()
    [[0.5, 3.0, nan]]
    """
    known = ~np.isnan(values)
    counts = known.sum(axis=2)
    totals = np.where(known, values, 0.0).sum(axis=2, dtype=np.float64)
    means = np.full(counts.shape, np.nan)
    np.divide(totals, counts, out=means, where=counts > 0)
    return means.astype(np.float32)
