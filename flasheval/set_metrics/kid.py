"""The kernel distance: unbiased squared MMD with a cubic polynomial kernel; on Inception the KID.

With k(x, y) = (x.y / d + 1)^3, over m features x of one set and n features y of the other,

    MMD^2 = mean of k(x_i, x_j) over i != j + mean of k(y_i, y_j) over i != j
            - 2 mean of k(x_i, y_j)

(Gretton et al., "A kernel two-sample test", 2012, equation 3; kernel of Binkowski et al.,
"Demystifying MMD GANs", 2018). It is unbiased at every number of images, so that small sets may be
compared with large ones, and may be below 0 where the two distributions are the same.

That holds for independent images. Where x_i and y_i are of the same prompt they are not, and the
last mean is taken over i != j too (the same paper's lemma 6): without that, images much like
another variant's would be at a distance far below 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.set_metrics.arrays import as_features

__all__ = ["KernelDistance", "kernel_distance", "kernel_distance_of_subsets"]

_BLOCK = 2048  # a block of the kernel matrix: 32 MB


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance averaged over random subsets; lower is better.

    Attributes:
        value: The mean over the subsets.
        standard_error: The standard deviation over the subsets (n - 1) divided by the root of their
            number. When the subsets together hold more images than there are, they overlap, and it
            is the error of the averaging alone.
        subsets: Number of subsets.
        size: Images in a subset of either side.

    """

    value: float
    standard_error: float
    subsets: int
    size: int


def kernel_distance(features: ArrayLike, reference: ArrayLike, *, paired: bool = False) -> float:
    """Return the unbiased squared MMD of features [m, d] and the reference's [n, d].

    Computed in float64 in blocks, so that memory stays bounded; O((m + n)^2 d). Raises DataError
    for fewer than two images a side, other widths, a value that is not finite, or sides of
    different lengths where they are `paired`: row by row of the same prompt.

    >>> kernel_distance([[0.0], [0.0]], [[1.0], [1.0]])  # 1 + 8 - 2
    7.0
    >>> kernel_distance([[0.0], [2.0]], [[0.0], [2.0]], paired=True)
    0.0
    """
    theirs = as_features(reference, "the reference's features")
    ours = as_features(features, width=theirs.shape[1])
    if paired and len(ours) != len(theirs):
        raise DataError(f"{len(ours)} and {len(theirs)} images are no pairs; expected as many")
    return _mmd(ours, theirs, paired=paired)


def kernel_distance_of_subsets(
    features: ArrayLike,
    reference: ArrayLike,
    rng: np.random.Generator,
    *,
    size: int = 1000,
    subsets: int = 100,
) -> KernelDistance:
    """Return the mean kernel distance of random subsets, as KID is commonly reported.

    Args:
        features: Float [m, d].
        reference: Float [n, d].
        rng: The generator that draws the subsets; none has an image twice.
        size: Images in a subset of either side.
        subsets: Number of subsets, at least 2.

    Raises:
        SettingError: Too few subsets, or a size below 2 or above the number of images.
        DataError: As in `kernel_distance`.

    >>> rng = np.random.default_rng(0)
    >>> ours, theirs = rng.normal(size=(60, 4)), rng.normal(size=(80, 4))
    >>> found = kernel_distance_of_subsets(ours, theirs, rng, size=20, subsets=10)
    >>> abs(found.value) < 3 * found.standard_error + 0.2, found.size, found.subsets
    (True, 20, 10)

    """
    theirs = as_features(reference, "the reference's features")
    ours = as_features(features, width=theirs.shape[1])
    if not 2 <= size <= min(len(ours), len(theirs)):
        raise SettingError(
            f"size={size}: expected from 2 to {min(len(ours), len(theirs))}, the images of the "
            "smaller side"
        )
    if subsets < 2:
        raise SettingError(f"subsets={subsets}: expected at least 2, for a standard error")
    found = np.empty(subsets)
    for number in range(subsets):
        mine = ours[rng.choice(len(ours), size, replace=False)]
        found[number] = _mmd(mine, theirs[rng.choice(len(theirs), size, replace=False)])
    error = float(found.std(ddof=1) / np.sqrt(subsets))
    return KernelDistance(float(found.mean()), error, subsets, size)


def _mmd(x: NDArray[np.float64], y: NDArray[np.float64], *, paired: bool = False) -> float:
    m, n = len(x), len(y)
    own = (_kernel_sum(x, x) - _diagonal_sum(x, x)) / (m * (m - 1))
    theirs = (_kernel_sum(y, y) - _diagonal_sum(y, y)) / (n * (n - 1))
    if paired:
        cross = (_kernel_sum(x, y) - _diagonal_sum(x, y)) / (m * (m - 1))
    else:
        cross = _kernel_sum(x, y) / (m * n)
    value = own + theirs - 2 * cross
    if not np.isfinite(value):
        raise DataError("the kernel distance overflows; are these the features of images?")
    return float(value)


def _kernel_sum(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    total = 0.0
    for rows in range(0, len(x), _BLOCK):
        for columns in range(0, len(y), _BLOCK):
            product = x[rows : rows + _BLOCK] @ y[columns : columns + _BLOCK].T
            total += float(_cubed(product, x.shape[1]).sum())
    return total


def _diagonal_sum(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(_cubed(np.einsum("nd,nd->n", x, y), x.shape[1]).sum())


def _cubed(product: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    product /= width
    product += 1
    return product * product * product
