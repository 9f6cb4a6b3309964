"""The kinds of generators by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from flasheval.base.errors import SettingError
from flasheval.base.json_data import from_plain
from flasheval.base.suggest import nearest
from flasheval.generators.diffusers_settings import DiffusersSettings
from flasheval.generators.function import FunctionSettings
from flasheval.generators.gan import GanSettings
from flasheval.generators.generator import GeneratorSettings
from flasheval.generators.image_folder import ImageFolderSettings

__all__ = ["GENERATORS", "generator_keys", "make_generator"]

GENERATORS: dict[str, type[Any]] = {
    settings.kind: settings
    for settings in (DiffusersSettings, GanSettings, FunctionSettings, ImageFolderSettings)
}
"""The settings of every kind of generator that plain data can describe."""


def generator_keys(kind: str) -> tuple[str, ...]:
    """Return the keys of a kind's settings, in order.

    Raises SettingError when there is no such kind.

    >>> generator_keys("images")
    ('folder', 'map', 'pattern', 'family')
    """
    return tuple(field.name for field in fields(_settings_of(kind, "generator")))


def make_generator(kind: str, settings: Mapping[str, object], source: str) -> GeneratorSettings:
    """Return the settings of a generator of some kind, checked; nothing is loaded.

    Args:
        kind: The kind: ``diffusers``, ``gan``, ``function`` or ``images``.
        settings: Its keys and their values, as plain data.
        source: The owner of the settings, for messages, such as ``variant 'sd15/DDIM10'``.

    Raises:
        FlashevalError: An unknown kind or key, a missing key, or a bad value.

    >>> make_generator("images", {"folder": "out"}, "variant 'a'").factors()
    {'family': 'images'}
    >>> make_generator("images", {"foldr": "out"}, "variant 'a'")
    Traceback (most recent call last):
    flasheval.base.errors.DataError: variant 'a': foldr is not a known key; did you mean 'folder'?

    """
    cls = _settings_of(kind, source)
    try:
        made: GeneratorSettings = from_plain(cls, settings, source=source)
    except SettingError as error:
        raise SettingError(f"{source}: {error}") from error
    return made


def _settings_of(kind: str, source: str) -> type[Any]:
    if kind not in GENERATORS:
        raise SettingError(
            f"{source}: there is no generator {kind!r}; choose one of {', '.join(GENERATORS)}"
            f"{nearest(kind, GENERATORS)}"
        )
    return GENERATORS[kind]
