"""A population from settings: grids over checkpoints, schedulers, ..., and single variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flasheval.base.errors import SettingError
from flasheval.base.suggest import nearest
from flasheval.generators.populations.grid import Entry, expand_grids
from flasheval.generators.populations.labels import labelled
from flasheval.generators.populations.recipe import Recipe
from flasheval.generators.registry import DEFAULT_GENERATOR, make_generator
from flasheval.generators.variants import Variant

__all__ = ["Population", "make_population", "recipe_of"]

_KEYS = ("name", "label", "settings", "base_models", "grid", "exclude", "variants", "scores")
_OWN = ("name", "generator", "base_model", "factors")


@dataclass(frozen=True)
class Population:
    """A named set of variants to measure.

    Attributes:
        name: The population's name.
        recipes: How each variant's images are made.
        tables: Existing score tables, as `flasheval.load_scores` reads them, to take variants from.
        entries: The plain settings each recipe came from, in the same order.

    >>> settings = {"generator": "images", "folder": "out"}
    >>> population = make_population({"name": "two", "settings": settings, "label": "{base_model}",
    ...                               "grid": [{"base_model": ["a", "b"]}]})
    >>> population.name, len(population.recipes), population.entries[1]["name"]
    ('two', 2, 'b')

    """

    name: str
    recipes: tuple[Recipe, ...]
    tables: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


def make_population(settings: Mapping[str, Any]) -> Population:
    """Return the population that settings describe.

    Args:
        settings: Keys ``name``, ``label``, ``settings``, ``base_models``, ``grid``, ``exclude``,
            ``variants`` and ``scores``; the files in `conf/population/` explain them.

    Raises:
        SettingError: An unknown key, a bad value, or two variants of one name.

    >>> population = make_population({
    ...     "settings": {"generator": "function", "function": "math:hypot", "version": "1"},
    ...     "grid": [{"base_model": ["a", "b"]}], "base_models": {"a": {}, "b": {}}})
    >>> [recipe.name for recipe in population.recipes]
    ['a', 'b']

    """
    _check_keys(settings)
    shared = _mapping(settings, "settings")
    models = {str(key): value or {} for key, value in _mapping(settings, "base_models").items()}
    gridded = expand_grids(_list(settings, "grid"), _list(settings, "exclude"))
    single = [_single(value, i) for i, value in enumerate(_list(settings, "variants"))]
    entries = [_complete(entry, shared, models) for entry in [*gridded, *single]]
    tables = tuple(str(table) for table in _list(settings, "scores"))
    if not entries and not tables:
        raise SettingError(
            "the population is empty: give population.grid, population.variants or "
            "population.scores"
        )
    entries = labelled(entries, settings.get("label"))
    recipes = tuple(recipe_of(entry) for entry in entries)
    return Population(str(settings.get("name") or "population"), recipes, tables, tuple(entries))


def recipe_of(entry: Mapping[str, Any]) -> Recipe:
    """Return the recipe of one complete entry, which includes ``name`` and ``generator``.

    Raises SettingError or DataError naming the variant.

    >>> entry = {"name": "a", "generator": "images", "folder": "out", "base_model": "sd15"}
    >>> recipe = recipe_of(entry)
    >>> recipe.name, dict(recipe.variant.factors)
    ('a', {'base_model': 'sd15', 'family': 'images'})
    """
    name = str(entry["name"])
    source = f"variant {name!r}"
    kept = {key: value for key, value in entry.items() if key not in _OWN}
    generator = make_generator(entry.get("generator", DEFAULT_GENERATOR), kept, source)
    factors: dict[str, Any] = {}
    if entry.get("base_model") is not None:
        factors["base_model"] = entry["base_model"]
    factors |= generator.factors()
    more = entry.get("factors") or {}
    if not isinstance(more, Mapping):
        raise SettingError(f"{source}: factors is {more!r}; expected a mapping such as {{size: 2}}")
    return Recipe(Variant(name, {**factors, **more}), generator)


def _check_keys(settings: Mapping[str, Any]) -> None:
    for key in settings:
        if key not in _KEYS:
            raise SettingError(
                f"population.{key} is not a key; there are: {', '.join(_KEYS)}"
                f"{nearest(str(key), _KEYS)}"
            )


def _mapping(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = settings.get(key) or {}
    if not isinstance(value, Mapping):
        raise SettingError(f"population.{key} is {value!r}; expected a mapping")
    return value


def _list(settings: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = settings.get(key) or []
    if not isinstance(value, list | tuple):
        value = [value]
    return value


def _single(value: object, number: int) -> Entry:
    if not isinstance(value, Mapping):
        raise SettingError(
            f"population.variants[{number}] is {value!r}; expected a mapping of settings"
        )
    return {str(key): item for key, item in value.items()}


def _complete(entry: Entry, shared: Mapping[str, Any], models: Mapping[str, Any]) -> Entry:
    """Return an entry with the settings of all variants and those of its base model."""
    model = entry.get("base_model", shared.get("base_model"))
    known: Mapping[str, Any] = {}
    if model is not None and models:
        if str(model) not in models:
            raise SettingError(
                f"base_model {model!r} is not in population.base_models; there are: "
                f"{', '.join(models)}{nearest(str(model), models)}"
            )
        known = models[str(model)]
        if not isinstance(known, Mapping):
            raise SettingError(
                f"population.base_models.{model} is {known!r}; expected a mapping such as "
                "{checkpoint: FOLDER}"
            )
    whole = {**shared, **known, **entry}
    if whole.get("base_model") is None and whole.get("checkpoint"):
        whole["base_model"] = Path(str(whole["checkpoint"])).name
    return whole
