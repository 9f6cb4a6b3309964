"""Reading a population from a YAML file, a shipped name, settings or Python objects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flasheval.base.errors import DataError, SettingError
from flasheval.base.resources import conf_dir
from flasheval.base.suggest import nearest
from flasheval.base.yaml_files import read_yaml
from flasheval.generators.generator import GeneratorSettings
from flasheval.generators.populations.population import Population, make_population
from flasheval.generators.populations.recipe import Recipe
from flasheval.generators.python_objects import ObjectSettings
from flasheval.generators.variants import Variant

__all__ = ["population_file", "population_settings", "read_population"]

_SUFFIXES = (".yaml", ".yml")


def read_population(source: Population | Mapping[str, Any] | str | Path) -> Population:
    """Return the population that a file, a name, settings or Python objects describe.

    A mapping of names to functions ``(prompts, seeds) -> images`` or to loaded diffusers pipelines
    gives one variant each. Raises FlashevalError when ``source`` cannot be read.

    >>> def grey(prompts, seeds):
    ...     return [None for _ in prompts]
    >>> population = read_population({"grey": grey})
    >>> [recipe.name for recipe in population.recipes]
    ['grey']
    >>> len(read_population("miniature").recipes)
    64
    """
    if isinstance(source, Population):
        return source
    if isinstance(source, str | Path):
        return make_population(population_settings(population_file(source)))
    if source and not any(_plain(value) for value in source.values()):
        return _of_objects(source)
    return make_population(source)


def population_file(source: str | Path) -> Path:
    """Return the YAML file of a population, given by its path or by the name of a shipped one.

    Raises SettingError, listing the shipped ones, for an unknown name.

    >>> population_file("miniature").name, population_file("mine.yaml").name
    ('miniature.yaml', 'mine.yaml')
    """
    path = Path(source)
    if path.suffix.lower() in _SUFFIXES:
        return path
    folder = conf_dir() / "population"
    names = [file.stem for file in sorted(folder.glob("*.yaml"))]
    if str(source) in names:
        return folder / f"{source}.yaml"
    raise SettingError(
        f"there is no population {str(source)!r}; there are: {', '.join(names)}, or give a YAML "
        f"file{nearest(str(source), names)}"
    )


def population_settings(path: Path) -> dict[str, Any]:
    """Return the settings in a population's YAML file. Raises DataError when it holds none.

    >>> settings = population_settings(population_file("flasheval78"))
    >>> settings["name"]
    'flasheval78'
    """
    found = read_yaml(path, "population file")
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected settings such as grid: and base_models:")
    return {str(key): value for key, value in found.items()}


def _plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | list | tuple | Mapping)


def _of_objects(objects: Mapping[str, Any]) -> Population:
    recipes = []
    for name, value in objects.items():
        generator = value if isinstance(value, GeneratorSettings) else ObjectSettings(value)
        recipes.append(Recipe(Variant(str(name), generator.factors()), generator))
    return Population("population", tuple(recipes))
