"""Every example in a docstring of the package runs and gives what it says."""

import doctest
import importlib
import importlib.util
import pkgutil

import pytest

import flasheval

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(flasheval.__path__, prefix="flasheval.")
)


def _import(name):
    """Import a module; where only torch or a tracker is missing, skip."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and not error.name.startswith("flasheval"):
            pytest.skip(f"{name} needs {error.name}, which is not installed")
        raise


@pytest.mark.parametrize("name", ["flasheval", *(n for n in MODULES if "__main__" not in n)])
def test_examples_are_true(name):
    module = _import(name)
    needs_torch = name.rpartition(".")[2].endswith("_torch")
    if needs_torch and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    failed, _ = doctest.testmod(module)
    assert failed == 0, f"{failed} examples of {name} failed; see the captured output"


def test_the_walk_finds_the_package():
    assert {"flasheval.selection.methods.driver", "flasheval.selection.held_out.splits"} <= set(
        MODULES
    )
