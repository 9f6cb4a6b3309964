from dataclasses import asdict, fields
from inspect import signature

from flasheval.cli.configs import (
    IMPORTER_CONFIGS,
    DoctorConfig,
    GenerateConfig,
    RunConfig,
    ScoreConfig,
    SearchConfig,
    ValidateConfig,
    executor_configs,
    method_configs,
)
from flasheval.runs.executors import EXECUTORS
from flasheval.runs.run import run
from flasheval.scores.importers import IMPORTERS
from flasheval.selection.held_out.validate import validate
from flasheval.selection.methods.registry import METHODS, make_selector, selector_settings
from flasheval.selection.search import search


def test_a_method_has_the_settings_of_its_dataclass() -> None:
    for name, config in method_configs().items():
        settings = asdict(config())
        assert settings.pop("name") == name
        assert settings == selector_settings(make_selector(name))
    assert set(method_configs()) == set(METHODS)


def test_what_python_can_be_told_the_command_line_can() -> None:
    renamed = {"settings": "method", "folder": "out"}
    told = {renamed.get(name, name) for name in signature(search).parameters} - {"progress"}
    assert told <= {field.name for field in fields(SearchConfig)}


def test_defaults_are_those_of_python() -> None:
    config = asdict(SearchConfig())
    of_python = {name: p.default for name, p in signature(search).parameters.items()}
    for key in (
        "size",
        "seed",
        "splits",
        "incomplete",
        "nested",
        "draws",
        "name",
        "metric",
        "calibrate",
    ):
        assert config[key] == of_python[key], key


def test_a_comparison_is_told_the_same_in_python_and_on_the_command_line() -> None:
    of_python = {name: p.default for name, p in signature(validate).parameters.items()}
    config = asdict(ValidateConfig())
    told = {{"folder": "out"}.get(name, name) for name in of_python} - {"progress"}
    assert told == set(config) - {"prompts", "higher_is_better"}
    for key in told - {"scores", "out", "methods"}:
        assert config[key] == of_python[key], key
    assert config["methods"] == list(of_python["methods"])


def test_a_run_is_told_the_same_in_python_and_on_the_command_line() -> None:
    of_python = {name: p.default for name, p in signature(run).parameters.items()}
    config = asdict(RunConfig())
    after = {"contact_sheet", "compare", "tolerance"}  # what is done with a result, in Python too
    assert set(of_python) - {"progress", "stage"} == set(config) - after
    for key in set(config) - after - {"population", "prompts", "out", "executor", "scorers"}:
        assert config[key] == of_python[key], key
    assert config["scorers"] == list(of_python["scorers"])


def test_the_verbs_of_a_run_agree_in_what_they_share() -> None:
    whole = asdict(RunConfig())
    for config in (GenerateConfig, ScoreConfig, DoctorConfig):
        part = asdict(config())
        shared = part.keys() & whole.keys()
        assert {key: part[key] for key in shared} == {key: whole[key] for key in shared}


def test_an_executor_has_the_settings_of_its_dataclass() -> None:
    for name, config in executor_configs().items():
        settings = asdict(config())
        assert settings.pop("name") == name
        own = asdict(EXECUTORS[name]())
        assert settings == {k: list(v) if isinstance(v, tuple) else v for k, v in own.items()}


def test_every_importer_has_its_keys() -> None:
    assert set(IMPORTER_CONFIGS) == set(IMPORTERS)
    for name, config in IMPORTER_CONFIGS.items():
        keys = {field.name for field in fields(config)} - {"importer", "out", "source", "root"}
        assert keys == {field.name for field in fields(IMPORTERS[name])} - {"expected"}
        assert config().importer == name
