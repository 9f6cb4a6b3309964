"""Preparing arrays for the compiled functions of `flasheval.scores.ranking.blocks`.

What the blocks' speed rests on, order and padding and alignment, is decided here.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flasheval.base.errors import DataError, SettingError
from flasheval.scores.ranking.lanes import LANES

__all__ = [
    "PreparedTarget",
    "checked_margin",
    "prepare_base",
    "prepare_rows",
    "prepare_target",
]

Floats = npt.NDArray[np.floating[Any]]
CACHE_LINE = 64


@dataclass(frozen=True, eq=False)
class PreparedTarget:
    """The ranking to be recovered, in the form that the compiled functions take.

    order: int64 [n_variants], the variants by descending target; all arrays a kernel sees follow it
    tied_until: int64 [n_variants] or, if no pair is tied in the target, [0]: in that order,
        variants i and j > i are tied in the target exactly when j < tied_until[i]
    width: n_variants rounded up to a multiple of 16
    pairs: pairs of variants, n (n - 1) / 2
    target_ties: how many of them are tied in the target
    """

    order: npt.NDArray[np.int64]
    tied_until: npt.NDArray[np.int64]
    width: int
    pairs: int
    target_ties: int

    @property
    def n_variants(self) -> int:
        """Number of variants ranked."""
        return len(self.order)

    @property
    def first_below(self) -> npt.NDArray[np.int64]:
        """The first variant strictly below each one, in the target's order: int64 [n_variants].

        It is `tied_until`, made out where no pair is tied too.

        >>> prepare_target([3.0, 2.0, 2.0]).first_below.tolist()
        [1, 3, 3]
        >>> prepare_target([3.0, 2.0, 1.0]).first_below.tolist()
        [1, 2, 3]
        """
        if len(self.tied_until):
            return self.tied_until
        return np.arange(1, self.n_variants + 1, dtype=np.int64)


def prepare_target(target: npt.ArrayLike, *, margin: float = 0.0) -> PreparedTarget:
    """Order the variants by a target and find its ties: pairs no more than `margin` apart.

    target: float [n_variants], without NaN (DataError).

    >>> prepared = prepare_target([0.1, 0.3, 0.2, 0.3])
    >>> prepared.order.tolist(), prepared.tied_until.tolist(), prepared.target_ties
    ([1, 3, 2, 0], [2, 2, 3, 4], 1)
    """
    values = np.asarray(target, dtype=np.float64)
    if values.ndim != 1:
        raise DataError(f"target has shape {values.shape}; expected one number a variant")
    if np.isnan(values).any():
        raise DataError(
            f"target is NaN for variant {int(np.isnan(values).argmax())}; leave out the variants "
            "whose full score is not known"
        )
    order = np.argsort(-values, kind="stable")
    tied_until = _tied_until(values[order].tolist(), checked_margin(margin, "the target's margin"))
    n = len(values)
    ties = int((tied_until - np.arange(1, n + 1)).sum())
    return PreparedTarget(
        order=order.astype(np.int64),
        tied_until=tied_until if ties else np.empty(0, dtype=np.int64),
        width=-(-n // LANES) * LANES,
        pairs=n * (n - 1) // 2,
        target_ties=ties,
    )


def prepare_rows(matrix: Floats, target: PreparedTarget) -> Floats:
    """Arrange scores for the compiled functions: [P, n_variants] -> [P, width], same dtype.

    Columns in the target's order, padded with NaN, C-contiguous, aligned to a cache line.

    >>> target = prepare_target([0.1, 0.3])
    >>> rows = prepare_rows(np.float32([[1, 2], [3, 4], [5, 6]]), target)
    >>> rows.shape, rows[:, :2].tolist()  # best variant first, padded to 16 columns
    ((3, 16), [[2.0, 1.0], [4.0, 3.0], [6.0, 5.0]])
    """
    if matrix.ndim != 2 or matrix.shape[1] != target.n_variants:
        raise DataError(
            f"matrix has shape {matrix.shape}; expected one row a prompt and "
            f"{target.n_variants} columns, one for each value of the target"
        )
    rows = _aligned(len(matrix), target.width, matrix.dtype)
    rows[:, : target.n_variants] = matrix[:, target.order]
    rows[:, target.n_variants :] = np.nan
    return rows


def prepare_base(base: npt.ArrayLike | None, target: PreparedTarget, dtype: Any) -> Floats:
    """Make the sums every set starts from: [n_variants] (None: zeros) -> [width] of a dtype.

    >>> prepare_base([10.0, 20.0], prepare_target([0.1, 0.3]), np.float32)[:3].tolist()
    [20.0, 10.0, nan]
    """
    prepared = np.full(target.width, np.nan, dtype=dtype)  # padded like the rows
    prepared[: target.n_variants] = 0
    if base is not None:
        values = np.asarray(base)
        if values.shape != (target.n_variants,):
            raise DataError(
                f"base has shape {values.shape}; expected one number for each of the "
                f"{target.n_variants} values of the target"
            )
        prepared[: target.n_variants] = values[target.order]
    return prepared


def checked_margin(margin: float, name: str = "margin") -> float:
    """Return the margin as a float; SettingError unless it is finite and at least 0.

    >>> checked_margin(0)
    0.0
    """
    if not 0.0 <= margin < math.inf:
        raise SettingError(f"{name} is {margin}; expected a finite number of at least 0")
    return float(margin)


def _tied_until(descending: list[float], margin: float) -> npt.NDArray[np.int64]:
    """Find for each value the first later one that is more than margin below it."""
    n = len(descending)
    until = np.empty(n, dtype=np.int64)
    end = 0
    for i, value in enumerate(descending):
        end = max(end, i + 1)
        # Equality first: infinities of one sign are ties, though their difference is NaN.
        while end < n and (descending[end] == value or value - descending[end] <= margin):
            end += 1
        until[i] = end
    return until


def _aligned(n_rows: int, width: int, dtype: npt.DTypeLike) -> Floats:
    """Allocate [n_rows, width], unset, whose data begin on a cache line."""
    size = n_rows * width * np.dtype(dtype).itemsize
    raw = np.empty(size + CACHE_LINE, dtype=np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    rows: Floats = raw[start : start + size].view(dtype).reshape(n_rows, width)
    return rows
