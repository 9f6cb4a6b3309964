"""Composing the settings: their types, the names of run folders, and the check before a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from flasheval.base.errors import FlashevalError
from flasheval.base.resources import conf_dir
from flasheval.cli.configs import (
    IMPORTER_CONFIGS,
    PROTOCOL_CONFIGS,
    RUN_CONFIGS,
    CompareConfig,
    DistanceConfig,
    DoctorConfig,
    PublishConfig,
    ReportConfig,
    SearchConfig,
    ShowConfig,
    StatusConfig,
    SubsetsConfig,
    ValidateConfig,
    evaluate_configs,
    executor_configs,
    extractor_configs,
    method_configs,
    tracker_configs,
    watch_config,
)
from flasheval.cli.setting_errors import Mistake, setting_mistake, unknown_key

__all__ = ["check_jobs", "plain_settings", "register"]

_CHOICES = ("method", "executor", "extractor", "tracker", "generator")
_TYPED_GROUPS = ("method", "executor", "extractor", "protocol", "tracker")


def register(verb: str) -> None:
    """Give Hydra the types of a verb's settings, the run folders' names and a sensible joblib."""
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins
    from omegaconf import OmegaConf

    store = ConfigStore.instance()
    Plugins.instance()  # first, or a plugin found later would put its own defaults back
    for group, name, node in _nodes(verb):
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
        "run_name": _run_name,
        "run_folder": _run_folder,
        "sweep_folder": _sweep_folder,
        "validation_folder": _validation_folder,
        "population_folder": _population_folder,
        "distance_folder": _distance_folder,
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(f"flasheval.{name}", resolver, replace=True)


def _nodes(verb: str) -> Iterator[tuple[str, str, type[Any]]]:
    if verb == "search":
        yield "schema", "search", SearchConfig
        for name, node in method_configs().items():
            yield "schema/method", name, node
    elif verb == "validate":
        yield "schema", "validate", ValidateConfig
    elif verb == "import":
        for name, importer in IMPORTER_CONFIGS.items():
            yield "schema/importer", name, importer
    elif verb in RUN_CONFIGS:
        yield "schema", verb, RUN_CONFIGS[verb]
        for name, node in executor_configs().items():
            yield "schema/executor", name, node
    elif verb == "evaluate":
        for name, evaluating in evaluate_configs().items():
            yield "schema/evaluate", name, evaluating
        for name, node in tracker_configs().items():
            yield "schema/tracker", name, node
    elif verb == "watch":
        yield "schema", verb, watch_config()
        for name, node in tracker_configs().items():
            yield "schema/tracker", name, node
    elif verb == "distance":
        yield "schema", verb, DistanceConfig
        for name, node in extractor_configs().items():
            yield "schema/extractor", name, node
        for name, protocol in PROTOCOL_CONFIGS.items():
            yield "schema/protocol", name, protocol
    else:
        yield (
            "schema",
            verb,
            {
                "compare": CompareConfig,
                "doctor": DoctorConfig,
                "publish": PublishConfig,
                "report": ReportConfig,
                "show": ShowConfig,
                "status": StatusConfig,
                "subsets": SubsetsConfig,
            }[verb],
        )


def plain_settings(root: Any) -> dict[str, Any]:
    """Return the settings of a verb, without Hydra's own, as plain data."""
    from omegaconf import OmegaConf

    keys = [key for key in root if key != "hydra"]
    settings = OmegaConf.to_container(OmegaConf.masked_copy(root, keys), resolve=True)
    return (
        {str(key): value for key, value in settings.items()} if isinstance(settings, dict) else {}
    )


def check_jobs(hydra: Any, verb: str, overrides: list[str], *, many: bool) -> Path:
    """Compose every job as Hydra will, so that a mistake is told before anything is done.

    Args:
        hydra: Hydra, initialized.
        verb: The verb.
        overrides: Overrides that can be parsed.
        many: Whether they describe a sweep.

    Returns:
        The folder that the run, or the whole sweep, will write to.

    Raises:
        Mistake: A key, a value or a choice that is not there, in one line. With HYDRA_FULL_ERROR=1
            in the environment Hydra's own exception instead.

    """
    from hydra.errors import HydraException
    from hydra.types import RunMode
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        folder = ""
        if many:
            config = hydra.compose_config(verb, overrides, RunMode.MULTIRUN)
            folder = str(config.hydra.sweep.get("dir"))
        for job in _jobs_of(overrides) if many else [overrides]:
            config = hydra.compose_config(verb, job, RunMode.RUN)
            _refuse_added_keys(config)
            plain_settings(config)
            folder = folder or str(config.hydra.run.dir)
    except (HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1" or isinstance(error, FlashevalError):
            raise
        raise Mistake(setting_mistake(error)) from error
    return Path(folder)


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

    groups = [(f"{group}.", config.get(group)) for group in _TYPED_GROUPS if group in config]
    for prefix, node in [("", config), *groups]:
        owner = OmegaConf.get_type(node) if isinstance(node, DictConfig) else None
        if isinstance(node, DictConfig) and is_dataclass(owner):
            known = [field.name for field in fields(owner)]
            for key in map(str, node):
                if prefix and key not in known:
                    owner_name = f"{prefix[:-1]} {node['name']}"
                    raise Mistake(unknown_key(prefix + key, known[1:], owner_name))
                if key not in (*known, "hydra"):
                    raise Mistake(unknown_key(key, known))


def _run_name(*, _root_: Any) -> str:
    from flasheval.base.run_folders import run_name

    settings = plain_settings(_root_)
    defaults = asdict(SearchConfig())
    defaults["method"] = asdict(method_configs()[settings["method"]["name"]]())
    return run_name(settings, defaults)


def _run_folder(*, _root_: Any) -> str:
    from flasheval.base.run_folders import FOLDER_OF_RUNS

    return str(_root_.out or f"{FOLDER_OF_RUNS}/search/{_run_name(_root_=_root_)}")


def _validation_folder(*, _root_: Any) -> str:
    from flasheval.base.run_folders import FOLDER_OF_RUNS
    from flasheval.report.validation_folder import validation_name

    settings = plain_settings(_root_)
    name = validation_name(settings, asdict(ValidateConfig()))
    return str(_root_.out or f"{FOLDER_OF_RUNS}/validate/{name}")


def _population_folder(*, _root_: Any) -> str:
    from flasheval.base.run_folders import population_folder

    settings = plain_settings(_root_)
    return str(settings["out"] or population_folder(settings["population"], settings["prompts"]))


def _distance_folder(*, _root_: Any) -> str:
    from flasheval.base.run_folders import FOLDER_OF_RUNS
    from flasheval.cli.commands.distance import distance_name

    settings = plain_settings(_root_)
    return str(settings["out"] or f"{FOLDER_OF_RUNS}/distance/{distance_name(settings)}")


def _sweep_folder(*, _root_: Any) -> str:
    from flasheval.base.canonical import sha256_of
    from flasheval.base.run_folders import FOLDER_OF_RUNS

    words = sorted(_root_.hydra.overrides.task)
    swept = "-".join(word.partition("=")[0] for word in words if "," in word) or "all"
    swept = swept.replace("/", "_")
    return str(_root_.out or f"{FOLDER_OF_RUNS}/search-sweep/{swept[:80]}-{sha256_of(words)[:8]}")
