"""Telling which variants differ in name only, and which of their settings did nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flasheval.generators.generator import GeneratorSettings
from flasheval.generators.populations.recipe import Recipe
from flasheval.generators.without_effect import is_warning

__all__ = ["Seen", "same_images", "setting_lines"]

_NAMED = 5  # variants in one line
_LINES = 20
_HAVE = " have no effect"


@dataclass
class Seen:
    """What was seen while a run's images were made.

    Attributes:
        images: A hash of a variant's first images of each unit: ``{variant: {unit: hash}}``, where
            the unit is named by its prompts.
        remarks: Settings that a pipeline said change nothing: ``{variant: {setting: reason}}``.

    """

    images: dict[str, dict[str, str]] = field(default_factory=dict)
    remarks: dict[str, dict[str, str]] = field(default_factory=dict)

    def note(self, variant: str, unit: str, images: object, remarks: object) -> None:
        """Add the hash and the remarks that a unit's record holds; what it lacks is left out."""
        if isinstance(images, str):
            self.images.setdefault(variant, {})[unit] = images
        if isinstance(remarks, Mapping):
            told = self.remarks.setdefault(variant, {})
            told.update({str(setting): str(reason) for setting, reason in remarks.items()})


def setting_lines(recipes: Iterable[Recipe], seen: Seen) -> list[str]:
    """Return one line for each setting that did nothing, with the variants and the reason.

    Equal images are the surest sign; then what the settings say, and what pipelines warned of. A
    reason is dropped where a variant that differs in that setting alone made other images.

    Args:
        recipes: The variants, in the run's order.
        seen: What was seen of their images.

    >>> from flasheval.generators.function import FunctionSettings
    >>> from flasheval.generators.variants import Variant
    >>> recipes = [Recipe(Variant(n), FunctionSettings("m:f", version=n)) for n in "ab"]
    >>> setting_lines(recipes, Seen({"a": {"u1": "f00d"}, "b": {"u1": "f00d"}}))
    ['a and b made the same images: version had no effect']

    """
    known = {recipe.name: recipe for recipe in recipes}
    settings = {name: _flat(recipe.generator) for name, recipe in known.items()}
    told = {
        name: {**seen.remarks.get(name, {}), **recipe.generator.without_effect()}
        for name, recipe in known.items()
    }
    lines, covered = [], set()
    for group in same_images(seen.images, list(known)):
        keys = _differing([settings[name] for name in group])
        covered |= {(name, key) for name in group for key in keys}
        reasons = {told[name][key]: None for key in keys for name in group if key in told[name]}
        lines.append(_same(group, keys, list(reasons)))
    shared: dict[tuple[str, str], list[str]] = {}
    for name, reasons_of in told.items():
        for key, reason in reasons_of.items():
            if (name, key) not in covered and not _refuted(name, key, settings, seen):
                shared.setdefault((key, reason), []).append(name)
    joined: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (key, reason), names in shared.items():
        joined.setdefault((reason, tuple(names)), []).append(key)
    for (reason, group), keys in joined.items():
        lacks = "" if is_warning(reason) else " has no effect" if len(keys) == 1 else _HAVE
        lines.append(f"{_and(keys)}{lacks} in {_and(group)}: {reason}")
    more = len(lines) - _LINES
    return [*lines[:_LINES], f"{more} more settings have no effect"] if more > 0 else lines


def same_images(
    images: Mapping[str, Mapping[str, str]], names: Sequence[str]
) -> list[tuple[str, ...]]:
    """Return the groups of variants whose images are equal in every unit that both have.

    >>> same_images({"a": {"1": "x", "2": "y"}, "b": {"1": "x"}, "c": {"1": "z"}}, ["a", "b", "c"])
    [('a', 'b')]
    """
    groups: list[list[str]] = []
    for name in names:
        if not images.get(name):
            continue
        for group in groups:
            if all(_equal(images[name], images[one]) for one in group):
                group.append(name)
                break
        else:
            groups.append([name])
    return [tuple(group) for group in groups if len(group) > 1]


def _equal(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    shared = one.keys() & other.keys()
    return bool(shared) and all(one[unit] == other[unit] for unit in shared)


def _refuted(name: str, key: str, settings: Mapping[str, Mapping[str, object]], seen: Seen) -> bool:
    """Tell whether a variant that differs in this setting alone made other images."""
    mine = seen.images.get(name, {})
    for other, theirs in seen.images.items():
        if other not in settings or not mine.keys() & theirs.keys() or _equal(mine, theirs):
            continue
        if _differing([settings[name], settings[other]]) == [key]:
            return True
    return False


def _same(group: Sequence[str], keys: Sequence[str], reasons: Sequence[str]) -> str:
    why = f" ({'; '.join(reasons)})" if reasons else ""
    said = f"{_and(keys)} had no effect{why}" if keys else "their settings are the same"
    return f"{_and(group)} made the same images: {said}"


def _flat(settings: GeneratorSettings) -> dict[str, object]:
    """Return settings by name, those in a mapping as ``options.eta``."""
    if not dataclasses.is_dataclass(settings):
        return {}
    found: dict[str, object] = {}
    for one in dataclasses.fields(settings):
        value = getattr(settings, one.name)
        if isinstance(value, Mapping):
            found |= {f"{one.name}.{key}": item for key, item in value.items()}
        else:
            found[one.name] = value
    return found


def _differing(some: Sequence[Mapping[str, object]]) -> list[str]:
    keys = dict.fromkeys(key for one in some for key in one)
    return [key for key in keys if any(one.get(key) != some[0].get(key) for one in some[1:])]


def _and(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        names = [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
