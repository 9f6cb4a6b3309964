"""What SECURITY.md says of the code, held by the code."""

import ast
from pathlib import Path

import pytest

from flasheval.generators.populations.sources import read_population

PACKAGE = Path(__file__).resolve().parents[1] / "flasheval"
TREES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text("utf-8"))
    for path in PACKAGE.rglob("*.py")
}
# Who imports a user's function, and runs a program: no reader of a file of data is among them.
LOADERS = {
    "evaluation/watching/loading.py",
    "generators/function.py",
    "generators/gan.py",
    "scorers/function.py",
}
PROGRAMS = {
    "runs/executors/accelerate.py",
    "runs/executors/processes.py",
    "subset/library/signatures.py",
}
# Who opens a connection of its own: to the endpoint that the user names.
CALLERS = {"scorers/judges/endpoint.py", "scorers/judges/http_calls.py"}
NETWORK = {"requests", "urllib", "urllib3", "httpx", "aiohttp", "http", "ftplib", "smtplib"}


def _imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name.partition(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def _calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {one.arg: ast.unparse(one.value) for one in node.keywords}


def test_nothing_is_unpickled_and_no_text_is_run():
    for name, tree in TREES.items():
        assert not {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"} & {
            *_imports(tree)
        }, name
        for called, given in _calls(tree):
            assert called not in ("eval", "exec", "os.system", "os.popen", "yaml.unsafe_load"), name
            if called == "torch.load":
                assert given["weights_only"] == "True", name
            if called == "np.load":
                assert given["allow_pickle"] == "False", name
            assert given.get("trust_remote_code", "False") == "False", name
            assert given.get("shell", "False") == "False", name


def test_code_is_imported_and_programs_are_run_where_the_page_says_and_nowhere_else():
    found = {n for n, tree in TREES.items() if "load_object" in dict(_calls(tree))}
    assert found == LOADERS
    assert {n for n, tree in TREES.items() if "subprocess" in _imports(tree)} == PROGRAMS


def test_nothing_opens_a_connection_of_its_own_but_to_an_endpoint_that_is_named():
    assert {name for name, tree in TREES.items() if NETWORK & {*_imports(tree)}} == CALLERS


@pytest.mark.parametrize("function", ["evil.py:f", "no_such_module:f"])
def test_reading_a_population_imports_nothing_that_it_names(tmp_path, monkeypatch, function):
    monkeypatch.chdir(tmp_path)
    Path("evil.py").write_text("raise SystemExit('imported')")
    Path("p.yaml").write_text(
        f"settings: {{generator: function}}\nvariants: [{{name: a, function: '{function}'}}]\n"
    )
    assert [one.name for one in read_population("p.yaml").recipes] == ["a"]
