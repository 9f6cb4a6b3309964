"""Checking arrays of features and converting them to float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flasheval.base.errors import DataError

__all__ = ["as_features", "as_population"]


def as_features(
    features: ArrayLike, what: str = "features", *, width: int | None = None
) -> NDArray[np.float64]:
    """Return features [n, d] as float64.

    Args:
        features: One row an image, of any float type.
        what: The name of the features in errors.
        width: The required d; None for any.

    Raises:
        DataError: Another shape, fewer than two images (one has no covariance), or a value that is
            not finite.

    >>> as_features([[1, 2], [3, 4]]).dtype
    dtype('float64')

    """
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise DataError(f"{what} have shape {list(values.shape)}; expected [images, width]")
    if width is not None and values.shape[1] != width:
        raise DataError(
            f"{what} are {values.shape[1]} wide, and the reference {width}; "
            "both must come from the same extractor"
        )
    if len(values) < 2:
        raise DataError(f"{what} of {len(values)} images; a distribution needs at least 2")
    finite = np.isfinite(values.sum(axis=1))  # a sum of finite features does not overflow
    if not finite.all():
        row = int(finite.argmin())
        raise DataError(
            f"{what}: row {row} has a NaN or infinite value ({np.sum(~finite)} such "
            "rows); leave out the images that have no features"
        )
    return values


def as_population(features: ArrayLike, width: int) -> NDArray[Any]:
    """Return the features of several variants [variants, prompts, d], unchanged.

    Values are checked later, variant by variant, because the array may lie on a disk.
    Raises DataError for another shape.

    >>> import numpy as np
    >>> as_population(np.zeros((4, 10, 8)), 8).shape
    (4, 10, 8)
    >>> as_population(np.zeros((4, 10, 8)), 16)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    flasheval.base.errors.DataError: features have shape [4, 10, 8]; expected [variants, ...
    """
    values = features if isinstance(features, np.ndarray) else np.asarray(features)
    if values.ndim != 3 or values.shape[2] != width:
        raise DataError(
            f"features have shape {list(values.shape)}; expected [variants, prompts, {width}], "
            f"for the reference is {width} wide"
        )
    return values
