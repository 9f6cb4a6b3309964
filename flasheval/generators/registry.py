"""The kinds of generators by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from flasheval.base.errors import SettingError
from flasheval.base.registry import Registry
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.function import FunctionSettings
from flasheval.generators.gan import GanSettings
from flasheval.generators.generator import GeneratorSettings
from flasheval.generators.image_folder import ImageFolderSettings

__all__ = ["DEFAULT_GENERATOR", "GENERATORS", "generator_keys", "make_generator"]

GENERATORS: Registry[GeneratorSettings] = Registry(
    "generator",
    "flasheval.generators",
    GeneratorSettings,
    [DiffusersSettings, GanSettings, FunctionSettings, ImageFolderSettings],
    key="kind",
)
"""The settings of every kind of generator that plain data can describe."""

DEFAULT_GENERATOR = "diffusers"
"""The kind that settings are of where they name none."""


def generator_keys(kind: str) -> tuple[str, ...]:
    """Return the keys of a kind's settings, in order.

    Raises SettingError when there is no such kind.

    >>> generator_keys("images")
    ('folder', 'map', 'pattern', 'family')
    """
    return tuple(field.name for field in fields(GENERATORS[kind]))


def make_generator(
    kind: object, settings: Mapping[str, object] | None, source: str
) -> GeneratorSettings:
    """Return the settings of a generator of some kind, checked; nothing is loaded.

    Args:
        kind: The kind, such as ``diffusers``, ``gan``, ``function`` or ``images``; or settings
            already made.
        settings: Its keys and their values, as plain data.
        source: The owner of the settings, for messages, such as ``variant 'sd15/DDIM10'``.

    Raises:
        SettingError: No such kind, a key it does not have, lacks, or a value that cannot be.

    >>> make_generator("images", {"folder": "out"}, "variant 'a'").factors()
    {'family': 'images'}
    >>> make_generator("images", {"foldr": "out"}, "variant 'a'")
    Traceback (most recent call last):
    flasheval.base.errors.SettingError: variant 'a': generator 'images' has no setting 'foldr'; \
it has: folder, map, pattern, family; did you mean 'folder'?

    """
    try:
        return GENERATORS.make(kind, settings)
    except SettingError as error:
        raise SettingError(f"{source}: {error}") from error
