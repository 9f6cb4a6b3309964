"""Ways to part a population into variants the search sees and variants it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flasheval.base.drawing.brief import Brief
from flasheval.base.errors import DataError, SettingError
from flasheval.base.json_data import read_json
from flasheval.base.suggest import nearest
from flasheval.base.text import first_few
from flasheval.scores import ScoreTable
from flasheval.selection.images import (
    ImageUse,
    check_several_images,
    first_images,
    image_halves,
    lacking_images,
)

__all__ = [
    "OTHER_SEEDS",
    "Split",
    "describe_splits",
    "held_out_apart",
    "make_splits",
    "on_other_seeds",
    "split_once",
    "with_images_used",
]

_SIDES = ("search", "held_out", "name")
_SEEDS = "seeds"
OTHER_SEEDS = f"+{_SEEDS}"
"""What a description ends with whose subsets are judged by images of other seeds."""


@dataclass(frozen=True, repr=False)
class Split(Brief):
    """One parting of a table's variants.

    Attributes:
        name: For example `random:3` or `base_model=sd-1.5`.
        search: int64 positions of the variants a search may see, ascending.
        held_out: int64 positions of the others that count, ascending.
        groups: The values of a factor that are held out, where whole groups are.
        note: What must be said of it, such as a twin that it would have put on the other side.
        images: Which images the search sees and which count for the variants held out; None where
            all count on both sides.

    Example:
        >>> split = Split("base_model=sd", np.array([2, 3, 4]), np.array([0, 1]), groups=("sd",))
        >>> len(split.search), split.held_out.tolist()
        (3, [0, 1])

    """

    name: str
    search: NDArray[np.int64]
    held_out: NDArray[np.int64]
    groups: tuple[str, ...] = ()
    note: str = ""
    images: ImageUse | None = field(default=None, repr=False)

    @property
    def other_seeds(self) -> bool:
        """Whether the subset is judged by images that the search did not see.

        >>> Split("random:0", np.arange(2), np.arange(2, 4)).other_seeds
        False
        """
        return self.images is not None and self.images.other_seeds


def make_splits(
    spec: object,
    table: ScoreTable,
    *,
    given: Sequence[str] | None = None,
    twins: NDArray[np.int64] | None = None,
) -> tuple[Split, ...]:
    """Read a description of splits.

    Variants with the same scores (twins) never stand on both sides: what is drawn at random is
    drawn as if each group of twins were one variant. Where a description parts twins, the side
    that it names keeps them (the search variants of a list, the held-out ones of `group` and
    `value`), the other loses them, and the split's `note` says so.

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
            - any of these texts with `+seeds`, such as `random:10+seeds`: the search sees the first
              half of each prompt's images, and the subset is judged by the others, whose seeds are
              others. `seeds` alone searches all variants and judges them by their other images.
            - a mapping {"search": [...], "held_out": [...]}; `held_out` defaults to the rest.
            - a `Split`, or a sequence that mixes any of the forms above.
        table: The table whose variants are parted, all of them complete.
        given: Names of the variants before incomplete ones were left out; `table`'s by default.
            Lists of names and positions refer to these, and those left out are passed over.
        twins: For each variant the row of the first with the same scores; `table.first_of_twins`
            by default.

    Returns:
        At least one split; in each both sides have at least two variants, twins counted once.

    Raises:
        SettingError: The description cannot be read, leaves a side with too few variants, or asks
            for other seeds where the scores have one image a prompt.
        DataError: A file or a name that is not there.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> splits = make_splits("group:scheduler", synthetic_scores(24, 10))
        >>> [(split.name, len(split.search), len(split.held_out)) for split in splits]
        [('scheduler=DDIM', 16, 8), ('scheduler=PNDM', 16, 8), ('scheduler=DPM', 16, 8)]

    """
    first = table.first_of_twins if twins is None else twins
    splits = _Reader(table, given, first).read(spec)
    if not splits:
        raise SettingError(f"splits={spec}: no split is left; ask for at least 1")
    for split in splits:
        _check(split, first)
    return _with_distinct_names(splits)


def split_once(split: Split, twins: NDArray[np.int64]) -> Split:
    """Return a split of the table that has only the first of each group of twins.

    Args:
        split: A split of all variants.
        twins: For each variant the row of the first with the same scores.

    Example:
        >>> split_once(Split("a", np.array([1, 3]), np.array([0, 2])), np.array([0, 1, 0, 3]))
        Split(name='a', search=<int64 [2]>, held_out=<int64 [1]>, groups=(), note='')

    """
    rank = np.cumsum(twins == np.arange(len(twins))) - 1
    search, held_out = (np.unique(rank[twins[side]]) for side in (split.search, split.held_out))
    return replace(split, search=search, held_out=held_out)


def describe_splits(spec: object) -> str:
    """Name a description of splits as evidence shows it: short, and without folders.

    Example:
        >>> describe_splits("random:10"), describe_splits("lists/official.json")
        ('random:10', 'official.json')

    """
    file = isinstance(spec, str) and spec.removesuffix(OTHER_SEEDS).endswith(".json")
    if isinstance(spec, Path) or (isinstance(spec, str) and file):
        return Path(spec).name
    return spec if isinstance(spec, str) else "explicit"


def on_other_seeds(split: Split, table: ScoreTable) -> Split:
    """Return a split whose search sees half of each prompt's images, and is judged by the others.

    Variants that have none of one half's images of some prompt are left out, which `note` says.

    Args:
        split: A split of the table.
        table: Scores with several images a prompt.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(4, 10, images=3)
        >>> found = on_other_seeds(Split("random:0", np.arange(2), np.arange(2, 4)), table)
        >>> found.name, found.images
        ('random:0+seeds', ImageUse(searched=(0, 1), judged=(2,)))

    """
    name = split.name if split.name == _SEEDS else split.name + OTHER_SEEDS
    return _with_images(replace(split, name=name), table, image_halves(table.images_per_prompt))


def with_images_used(split: Split, table: ScoreTable, used: int | None) -> Split:
    """Return a split judged by as many images a prompt as the subset is to be used with.

    Args:
        split: A split of the table.
        table: The scores.
        used: Images a prompt; None for all that there are.

    Example:
        >>> from flasheval.scores.synthetic import synthetic_scores
        >>> table = synthetic_scores(4, 10, images=4)
        >>> plain = Split("random:0", np.arange(2), np.arange(2, 4))
        >>> with_images_used(plain, table, 2).images
        ImageUse(searched=None, judged=(0, 1))
        >>> with_images_used(on_other_seeds(plain, table), table, 1).images
        ImageUse(searched=(0, 1), judged=(2,))

    """
    if used is None:
        return split
    if split.images is not None:
        judged = split.images.judged[:used]
        return replace(split, images=replace(split.images, judged=judged))
    use = first_images(table.images_per_prompt, used)
    return split if use is None else _with_images(split, table, use)


def _with_images(split: Split, table: ScoreTable, use: ImageUse) -> Split:
    """Give a split its images, and take out the variants that lack some."""
    lacking = lacking_images(table, use)
    lost = [table.variant_names[row] for row in np.flatnonzero(lacking)]
    notes = [split.note] if split.note else []
    if lost:
        some = first_few(lost)
        notes.append(f"split '{split.name}': {some} left out: images of some prompts are missing")
    return replace(
        split,
        search=split.search[~lacking[split.search]],
        held_out=split.held_out[~lacking[split.held_out]],
        note="; ".join(notes),
        images=use,
    )


def _check(split: Split, twins: NDArray[np.int64]) -> None:
    n = len(twins)
    for side, members in (("search", split.search), ("held-out", split.held_out)):
        if len(members) and (members[0] < 0 or members[-1] >= n or (np.diff(members) <= 0).any()):
            raise SettingError(
                f"split '{split.name}': the {side} variants must be positions from 0 to "
                f"{n - 1}, ascending and each once"
            )
        count = len(np.unique(twins[members]))
        if count < 2:
            distinct = len(np.unique(twins))
            raise SettingError(
                f"split '{split.name}' leaves {count} {side} variants of {distinct}; "
                "each side needs at least 2: use other splits, or splits=null to search without "
                "held-out evidence"
            )
    both = np.intersect1d(split.search, split.held_out)
    if both.size and not split.other_seeds:
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

    def __init__(
        self, table: ScoreTable, given: Sequence[str] | None, first: NDArray[np.int64]
    ) -> None:
        self.table = table
        self.first = first
        self.distinct = np.unique(first)
        self.given = tuple(table.variant_names if given is None else given)
        self.rows = {name: row for row, name in enumerate(table.variant_names)}

    def read(self, spec: object) -> list[Split]:
        if isinstance(spec, np.ndarray):
            spec = spec.tolist()
        if isinstance(spec, Split):
            return [self.apart(spec)]
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
        if text == _SEEDS or text.endswith(OTHER_SEEDS):
            return self.seeds(text)
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
            f"value:FACTOR=VALUE, one of these with {OTHER_SEEDS}, {_SEEDS}, or a .json file of "
            f"search variants{nearest(kind, readers)}"
        )

    def seeds(self, text: str) -> list[Split]:
        """Read a description of splits whose subsets are judged by other images."""
        base = text.removesuffix(OTHER_SEEDS) if text != _SEEDS else ""
        if base.endswith(_SEEDS) or (text != _SEEDS and not base):
            raise SettingError(
                f"splits={text}: expected {_SEEDS} alone, or once behind other splits, such as "
                f"random:10{OTHER_SEEDS}"
            )
        check_several_images(self.table, f"splits={text}", f"use splits={base or 'random:10'}")
        every = np.arange(len(self.table))
        note = f"{_SEEDS}: every variant was searched, so this shows other seeds, not new variants"
        splits = self.text(base) if base else [Split(_SEEDS, every, every, note=note)]
        return [on_other_seeds(split, self.table) for split in splits]

    def halves(self, rest: str) -> list[Split]:
        count, _, seed = rest.partition("@")
        spec, size = f"random:{rest}", len(self.distinct) // 2
        return [
            self.drawn(f"random:{k}", k, size)
            for k in _seeds(_number(count, spec), _number(seed or "0", spec))
        ]

    def samples(self, rest: str) -> list[Split]:
        form, _, seed = rest.partition("@")
        size_text, _, count = form.partition("x")
        spec = f"sample:{rest}"
        size = _number(size_text, spec)
        return [
            self.drawn(f"sample:{size}:{k}", k, size)
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
            self.holding_out(
                [value in out for value in values], factor, [str(value) for value in out]
            )
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
        return [self.holding_out([value in wanted for value in values], factor, wanted)]

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
        return self.apart(Split(str(sides.get("name", name)), search, held_out))

    def apart(self, split: Split) -> Split:
        """Take twins of search variants out of those held out."""
        if not _within(split, len(self.first)):  # refused later
            return split
        twin = ~np.isin(split.held_out, split.search)
        twin &= np.isin(self.first[split.held_out], self.first[split.search])
        lost = split.held_out[twin]
        return replace(split, held_out=split.held_out[~twin], note=self.note(split.name, lost))

    def drawn(self, name: str, seed: int, size: int) -> Split:
        """Draw search variants at random, twins together."""
        order = np.random.default_rng(seed).permutation(len(self.distinct))
        search = np.isin(self.first, self.distinct[order[:size]])
        return Split(name, np.flatnonzero(search), np.flatnonzero(~search))

    def holding_out(self, mask: Sequence[bool], factor: str, groups: Sequence[str]) -> Split:
        """Hold the marked variants out, and take their twins out of the others."""
        name = f"{factor}={'+'.join(groups)}"
        return held_out_apart(mask, name, groups, self.table, self.first)

    def note(self, name: str, lost: NDArray[np.int64]) -> str:
        return _parted(name, [self.table.variant_names[row] for row in lost], "searched")

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


def held_out_apart(
    mask: Sequence[bool],
    name: str,
    groups: Sequence[str],
    table: ScoreTable,
    twins: NDArray[np.int64],
) -> Split:
    """Return the split that holds the marked variants out, without their twins among the others.

    >>> from flasheval.scores.synthetic import synthetic_scores
    >>> table = synthetic_scores(4, 10)
    >>> held_out_apart([True, False, False, False], "a", ["a"], table, np.array([0, 1, 2, 0])).note
    "split 'a': delta/DDIM10 left out of the search, as it is held out under another name"
    """
    out = np.asarray(mask, dtype=bool)
    twin = ~out & np.isin(twins, twins[out])
    lost = [table.variant_names[row] for row in np.flatnonzero(twin)]
    note = _parted(name, lost, "held out")
    return Split(name, np.flatnonzero(~out & ~twin), np.flatnonzero(out), tuple(groups), note)


def _parted(name: str, lost: Sequence[str], kept: str) -> str:
    if not lost:
        return ""
    where = "those held out" if kept == "searched" else "the search"
    some = first_few(lost)
    they = "it is" if len(lost) == 1 else "they are"
    return f"split '{name}': {some} left out of {where}, as {they} {kept} under another name"


def _within(split: Split, n: int) -> bool:
    members = np.concatenate([split.search, split.held_out])
    return bool(((members >= 0) & (members < n)).all())
