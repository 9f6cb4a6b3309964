"""How many variants does a search need: held-out agreement by the number it may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import SettingError
from flasheval.selection.held_out.contenders import RANDOM
from flasheval.selection.held_out.kinds import Kind
from flasheval.selection.held_out.measurement import Measurement
from flasheval.selection.held_out.records import LearningCurve, LearningPoint
from flasheval.selection.held_out.splits import Split
from flasheval.selection.held_out.spread import enough_splits, spread_of
from flasheval.selection.held_out.summaries import paired_gain

__all__ = ["check_search_variants", "learning_curves", "smaller_searches"]


def check_search_variants(counts: object, kinds: Sequence[Kind]) -> tuple[int, ...]:
    """Return the numbers of search variants asked for, ascending; none for None.

    Raises SettingError for an invalid list, for a number above a split's search variants, and
    where every kind of splits holds out whole groups, since then no variant can be left out.

    Example:
        >>> split = Split("random:0", np.arange(24), np.arange(24, 48))
        >>> kinds = [Kind("random:1", "random:1", (split,))]
        >>> check_search_variants([16, 8, 8], kinds), check_search_variants(None, kinds)
        ((8, 16), ())
        >>> check_search_variants([30], kinds)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: search_variants: 30 is above the 24 search variants ...

    """
    if counts is None:
        return ()
    listed = isinstance(counts, Sequence) and not isinstance(counts, str)
    given: list[object] = list(counts) if listed else [counts]  # type: ignore[call-overload]
    numbers = [int(n) for n in given if isinstance(n, int | np.integer) and n >= 2]
    if not given or len(numbers) < len(given):
        raise SettingError(
            f"search_variants={counts!r}: expected numbers of at least 2, such as [8,12,16,24]"
        )
    drawn = [split for kind in kinds if not kind.groups for split in kind.splits]
    if not drawn:
        raise SettingError(
            "search_variants: variants can be left out of random splits only; add random:10 to "
            "splits"
        )
    fewest = min(drawn, key=lambda split: len(split.search))
    if max(numbers) > len(fewest.search):
        raise SettingError(
            f"search_variants: {max(numbers)} is above the {len(fewest.search)} search variants "
            f"of split '{fewest.name}'; name smaller numbers"
        )
    return tuple(sorted(set(numbers)))


def smaller_searches(split: Split, counts: Sequence[int], seed: int) -> tuple[Split, ...]:
    """Return a split with fewer search variants, once for each number and once with them all.

    The variants are those that come first in one seeded order, so each number's are among the
    next one's; the held-out variants stay.

    Example:
        >>> split = Split("random:0", np.arange(6), np.arange(6, 9))
        >>> [len(smaller.search) for smaller in smaller_searches(split, [2, 4], seed=0)]
        [2, 4, 6]

    """
    rng = np.random.default_rng([seed, 29, *split.search.tolist()])
    order = rng.permutation(split.search)
    numbers = sorted({*counts, len(order)})
    return tuple(
        Split(split.name, np.sort(order[:n]), split.held_out, images=split.images) for n in numbers
    )


def learning_curves(measurement: Measurement) -> tuple[LearningCurve, ...]:
    """Summarise the searches on fewer variants, averaged over metrics.

    Args:
        measurement: What was measured, random subsets and smaller searches included.

    Returns:
        One curve per kind of splits without groups, method and size.

    """
    taus = _by_curve(measurement)
    whole = measurement.arrays()
    found = []
    kinds = {kind.name: kind for kind in measurement.kinds}
    for (name, label, size), by_count in taus.items():
        kind = kinds[name]
        random = whole[kind.name, RANDOM.label, size]["held_out_tau"].mean(axis=1)
        points = []
        for count, values in by_count.items():
            gain = paired_gain(values, random, kind.splits, measurement.seed)
            known = values[~np.isnan(values)]
            if gain is not None:
                spread = spread_of(known, quantiles=enough_splits(kind.splits, known.size))
                points.append(LearningPoint(count, spread, gain))
        enough = _enough_from(points)
        found.append(LearningCurve(kind.name, label, size, tuple(points), enough))
    return tuple(found)


def _by_curve(
    measurement: Measurement,
) -> dict[tuple[str, str, int], dict[int, NDArray[np.float64]]]:
    """Held-out tau by curve and number of search variants: float64 [splits]."""
    found: dict[tuple[str, str, int], dict[int, NDArray[np.float64]]] = {}
    for count in sorted({cell.n_search for cell in measurement.smaller}):
        these = [cell for cell in measurement.smaller if cell.n_search == count]
        for curve, arrays in replace(measurement, cells=these).arrays().items():
            found.setdefault(curve, {})[count] = arrays["held_out_tau"].mean(axis=1)
    return found


def _enough_from(points: Sequence[LearningPoint]) -> int | None:
    """Smallest number from which on the gain over random is clear at every number measurement."""
    enough = None
    for point in reversed(points):
        if not point.over_random.clear:
            break
        enough = point.n_search
    return enough
