from dataclasses import asdict, fields

import pytest
from omegaconf import OmegaConf

from flasheval.base.resources import conf_dir
from flasheval.cli.configs import (
    IMPORTER_CONFIGS,
    PROTOCOL_CONFIGS,
    RUN_CONFIGS,
    CompareConfig,
    DistanceConfig,
    DoctorConfig,
    EvaluateConfig,
    SearchConfig,
    ShowConfig,
    StatusConfig,
    ValidateConfig,
    WatchConfig,
    executor_configs,
    extractor_configs,
    method_configs,
    tracker_configs,
)
from flasheval.cli.help import VERBS, first_comment, keys_of, verb_help
from flasheval.subset.exports.registry import FORMATS

CONF = conf_dir()
FILES = {
    "search.yaml": SearchConfig,
    "show.yaml": ShowConfig,
    "doctor.yaml": DoctorConfig,
    "distance.yaml": DistanceConfig,
    "status.yaml": StatusConfig,
    "evaluate.yaml": EvaluateConfig,
    "compare.yaml": CompareConfig,
    "watch.yaml": WatchConfig,
    **{f"{name}.yaml": config for name, config in RUN_CONFIGS.items()},
    **{f"executor/{name}.yaml": config for name, config in executor_configs().items()},
    **{f"extractor/{name}.yaml": config for name, config in extractor_configs().items()},
    **{f"tracker/{name}.yaml": config for name, config in tracker_configs().items()},
    **{f"protocol/{name}.yaml": config for name, config in PROTOCOL_CONFIGS.items()},
    "validate.yaml": ValidateConfig,
    **{f"method/{name}.yaml": config for name, config in method_configs().items()},
    **{f"importer/{name}.yaml": config for name, config in IMPORTER_CONFIGS.items()},
}


GROUPS = (
    "method",
    "population",
    "executor",
    "extractor",
    "protocol",
    "generator",
    "tracker",
)  # chosen in the defaults list


def test_every_choice_of_a_group_has_its_file() -> None:
    for group in ("method", "importer", "executor", "extractor", "protocol", "tracker"):
        files = {f"{group}/{path.name}" for path in (CONF / group).glob("*.yaml")}
        assert files == {name for name in FILES if name.startswith(group)}


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_every_key_with_its_default_and_meaning(name: str) -> None:
    said = OmegaConf.to_container(OmegaConf.load(CONF / name))
    assert isinstance(said, dict)
    said = {key: value for key, value in said.items() if key not in ("defaults", "hydra")}
    groups = () if "/" in name else GROUPS
    default = {key: value for key, value in asdict(FILES[name]()).items() if key not in groups}
    assert said == default
    explained = keys_of(CONF / name)
    expected = {field.name for field in fields(FILES[name])} - set(groups)
    if "/" in name:
        assert first_comment(CONF / name)
        expected -= {"name", "importer"}
    assert set(explained) == expected


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_explains_its_keys(verb: str) -> None:
    text = verb_help(verb)
    assert text.startswith(VERBS[verb][0].upper())
    for key in keys_of(CONF / f"{verb}.yaml"):
        assert f"\n  {key}=" in text
    assert "examples:" in text
    assert "--hydra-help" in text
    assert max(map(len, text.splitlines())) <= 82


def test_a_method_named_beside_help_is_explained() -> None:
    assert "n_sets" not in verb_help("search").replace("method.n_sets", "")
    assert "\n  n_sets=30000 " in verb_help("search", ["method=frequency", "--help"])
    assert "keys of long" not in verb_help("import", ["wide"])


def test_subsets_names_the_settings_of_every_format() -> None:
    text = verb_help("subsets")
    for name, kind in FORMATS.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {name} ")]
        for setting in fields(kind):
            assert setting.name in text[text.index(line) :]
