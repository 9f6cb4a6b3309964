"""Every optional import has its pip command."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

import flasheval
from flasheval.base.extras import EXTRAS, LAUNCHERS, LIBRARIES, missing_library, pip_command
from flasheval.cli.setting_errors import setting_mistake

PACKAGE = Path(flasheval.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
# Modules that are called otherwise than what pip installs, or that come with it.
DISTRIBUTIONS = {
    "PIL": "pillow", "hydra": "hydra-core", "omegaconf": "hydra-core", "yaml": "PyYAML",
    "optimum": "optimum-quanto", "huggingface_hub": "huggingface-hub",
    "markupsafe": "Jinja2", "llvmlite": "numba", "tokenizers": "transformers",
    "hydra_plugins.hydra_joblib_launcher": "hydra-joblib-launcher",
    "hydra_plugins.hydra_submitit_launcher": "hydra-submitit-launcher",
    "hydra_plugins.hydra_optuna_sweeper": "hydra-optuna-sweeper",
}  # fmt: skip


def _names(requirements):
    return {re.match(r"[\w-]+", one)[0].lower() for one in requirements}


def _imports():
    pattern = re.compile(r"^\s*(?:from ([\w.]+) import|import ([\w.]+)(?: as \w+)?$)", re.MULTILINE)
    for path in PACKAGE.rglob("*.py"):
        for found in pattern.finditer(path.read_text("utf-8")):
            yield found[1] or found[2]


def test_every_import_is_required_or_optional():
    required = _names(PROJECT["dependencies"])
    ours = {"flasheval", "_typeshed", *sys.stdlib_module_names}
    unknown = set()
    for module in _imports():
        root = module.partition(".")[0]
        if root in ours or DISTRIBUTIONS.get(root, root).lower() in required:
            continue
        known = root in LIBRARIES or any(f"{module}.".startswith(f"{one}.") for one in EXTRAS)
        if not known:
            unknown.add(module)
    assert unknown == set()


@pytest.mark.parametrize("module", EXTRAS)
def test_an_extra_brings_what_it_says(module):
    names = _names(PROJECT["optional-dependencies"][EXTRAS[module]])
    assert DISTRIBUTIONS.get(module, module).lower() in names
    assert pip_command(module) == f'pip install "flasheval[{EXTRAS[module]}]"'


def test_every_extra_for_users_has_a_module():
    theirs = set(PROJECT["optional-dependencies"]) - {"dev", "docs"}
    assert set(EXTRAS.values()) == theirs


def test_no_other_file_writes_a_command():
    """They all ask `pip_command`; the card of a publication is for other people."""
    found = {
        path.name for path in PACKAGE.rglob("*.py") if "pip install" in path.read_text("utf-8")
    }
    assert found == {"extras.py", "card.py"}


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_launcher_that_is_missing_names_its_command(name):
    class MissingError(Exception):
        options = ("basic",)
        missing_cfg_file = f"hydra/launcher/{name}"

    said = setting_mistake(MissingError())
    assert said == f"hydra/launcher={name} comes with: {pip_command(LAUNCHERS[name])}"


def test_a_missing_library_is_one_line_on_the_command_line(monkeypatch, capsys):
    from flasheval import cli
    from flasheval.cli import hydra_app

    def fail(*_):
        raise ModuleNotFoundError("No module named 'peft'", name="peft.utils")

    monkeypatch.setattr(hydra_app, "run_verb", fail)
    assert cli.main(["show", "x"]) == 2
    said = 'peft.utils is not installed; it comes with: pip install "flasheval[generate]"'
    assert said in capsys.readouterr().err
    assert missing_library(ModuleNotFoundError(name="flasheval.nothing")) is None
