"""Which variants to hold out of the repeated searches, part by part."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from flasheval.base.checks import checked_word
from flasheval.base.errors import SettingError
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.splits import Split, held_out_apart

__all__ = [
    "DEFAULT_GROUP",
    "FEWEST_VARIANTS",
    "Expect",
    "checked_expect",
    "group_folds",
    "make_folds",
    "random_folds",
]

Expect = Literal["similar", "new_family"]
DEFAULT_GROUP = "base_model"
FEWEST_VARIANTS = 8
_FOLDS = 8
_FEWEST_GROUPS = 3


def make_folds(
    table: ScoreTable,
    expect: Expect,
    group: str | None,
    seed: int,
    *,
    twins: NDArray[np.int64] | None = None,
) -> tuple[Split, ...]:
    """Part the variants: at random, or by a factor when new variants will be of a new family.

    Args:
        table: Complete variants only.
        expect: What new variants will be like.
        group: The factor whose values are families; `base_model` unless given.
        seed: Of the random parts.
        twins: For each variant the row of the first with the same scores; `table.first_of_twins`
            by default. Twins count as one variant and are never on both sides.

    Raises:
        SettingError: Too few variants, or no such factor where one is needed.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(24, 10)
        >>> [len(fold.held_out) for fold in make_folds(table, "similar", None, seed=0)]
        [3, 3, 3, 3, 3, 3, 3, 3]
        >>> [fold.name for fold in make_folds(table, "new_family", "scheduler", seed=0)]
        ['scheduler=DDIM', 'scheduler=PNDM', 'scheduler=DPM']

    """
    first = table.first_of_twins if twins is None else twins
    distinct = np.unique(first)
    if len(distinct) < FEWEST_VARIANTS:
        raise SettingError(
            f"calibrate: {len(distinct)} complete variants; expected at least {FEWEST_VARIANTS}: "
            "score more variants, or set calibrate to false"
        )
    if expect == "similar":
        folds = random_folds(len(distinct), np.random.default_rng([seed, _FOLDS]))
        return tuple(
            replace(
                fold,
                search=np.flatnonzero(np.isin(first, distinct[fold.search])),
                held_out=np.flatnonzero(np.isin(first, distinct[fold.held_out])),
            )
            for fold in folds
        )
    return group_folds(table, group or DEFAULT_GROUP, twins=first)


def random_folds(n: int, rng: np.random.Generator) -> tuple[Split, ...]:
    """Part n variants into 8 random parts, fewer where a part would have a single variant.

    Example:
        >>> [len(fold.held_out) for fold in random_folds(9, np.random.default_rng(0))]
        [3, 2, 2, 2]

    """
    order = rng.permutation(n)
    count = min(_FOLDS, n // 2)
    parts = [np.sort(order[number::count]) for number in range(count)]
    return tuple(
        Split(f"fold {number + 1}", np.setdiff1d(order, part), part)
        for number, part in enumerate(parts)
    )


def group_folds(
    table: ScoreTable, factor: str, *, twins: NDArray[np.int64] | None = None
) -> tuple[Split, ...]:
    """Make one part of each value of a factor.

    Raises:
        SettingError: No variant has the factor, one lacks it, or it has fewer than 3 values.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> folds = group_folds(synthetic_scores(24, 10), "scheduler")
        >>> [(fold.name, len(fold.search), len(fold.held_out)) for fold in folds]
        [('scheduler=DDIM', 16, 8), ('scheduler=PNDM', 16, 8), ('scheduler=DPM', 16, 8)]

    """
    known = list(dict.fromkeys(key for variant in table.variants for key in variant.factors))
    if factor not in known:
        have = ", ".join(known) or "none"
        raise SettingError(
            f"expect=new_family needs a factor that names each variant's family, and no variant "
            f"has '{factor}'; there are: {have}; name one with group"
        )
    values = table.factor(factor)
    lacking = [name for name, v in zip(table.variant_names, values, strict=True) if v is None]
    if lacking:
        raise SettingError(f"expect=new_family: variant '{lacking[0]}' has no '{factor}'; add it")
    groups = list(dict.fromkeys(values))
    if len(groups) < _FEWEST_GROUPS:
        raise SettingError(
            f"expect=new_family: '{factor}' has {len(groups)} values; how far a new one may differ "
            f"can be learnt from {_FEWEST_GROUPS} at least"
        )
    first = table.first_of_twins if twins is None else twins
    return tuple(
        held_out_apart(
            [v == value for v in values], f"{factor}={value}", [str(value)], table, first
        )
        for value in groups
    )


def checked_expect(expect: str) -> Expect:
    """Return `expect`; SettingError when it is neither word.

    Example:
        >>> checked_expect("new_family")
        'new_family'
        >>> checked_expect("new")
        Traceback (most recent call last):
        flasheval.base.errors.SettingError: expect=new: expected similar or new_family

    """
    return checked_word("expect", expect, get_args(Expect))
