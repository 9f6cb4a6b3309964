"""flasheval's settings in every Hydra application: `flasheval/search`, `flasheval/method: pooled`.

Hydra imports this file when any application starts, so it imports Hydra's own plug-in classes and
nothing else. What stands under `flasheval/` is looked up in `flasheval.cli.app_configs`, and only
once an application asks for it.
"""

from __future__ import annotations

import builtins

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin

__all__ = ["FlashevalConfigSource", "FlashevalSearchPath"]

_SCHEME = _ROOT = "flasheval"


class FlashevalSearchPath(SearchPathPlugin):
    """Puts flasheval's settings behind an application's own, which thus go first."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add them to the places where Hydra looks for settings."""
        search_path.append(provider="flasheval", path=f"{_SCHEME}://")


class FlashevalConfigSource(ConfigSource):
    """The settings below `flasheval/`, made from the types in the code when they are asked for."""

    @staticmethod
    def scheme() -> str:
        """Return what their path begins with."""
        return _SCHEME

    def available(self) -> bool:
        """Return True: they come with the package."""
        return True

    def is_group(self, config_path: str) -> bool:
        """Tell whether a path is `flasheval` or a group below it."""
        parts = _parts(config_path)
        return parts in ([], [_ROOT]) or (_is_ours(parts, 2) and parts[1] in _groups())

    def is_config(self, config_path: str) -> bool:
        """Tell whether there are settings of this path."""
        parts = _parts(config_path)
        if _is_ours(parts, 2):
            return parts[1] in _calls()
        return _is_ours(parts, 3) and parts[1] in _groups() and parts[2] in _choices(parts[1])

    def load_config(self, config_path: str) -> ConfigResult:
        """Return the settings of a path. Raises ConfigLoadError where there are none."""
        from flasheval.cli.app_configs import settings_of

        if not self.is_config(config_path):
            raise ConfigLoadError(f"flasheval has no settings {config_path}")
        return ConfigResult(
            provider=self.provider,
            path=self.full_path(),
            config=settings_of(*_parts(config_path)[1:]),
            header={"package": None},
        )

    def list(self, config_path: str, results_filter: ObjectType | None) -> builtins.list[str]:
        """Return the names directly below a path."""
        parts = _parts(config_path)
        groups, configs = [], []
        if not parts:
            groups = [_ROOT]
        elif parts == [_ROOT]:
            groups, configs = _groups(), _calls()
        elif _is_ours(parts, 2) and parts[1] in _groups():
            configs = _choices(parts[1])
        wanted = {ObjectType.GROUP: groups, ObjectType.CONFIG: configs}
        return sorted(groups + configs if results_filter is None else wanted[results_filter])


def _parts(config_path: str) -> list[str]:
    return [one for one in config_path.removesuffix(".yaml").split("/") if one]


def _is_ours(parts: list[str], count: int) -> bool:
    return len(parts) == count and parts[0] == _ROOT


def _groups() -> list[str]:
    from flasheval.cli.app_configs import APP_GROUPS

    return list(APP_GROUPS)


def _calls() -> list[str]:
    from flasheval.cli.app_configs import CALLS

    return list(CALLS)


def _choices(group: str) -> list[str]:
    from flasheval.cli.app_configs import choices_of

    return choices_of(group)
