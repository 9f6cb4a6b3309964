from dataclasses import MISSING, asdict, dataclass, fields
from inspect import signature

import pytest

from flasheval.cli.commands.prompt_keys import PROMPT_KEYS
from flasheval.cli.configs import (
    COMMON_KEYS,
    CompareConfig,
    DistanceConfig,
    DoctorConfig,
    EvaluateConfig,
    GenerateConfig,
    PublishConfig,
    RunConfig,
    ScoreConfig,
    SearchConfig,
    ValidateConfig,
    VerbConfig,
    VotesConfig,
    WatchConfig,
    default_of,
    evaluate_configs,
    executor_configs,
    importer_configs,
    method_configs,
)
from flasheval.cli.verbs import VERBS
from flasheval.evaluation.comparison import compare
from flasheval.evaluation.evaluate import evaluate
from flasheval.evaluation.trackers.registry import TRACKERS
from flasheval.evaluation.watching.watch import watch
from flasheval.generators.registry import GENERATORS
from flasheval.runs.doctor.diagnosis import diagnose
from flasheval.runs.executors import EXECUTORS
from flasheval.runs.run import run
from flasheval.scorers.registry import SCORERS
from flasheval.scores.importers import IMPORTERS
from flasheval.scores.votes import Votes, load_votes, votes_from_scores
from flasheval.selection.held_out.validate import validate
from flasheval.selection.methods.registry import METHODS, make_selector, selector_settings
from flasheval.selection.search import search
from flasheval.set_metrics.extractor_settings import EXTRACTORS
from flasheval.set_metrics.subset_choice import choose_subset
from flasheval.subset.exports.registry import FORMATS
from flasheval.subset.upload import publish

# Where the command line takes another form of a setting than Python, its default is its own.
OWN_FORM = {
    SearchConfig: {"method", "require", "forbid", "warm_start", "curve"},
    RunConfig: {"executor"},
    ScoreConfig: {"executor"},
    GenerateConfig: {"executor"},
    EvaluateConfig: {"images", "name", "device"},
    VotesConfig: {"prompts"},
}
SERVED = [
    (SearchConfig, search),
    (ValidateConfig, validate),
    (RunConfig, run),
    (ScoreConfig, run),
    (GenerateConfig, run),
    (DoctorConfig, run),
    (DoctorConfig, diagnose),
    (EvaluateConfig, evaluate),
    (CompareConfig, compare),
    (WatchConfig, watch),
    (DistanceConfig, choose_subset),
    (PublishConfig, publish),
    (VotesConfig, Votes.rank),
    (VotesConfig, votes_from_scores),
    (VotesConfig, load_votes),
]
THREADS = {DistanceConfig: {"threads", "size"}}  # how many are at work is a matter of the machine


def test_a_default_is_read_from_a_signature() -> None:
    @dataclass
    class Config:
        level: float = default_of("flasheval.evaluation.comparison:compare", "level")
        scorers: object = default_of("flasheval.runs.run:run", "scorers")
        first: object = default_of("flasheval.evaluation.comparison:compare", "first")

    assert Config(first=1) == Config(0.9, ["clip"], 1)
    with pytest.raises(TypeError, match=r"first of .* has no default"):
        Config()


@pytest.mark.parametrize(("config", "function"), SERVED)
def test_a_default_that_python_has_stands_there_only(config, function) -> None:
    """No type repeats a default of the function that it serves: it reads it there."""
    own = {"progress"} | OWN_FORM.get(config, set()) | THREADS.get(config, set())
    for name, parameter in signature(function).parameters.items():
        field = next((one for one in fields(config) if one.name == name), None)
        if field is None or name in own or parameter.default is parameter.empty:
            continue
        assert field.default is MISSING, f"{config.__name__}.{name} repeats its default"
        default = parameter.default
        value = getattr(config(), name)
        assert value == (list(default) if isinstance(default, tuple) else default)


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


def test_a_comparison_is_told_the_same_in_python_and_on_the_command_line() -> None:
    told = {{"folder": "out"}.get(name, name) for name in signature(validate).parameters}
    # Of the scores, which Python loads first, and of the folder.
    read = {"prompts", "higher_is_better", "overwrite", *PROMPT_KEYS, *COMMON_KEYS}
    assert told - {"progress"} == set(asdict(ValidateConfig())) - read


def test_a_run_is_told_the_same_in_python_and_on_the_command_line() -> None:
    after = {
        "overwrite",
        "contact_sheet",
        "compare",
        "tolerance",
    }  # what is done with a result, in Python too
    told = set(signature(run).parameters) - {"progress", "stage"}
    assert told == set(asdict(RunConfig())) - after - {*PROMPT_KEYS, *COMMON_KEYS}


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
    assert set(importer_configs()) == set(IMPORTERS)
    for name, config in importer_configs().items():
        keys = {field.name for field in fields(config)} - {
            "importer",
            "out",
            "overwrite",
            "source",
            "root",
        }
        keys -= {*PROMPT_KEYS, *COMMON_KEYS}
        assert keys == {field.name for field in fields(IMPORTERS[name])} - {"expected"}
        assert config().importer == name


def test_every_verb_has_the_common_keys_and_nothing_else_has() -> None:
    """No generator, whose keys stand at the top, and no method, scorer, ... names one of them."""
    for verb in VERBS.values():
        for config in verb.config_types().values():
            assert issubclass(config, VerbConfig)
            assert set(COMMON_KEYS) <= {field.name for field in fields(config)}
    registries = (GENERATORS, METHODS, SCORERS, EXECUTORS, EXTRACTORS, TRACKERS, IMPORTERS, FORMATS)
    for registry in registries:
        for name in registry:
            assert not set(COMMON_KEYS) & {field.name for field in fields(registry[name])}, name
    for config in evaluate_configs().values():
        assert asdict(config())["json"] is False


def test_no_two_kinds_of_keys_are_one() -> None:
    assert COMMON_KEYS == ("json", "progress", "quiet", "verbose")
    assert not set(COMMON_KEYS) & {"out", "overwrite", "prompts", *PROMPT_KEYS}
