"""Composing the settings: their types, the names of run folders, and the check before a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path, PurePath
from pkgutil import resolve_name
from typing import Any

from flasheval.base.errors import FlashevalError, SettingError
from flasheval.base.resources import conf_dir
from flasheval.cli.groups import GROUPS
from flasheval.cli.setting_errors import setting_mistake, unknown_key
from flasheval.cli.verbs import VERBS, Verb

__all__ = ["check_jobs", "plain_settings", "register", "swept_values"]

_CHOICES = ("method", "executor", "extractor", "tracker", "generator")


def register(verb: str) -> None:
    """Give Hydra the types of a verb's settings, the run folders' names and a sensible joblib."""
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins
    from omegaconf import OmegaConf

    store = ConfigStore.instance()
    Plugins.instance()  # first, or a plugin found later would put its own defaults back
    row = VERBS[verb]
    for group, name, node in _nodes(row):
        store.store(group=group, name=name, node=node)
        choices = "generator" if group == "schema/evaluate" else group.removeprefix("schema/")
        if choices in _CHOICES and not (conf_dir() / choices / f"{name}.yaml").exists():
            # Another package's: there is no file of it. A generator's keys stand at the top.
            at_top = {"package": "_global_"} if choices == "generator" else {}
            choice = {"generator": name} if at_top else node
            store.store(group=choices, name=name, node=choice, **at_top)
    try:
        from hydra_plugins.hydra_joblib_launcher.config import (  # type: ignore[import-untyped]
            JobLibLauncherConf,
        )
    except ImportError:
        pass
    else:
        # One job a core: joblib then holds the threads inside a job to its share of the cores.
        jobs = JobLibLauncherConf(n_jobs=max(2, os.cpu_count() or 2))
        store.store(group="hydra/launcher", name="joblib", node=jobs, provider="flasheval")
    resolvers = {
        "folder": partial(_folder, row),
        "name": partial(_name, row),
        "sweep_folder": partial(_sweep_folder, row),
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(f"flasheval.{name}", resolver, replace=True)


def _nodes(verb: Verb) -> Iterator[tuple[str, str, type[Any]]]:
    """Return the types of a verb's keys, and of the choices it makes: group, name and type."""
    group = "schema" if verb.config_key is None else f"schema/{verb.name}"
    for name, node in verb.config_types().items():
        yield group, name, node
    for choice in verb.choices:
        for name, node in GROUPS[choice.group].config_types().items():
            yield f"schema/{choice.group}", name, node


def plain_settings(root: Any) -> dict[str, Any]:
    """Return the settings of a verb, without Hydra's own, as plain data.

    Example:
        >>> from omegaconf import OmegaConf
        >>> plain_settings(OmegaConf.create({"size": 10, "out": "a-${size}", "hydra": {"job": 1}}))
        {'size': 10, 'out': 'a-10'}

    """
    from omegaconf import OmegaConf

    keys = [key for key in root if key != "hydra"]
    settings = OmegaConf.to_container(OmegaConf.masked_copy(root, keys), resolve=True)
    return (
        {str(key): value for key, value in settings.items()} if isinstance(settings, dict) else {}
    )


def check_jobs(
    hydra: Any, verb: str, overrides: list[str], *, many: bool
) -> tuple[Path, dict[str, Any]]:
    """Compose every job as Hydra will, so that a mistake is told before anything is done.

    Args:
        hydra: Hydra, initialized.
        verb: The verb.
        overrides: Overrides that can be parsed.
        many: Whether they describe a sweep.

    Returns:
        The folder that the run, or the whole sweep, will write to, and the settings, those of the
        last job of a sweep.

    Raises:
        SettingError: A key, a value or a choice that is not there, in one line. With
            HYDRA_FULL_ERROR=1 in the environment Hydra's own exception instead.

    """
    from hydra.errors import HydraException
    from hydra.types import RunMode
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        folder, settings = "", {}
        if many:
            config = hydra.compose_config(verb, overrides, RunMode.MULTIRUN)
            folder = str(config.hydra.sweep.get("dir"))
        for job in _jobs_of(overrides) if many else [overrides]:
            config = hydra.compose_config(verb, job, RunMode.RUN)
            _refuse_added_keys(config)
            settings = plain_settings(config)
            folder = folder or str(config.hydra.run.dir)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1" or isinstance(error, FlashevalError):
            raise
        raise SettingError(setting_mistake(error)) from error
    return Path(folder), settings


def swept_values(overrides: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the keys in which the jobs of a sweep differ, each with all of its values.

    >>> swept_values(["size=10,20", "seed=3", "method=auto"])
    {'size': ('10', '20')}
    """
    found: dict[str, dict[str, None]] = {}
    for job in _jobs_of(overrides):
        for word in job:
            key, _, value = word.partition("=")
            found.setdefault(key.lstrip("+"), {})[value] = None
    return {key: tuple(values) for key, values in found.items() if len(values) > 1}


def _jobs_of(overrides: list[str]) -> Iterator[list[str]]:
    """Return the overrides of every job of a sweep, as Hydra's basic sweeper makes them."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed = OverridesParser.create().parse_overrides(overrides)
    for batch in BasicSweeper.split_arguments(parsed, None):
        yield from batch


def _refuse_added_keys(config: Any) -> None:
    """Refuse what `+key=value` put beside the known keys."""
    from omegaconf import DictConfig, OmegaConf

    typed = [name for name, group in GROUPS.items() if group.types and name in config]
    groups = [(f"{name}.", config.get(name)) for name in typed]
    for prefix, node in [("", config), *groups]:
        owner = OmegaConf.get_type(node) if isinstance(node, DictConfig) else None
        if isinstance(node, DictConfig) and is_dataclass(owner):
            # A verb's own keys first, then those it shares with others.
            known = [
                field.name for field in sorted(fields(owner), key=lambda one: bool(one.kw_only))
            ]
            for key in map(str, node):
                if prefix and key not in known:
                    owner_name = f"{prefix[:-1]} {node['name']}"
                    raise SettingError(unknown_key(prefix + key, known[1:], owner_name))
                if key not in (*known, "hydra"):
                    raise SettingError(unknown_key(key, known))


def _folder(verb: Verb, *, _root_: Any) -> str:
    """Return the run folder: `out`, or one named by the settings."""
    return str(_root_.out or _folder_by_settings(verb, _root_))


def _name(verb: Verb, *, _root_: Any) -> str:
    """Return the name that a run folder has by its settings, for its place in a sweep."""
    return PurePath(_folder_by_settings(verb, _root_)).name


def _folder_by_settings(verb: Verb, root: Any) -> str:
    if verb.folder is None:
        raise ValueError(f"flasheval {verb.name} has no run folder")
    from flasheval.cli.configs import COMMON_KEYS  # late, for help must not load NumPy

    settings = plain_settings(root).items()
    return str(resolve_name(verb.folder)({k: v for k, v in settings if k not in COMMON_KEYS}))


def _sweep_folder(verb: Verb, *, _root_: Any) -> str:
    from flasheval.cli.folders import folder_of_sweep  # which needs NumPy

    return str(_root_.out or folder_of_sweep(verb.name, list(_root_.hydra.overrides.task)))
