"""How far numbers lie apart over splits, and whether there are enough splits to say so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flasheval.selection.held_out.splits import Split
from flasheval.subset.evidence import Spread

__all__ = ["ENOUGH", "enough_splits", "spread_of"]

ENOUGH = 8
"""How many splits, or groups, an interval takes."""


def spread_of(values: NDArray[np.float64], *, quantiles: bool) -> Spread:
    """Mean of the values that are there, with their 5-95% range or their least and greatest.

    Args:
        values: float64, NaN where there is none; at least one is there.
        quantiles: Whether there are enough of them for quantiles.

    Example:
        >>> print(spread_of(np.array([0.5, np.nan, 0.7]), quantiles=False))
        0.600 (0.500 to 0.700)

    """
    known = values[~np.isnan(values)]
    if quantiles:
        low, high = np.quantile(known, [0.05, 0.95])
        return Spread(float(known.mean()), float(low), float(high), "5-95%")
    return Spread(float(known.mean()), float(known.min()), float(known.max()), "min-max")


def enough_splits(splits: Sequence[Split], n_done: int) -> bool:
    """Whether quantiles and intervals over the splits mean anything.

    It takes 8 splits; where whole groups are held out it takes 8 groups, however they are paired.

    Args:
        splits: All splits of one kind.
        n_done: How many of them gave a number.

    Example:
        >>> enough_splits([Split(str(k), np.arange(4), np.arange(4, 8)) for k in range(9)], 7)
        False

    """
    groups = {group for split in splits for group in split.groups}
    return n_done >= ENOUGH and (not groups or len(groups) >= ENOUGH)
