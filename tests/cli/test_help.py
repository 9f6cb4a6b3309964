import re
from dataclasses import asdict, fields

import pytest
from omegaconf import OmegaConf

from flasheval.base.resources import conf_dir
from flasheval.cli.configs import COMMON_KEYS, EvaluateConfig, VerbConfig, WatchConfig
from flasheval.cli.experiments import experiments
from flasheval.cli.groups import GROUPS
from flasheval.cli.help import COMMON, first_comment, keys_of, overview, verb_help
from flasheval.cli.verbs import STAGES, VERBS
from flasheval.subset.exports.registry import FORMATS

CONF = conf_dir()
FILES = {
    **{
        f"{name}.yaml": verb.config_types()[name]
        for name, verb in VERBS.items()
        if verb.config_key is None
    },
    "evaluate.yaml": EvaluateConfig,  # the keys of its generator stand in generator/
    "watch.yaml": WatchConfig,
    **{
        f"{name}/{choice}.yaml": config
        for name, group in GROUPS.items()
        for choice, config in group.config_types().items()
    },
    **{f"importer/{name}.yaml": config for name, config in VERBS["import"].config_types().items()},
}
SET_BY_ITS_FILE = ("name", "importer")


def test_every_choice_of_a_group_has_its_file() -> None:
    assert {path.name for path in CONF.iterdir() if path.is_dir()} == set(GROUPS)
    for name, group in GROUPS.items():
        if group.types is not None:
            files = {f"{name}/{path.name}" for path in (CONF / name).glob("*.yaml")}
            assert files == {file for file in FILES if file.startswith(f"{name}/")}


def test_every_verb_has_its_file() -> None:
    files = {path.name for path in CONF.glob("*.yaml")}
    assert files == {COMMON, *(f"{name}.yaml" for name in VERBS)}


@pytest.mark.parametrize("name", FILES)
def test_a_file_has_every_key_with_its_default_and_meaning(name: str) -> None:
    said = OmegaConf.to_container(OmegaConf.load(CONF / name))
    assert isinstance(said, dict)
    chosen = {key for entry in said.get("defaults", ()) if isinstance(entry, dict) for key in entry}
    said = {key: value for key, value in said.items() if key not in ("defaults", "hydra")}
    default = asdict(FILES[name]())
    if "/" not in name or name.startswith("importer/"):  # a verb's: those of all stand elsewhere
        default = {key: value for key, value in default.items() if key not in COMMON_KEYS}
    assert said == {key: value for key, value in default.items() if key not in chosen}
    explained = set(keys_of(CONF / name)) - {"experiment"}
    expected = {field.name for field in fields(FILES[name])} - set(COMMON_KEYS)
    if "/" in name:
        assert first_comment(CONF / name)
        expected -= set(SET_BY_ITS_FILE)
    assert explained == expected


def test_the_keys_of_every_verb_stand_once() -> None:
    said = OmegaConf.to_container(OmegaConf.load(CONF / COMMON))
    assert said == asdict(VerbConfig())
    assert tuple(keys_of(CONF / COMMON)) == COMMON_KEYS
    for verb in VERBS:
        assert verb_help(verb).count("\nkeys of every verb:\n  json=false ") == 1


def test_the_overview_has_a_line_for_each_verb() -> None:
    lines = overview().splitlines()
    assert [verb.stage for verb in VERBS.values()] == sorted(
        (verb.stage for verb in VERBS.values()), key=STAGES.index
    )
    for name, verb in VERBS.items():
        assert f"  {name:<10} {verb.summary}" in lines
        assert f"{verb.stage}:" in lines
        assert verb.summary[0].isupper()
        assert not verb.summary.endswith(".")


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_explains_its_keys(verb: str) -> None:
    text = verb_help(verb)
    assert text.startswith(f"{VERBS[verb].summary}.\n")
    for key in keys_of(CONF / f"{verb}.yaml"):
        assert f"\n  {key}=" in text
    for example, _ in VERBS[verb].examples:
        assert f"  {example}" in text
    assert "--hydra-help" in text
    assert max(map(len, text.splitlines())) <= 82


def test_a_shell_gives_the_examples_as_they_are_written() -> None:
    for verb in VERBS.values():
        for example, _ in verb.examples:
            bare = re.sub(r"'[^']*'", "", example)  # a brace with a comma makes two words of one
            assert not re.search(r"\{[^}]*,[^}]*\}", bare), example


def test_the_method_is_the_first_key_of_a_search() -> None:
    text = verb_help("search")
    assert "\nkeys:\n  method=auto " in text
    assert "made-up" not in text


def test_a_choice_named_beside_help_is_explained() -> None:
    assert "n_sets" not in verb_help("search").replace("method.n_sets", "")
    assert "\n  n_sets=30000 " in verb_help("search", ["method=frequency", "--help"])
    assert "settings of long" not in verb_help("import", ["wide"])
    assert "settings of wide" in verb_help("import", ["wide"])
    assert "settings of diffusers" in verb_help("evaluate")
    assert "settings of diffusers" not in verb_help("evaluate", ["generator=function"])


def test_an_experiment_is_listed_with_its_verb() -> None:
    for name in ("search", "run"):
        for experiment in experiments(name):
            assert f"\n  {experiment} " in verb_help(name)


def test_subsets_names_the_settings_of_every_format() -> None:
    text = verb_help("subsets")
    for name, kind in FORMATS.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {name} ")]
        for setting in fields(kind):
            assert setting.name in text[text.index(line) :]
