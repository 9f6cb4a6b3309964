"""One row a verb: whatever else there is of it is found from the row."""

import inspect
from dataclasses import fields, is_dataclass
from pathlib import Path
from pkgutil import resolve_name

import pytest

import flasheval.cli
from flasheval.base.resources import conf_dir
from flasheval.cli.groups import GROUPS
from flasheval.cli.verbs import VERBS

HOOKS = Path(__file__).parents[2] / "docs" / "hooks"


@pytest.mark.parametrize("name", VERBS)
def test_a_row_leads_to_a_command_its_keys_and_its_file(name: str) -> None:
    verb = VERBS[name]
    assert list(inspect.signature(verb.load_command()).parameters) == ["config", "context"]
    types = verb.config_types()
    for config in types.values():
        assert is_dataclass(config)
        keys = {field.name for field in fields(config)}
        assert {verb.first, verb.rest, verb.config_key} - {None} <= keys
    assert (verb.config_key is None) == (list(types) == [name])
    assert (conf_dir() / f"{name}.yaml").is_file()
    for choice in verb.choices:
        assert choice.group in GROUPS
    for _, target in verb.lists:
        assert resolve_name(target)()


@pytest.mark.parametrize("name", VERBS)
def test_a_run_folder_is_named_where_the_file_asks_for_it(name: str) -> None:
    text = (conf_dir() / f"{name}.yaml").read_text()
    assert ("${flasheval.folder:}" in text) == (VERBS[name].folder is not None)
    assert ("${flasheval.sweep_folder:}" in text) == (VERBS[name].sweeps is not None)
    assert f"  job:\n    name: {name}\n" in text


def test_no_other_file_asks_which_verb_it_is() -> None:
    package = Path(flasheval.cli.__file__).parent
    files = [path for path in package.rglob("*.py") if path.name != "verbs.py"]
    for path in [*files, *HOOKS.glob("*.py")]:
        text = path.read_text()
        for asked in ("if verb ==", "if verb in (", "verb != "):
            assert asked not in text, path


def test_searches_and_evaluations_are_swept() -> None:
    swept = {name: verb.sweeps for name, verb in VERBS.items() if verb.sweeps}
    assert list(swept) == ["search", "evaluate"]
    assert all(callable(resolve_name(str(target))) for target in swept.values())


def test_a_verb_with_actions_does_each_of_them():
    from flasheval.cli.commands import judge, subsets, votes
    from flasheval.cli.tab import installing

    assert tuple(subsets._ACTIONS) == VERBS["subsets"].actions
    assert tuple(judge._ACTIONS) == VERBS["judge"].actions
    assert tuple(votes._ACTIONS) == VERBS["votes"].actions
    assert VERBS["completion"].actions == installing.ACTIONS
