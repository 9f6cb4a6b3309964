"""Ways to part a population into variants the search sees and variants it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import read_json
from flasheval.base.suggest import nearest
from flasheval.scores import ScoreTable

__all__ = ["Split", "describe_splits", "make_splits"]

_SIDES = ("search", "held_out", "name")


@dataclass(frozen=True)
class Split:
    """One parting of a table's variants.

    Attributes:
        name: For example `random:3` or `base_model=sd-1.5`.
        search: int64 positions of the variants a search may see, ascending.
        held_out: int64 positions of the others that count, ascending.
        groups: The values of a factor that are held out, where whole groups are.

    Example:
        >>> split = Split("base_model=sd", np.array([2, 3, 4]), np.array([0, 1]), groups=("sd",))
        >>> len(split.search), split.held_out.tolist()
        (3, [0, 1])

    """

    name: str
    search: NDArray[np.int64]
    held_out: NDArray[np.int64]
    groups: tuple[str, ...] = ()


def make_splits(
    spec: object, table: ScoreTable, *, given: Sequence[str] | None = None
) -> tuple[Split, ...]:
    """Read a description of splits.

    Args:
        spec: One of

            - `random:10` - ten random halves, seeds 0 to 9; `random:30@1000` starts at seed 1000.
              Seed k's search variants are the first half of
              `numpy.random.default_rng(k).permutation(n)`.
            - `sample:12x10` - ten times 12 search variants drawn at random (`@seed` as above).
            - `group:base_model` - leave one value of a factor out at a time; `group:base_model:2`
              leaves every pair of values out.
            - `value:precision=_6,_8` - one split that holds out all variants with these values.
            - a JSON file, or a list: the search variants, by name or by position.
            - a mapping {"search": [...], "held_out": [...]}; `held_out` defaults to the rest.
            - a `Split`, or a sequence that mixes any of the forms above.
        table: The table whose variants are parted, all of them complete.
        given: Names of the variants before incomplete ones were left out; `table`'s by default.
            Lists of names and positions refer to these, and those left out are passed over.

    Returns:
        At least one split; in each both sides have at least two variants.

    Raises:
        SettingError: The description cannot be read or leaves a side with too few variants.
        DataError: A file or a name that is not there.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> splits = make_splits("group:scheduler", synthetic_scores(24, 10))
        >>> [(split.name, len(split.search), len(split.held_out)) for split in splits]
        [('scheduler=DDIM', 16, 8), ('scheduler=PNDM', 16, 8), ('scheduler=DPM', 16, 8)]

    """
    splits = _Reader(table, given).read(spec)
    if not splits:
        raise SettingError(f"splits={spec}: no split is left; ask for at least 1")
    for split in splits:
        _check(split, len(table))
    return _with_distinct_names(splits)


def describe_splits(spec: object) -> str:
    """Name a description of splits as evidence shows it: short, and without folders.

    Example:
        >>> describe_splits("random:10"), describe_splits("lists/official.json")
        ('random:10', 'official.json')

    """
    if isinstance(spec, Path) or (isinstance(spec, str) and spec.endswith(".json")):
        return Path(spec).name
    return spec if isinstance(spec, str) else "explicit"


def _check(split: Split, n_variants: int) -> None:
    for side, members in (("search", split.search), ("held-out", split.held_out)):
        if len(members) < 2:
            raise SettingError(
                f"split '{split.name}' leaves {len(members)} {side} variants of {n_variants}; "
                "each side needs at least 2: use other splits, or splits=null to search without "
                "held-out evidence"
            )
        if members[0] < 0 or members[-1] >= n_variants or (np.diff(members) <= 0).any():
            raise SettingError(
                f"split '{split.name}': the {side} variants must be positions from 0 to "
                f"{n_variants - 1}, ascending and each once"
            )
    both = np.intersect1d(split.search, split.held_out)
    if both.size:
        raise SettingError(
            f"split '{split.name}': variant number {both[0] + 1} is on both sides; "
            "a held-out variant must not be searched"
        )


def _with_distinct_names(splits: Sequence[Split]) -> tuple[Split, ...]:
    """Put a number to splits that share a name, so that evidence can tell them apart."""
    counts = Counter(split.name for split in splits)
    seen: Counter[str] = Counter()
    named = []
    for split in splits:
        seen[split.name] += 1
        name = split.name if counts[split.name] == 1 else f"{split.name} {seen[split.name]}"
        named.append(replace(split, name=name))
    return tuple(named)


class _Reader:
    """Reads descriptions of splits of one table."""

    def __init__(self, table: ScoreTable, given: Sequence[str] | None) -> None:
        self.table = table
        self.given = tuple(table.variant_names if given is None else given)
        self.rows = {name: row for row, name in enumerate(table.variant_names)}

    def read(self, spec: object) -> list[Split]:
        if isinstance(spec, np.ndarray):
            spec = spec.tolist()
        if isinstance(spec, Split):
            return [spec]
        if isinstance(spec, Mapping):
            return [self.explicit(spec)]
        if isinstance(spec, Path):
            return self.file(spec)
        if isinstance(spec, str):
            return self.text(spec)
        if isinstance(spec, Sequence) and len(spec):
            if self.is_list_of_variants(spec):
                return [self.explicit({"search": spec})]
            return [split for entry in spec for split in self.read(entry)]
        raise SettingError(f"splits={spec!r}: expected a text such as random:10, a list or a file")

    def is_list_of_variants(self, entries: Sequence[object]) -> bool:
        if all(isinstance(entry, str) for entry in entries):
            return any(entry in self.given for entry in entries)
        return all(isinstance(entry, int) for entry in entries)

    def text(self, text: str) -> list[Split]:
        kind, _, rest = text.partition(":")
        readers = {
            "random": self.halves,
            "sample": self.samples,
            "group": self.groups,
            "value": self.value,
        }
        if kind in readers and rest:
            return readers[kind](rest)
        if text.endswith(".json"):
            return self.file(Path(text))
        raise SettingError(
            f"splits={text}: expected random:10, sample:12x10, group:FACTOR, group:FACTOR:2, "
            f"value:FACTOR=VALUE or a .json file of search variants{nearest(kind, readers)}"
        )

    def halves(self, rest: str) -> list[Split]:
        count, _, seed = rest.partition("@")
        n, spec = len(self.table), f"random:{rest}"
        return [
            _drawn(f"random:{k}", k, n, n // 2)
            for k in _seeds(_number(count, spec), _number(seed or "0", spec))
        ]

    def samples(self, rest: str) -> list[Split]:
        form, _, seed = rest.partition("@")
        size_text, _, count = form.partition("x")
        spec = f"sample:{rest}"
        size = _number(size_text, spec)
        return [
            _drawn(f"sample:{size}:{k}", k, len(self.table), size)
            for k in _seeds(_number(count or "1", spec), _number(seed or "0", spec))
        ]

    def groups(self, rest: str) -> list[Split]:
        factor, _, count = rest.partition(":")
        values = self.table.factor(factor)
        distinct = list(dict.fromkeys(values))
        leave = _number(count or "1", f"group:{rest}")
        if not 1 <= leave < len(distinct):
            raise SettingError(
                f"splits=group:{rest}: '{factor}' has {len(distinct)} values "
                f"({', '.join(map(str, distinct[:6]))}); leave out at least 1 and fewer than all"
            )
        return [
            _holding_out([value in out for value in values], factor, [str(value) for value in out])
            for out in combinations(distinct, leave)
        ]

    def value(self, rest: str) -> list[Split]:
        factor, _, wanted_text = rest.partition("=")
        values = [str(value) for value in self.table.factor(factor)]
        wanted = wanted_text.split(",")
        for value in wanted:
            if value not in values:
                raise SettingError(
                    f"splits=value:{rest}: no variant has {factor}={value}; there are: "
                    f"{', '.join(dict.fromkeys(values))}{nearest(value, values)}"
                )
        return [_holding_out([value in wanted for value in values], factor, wanted)]

    def file(self, path: Path) -> list[Split]:
        content = read_json(path)
        entries = content if isinstance(content, list) else [content]
        if entries and all(isinstance(entry, int | str) for entry in entries):
            return [self.explicit({"search": entries}, path.stem)]
        if not all(isinstance(entry, Mapping | list) for entry in entries):
            raise DataError(
                f"{path}: expected a JSON list of variants, by name or position, or a mapping "
                "with the keys search and held_out, or a list of such entries"
            )
        return [
            self.explicit(entry if isinstance(entry, Mapping) else {"search": entry}, path.stem)
            for entry in entries
        ]

    def explicit(self, sides: Mapping[str, object], name: str = "explicit") -> Split:
        for key in sides:
            if key not in _SIDES:
                raise SettingError(
                    f"splits: an explicit split has no '{key}', only {', '.join(_SIDES)}"
                    f"{nearest(str(key), _SIDES)}"
                )
        if "search" not in sides:
            raise SettingError("splits: an explicit split needs 'search', a list of variants")
        search = self.positions(sides["search"])
        if sides.get("held_out") is None:
            held_out = np.setdiff1d(np.arange(len(self.table)), search)
        else:
            held_out = self.positions(sides["held_out"])
        return Split(str(sides.get("name", name)), search, held_out)

    def positions(self, entries: object) -> NDArray[np.int64]:
        """Rows of the variants that are named or counted, less those that were left out."""
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise SettingError(f"splits: expected a list of variants, got {entries!r}")
        rows = [self.rows[name] for name in map(self.name_of, entries) if name in self.rows]
        return np.unique(np.asarray(rows, dtype=np.int64))

    def name_of(self, entry: object) -> str:
        if isinstance(entry, str):
            if entry not in self.given:
                raise DataError(
                    f"splits: no variant is named '{entry}'{nearest(entry, self.given)}"
                )
            return entry
        if isinstance(entry, int) and 0 <= entry < len(self.given):
            return self.given[entry]
        raise DataError(
            f"splits: {entry!r} is neither a variant's name nor a position from 0 to "
            f"{len(self.given) - 1}"
        )


def _number(text: str, spec: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise SettingError(f"splits={spec}: '{text}' is not a whole number")
    return int(text)


def _seeds(count: int, first: int) -> range:
    return range(first, first + count)


def _drawn(name: str, seed: int, n: int, size: int) -> Split:
    order = np.random.default_rng(seed).permutation(n)
    return Split(name, np.sort(order[:size]), np.sort(order[size:]))


def _holding_out(mask: Sequence[bool], factor: str, groups: Sequence[str]) -> Split:
    out = np.asarray(mask, dtype=bool)
    name = f"{factor}={'+'.join(groups)}"
    return Split(name, np.flatnonzero(~out), np.flatnonzero(out), tuple(groups))
