"""The kinds of splits of a comparison: several descriptions, each with a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flasheval.base.drawing.brief import Brief
from flasheval.base.errors import DataError, SettingError
from flasheval.scores import ScoreTable
from flasheval.selection.held_out.splits import Split, describe_splits, make_splits

__all__ = ["Kind", "check_ties", "read_kinds"]


@dataclass(frozen=True, repr=False)
class Kind(Brief):
    """One kind of splits.

    Attributes:
        name: What tables call it.
        spec: The description it was made from, as `describe_splits` names it.
        splits: The splits.

    Example:
        >>> import numpy as np
        >>> split = Split("base_model=sd", np.array([2, 3]), np.array([0, 1]), groups=("sd",))
        >>> Kind("families", "group:base_model", (split,)).groups
        ('sd',)

    """

    name: str
    spec: str
    splits: tuple[Split, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups held out whole in one split or another; none where variants were drawn."""
        return tuple(dict.fromkeys(group for split in self.splits for group in split.groups))

    @property
    def seeds(self) -> Literal["search", "other"]:
        """Whether subsets are judged by the seeds searched on, or all of them by other ones.

        >>> import numpy as np
        >>> Kind("a", "a", (Split("a", np.arange(2), np.arange(2, 4)),)).seeds
        'search'
        """
        return "other" if all(split.other_seeds for split in self.splits) else "search"


def read_kinds(
    splits: object,
    table: ScoreTable,
    *,
    given: Sequence[str] | None = None,
    twins: NDArray[np.int64] | None = None,
) -> tuple[Kind, ...]:
    """Read one description of splits, or several.

    Args:
        splits: What `make_splits` reads; a list of texts and files, each then a kind; or a mapping
            of the kinds' names to descriptions.
        table: The table whose variants are parted.
        given: See `make_splits`.
        twins: See `make_splits`.

    Raises:
        SettingError: No description, one that cannot be read, or one given twice.
        DataError: A file or a name that is not there.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> kinds = read_kinds(["random:3", "group:scheduler"], synthetic_scores(24, 10))
        >>> [(kind.name, len(kind.splits), kind.groups) for kind in kinds]
        [('random:3', 3, ()), ('group:scheduler', 3, ('DDIM', 'PNDM', 'DPM'))]

    """
    known = set(table.variant_names if given is None else given)
    found: dict[str, Kind] = {}
    for name, spec in _named(splits, known):
        if name in found:
            raise SettingError(f"splits: {name} is given twice; give each kind of splits once")
        parts = make_splits(spec, table, given=given, twins=twins)
        found[name] = Kind(name, describe_splits(spec), parts)
    return tuple(found.values())


def check_ties(table: ScoreTable, kinds: Sequence[Kind] = ()) -> None:
    """Refuse a metric in which all variants, or all that a split searches, have one full score."""
    for metric in table.metrics:
        full = table[metric].full_means
        if len(full) > 1 and np.ptp(full) == 0:
            raise DataError(
                f"metric '{metric}': all {len(full)} variants have the same full score, so there "
                "is no ranking to reproduce; use another metric or more variants"
            )
        for split in (split for kind in kinds for split in kind.splits):
            if np.ptp(full[split.search]) == 0:
                raise DataError(
                    f"metric '{metric}': all {len(split.search)} search variants of split "
                    f"'{split.name}' have the same full score, so there is nothing to search by; "
                    "use other splits or another metric"
                )


def _named(splits: object, variants: set[str]) -> list[tuple[str, object]]:
    if splits is None or (isinstance(splits, str | Sequence | Mapping) and not splits):
        raise SettingError(
            "splits is empty: expected random:10, group:FACTOR, a list of such texts, or "
            "{name: description}"
        )
    if isinstance(splits, Mapping) and "search" not in splits:
        return [(_checked_name(name), spec) for name, spec in splits.items()]
    if isinstance(splits, Sequence) and not isinstance(splits, str):
        texts = all(isinstance(entry, str | Path) for entry in splits)
        if texts and not any(entry in variants for entry in splits):
            return [(describe_splits(entry), entry) for entry in splits]
    return [(describe_splits(splits), splits)]


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise SettingError(f"splits: {name!r} cannot name a kind of splits; use a short text")
    return name.strip()
