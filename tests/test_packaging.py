"""What is shipped: a wheel (by way of an sdist) with its data files, light and torch-free."""

import json
import os
import re
import statistics
import subprocess
import sys
import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from flasheval.base.version import __version__

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "numba", "pyarrow", "hydra", "matplotlib", "scipy")
# The floors that may need torch; everything below them, and the command line, must not.
TORCH_FLOORS = ("generators", "scorers", "runs", "checkpoints", "miniature")


def python(code: str, *, path: Path = ROOT, cwd: Path | None = None) -> str:
    """Run ``code`` in a fresh interpreter that looks for packages in ``path`` first."""
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd or path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def files_in(folder: Path) -> dict[str, bytes]:
    """Give every file below ``folder`` by its path there, less what Python caches."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for needed in ("build", "hatchling"):
        if find_spec(needed) is None:
            pytest.skip(f'{needed} is not installed; pip install -e ".[dev]" brings it')
    out = tmp_path_factory.mktemp("dist")
    # No --wheel: the wheel is then built from the sdist, so that both are checked at once.
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        cwd=out,
        check=True,
        capture_output=True,
    )
    return out


@pytest.fixture(scope="module")
def unpacked(dist: Path) -> Path:
    folder = dist / "unpacked"
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)  # noqa: S202 - built a moment ago, by us
    return folder


@pytest.mark.slow
def test_the_wheel_holds_the_data_files_where_the_package_looks(
    unpacked: Path, tmp_path: Path
) -> None:
    code = (
        "import json, flasheval.base.resources as r;"
        "print(json.dumps([r.__file__, str(r.conf_dir()), str(r.subsets_dir())]))"
    )
    module, conf, subsets = map(Path, json.loads(python(code, path=unpacked, cwd=tmp_path)))
    package = unpacked.resolve() / "flasheval"
    assert (module, conf, subsets) == (
        package / "base" / "resources.py",
        package / "conf",
        package / "subsets",
    )
    assert files_in(conf) == files_in(ROOT / "conf")
    assert files_in(subsets) == files_in(ROOT / "subsets")
    assert (package / "py.typed").is_file()


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(unpacked: Path) -> None:
    tops = {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")}
    assert tops == {"flasheval", "hydra_plugins"}
    # No __init__.py: the folder is shared with all other plug-ins of Hydra.
    assert set(files_in(unpacked / "hydra_plugins")) == {"flasheval_configs.py"}
    shipped = set(files_in(unpacked / "flasheval"))
    assert shipped >= set(files_in(ROOT / "flasheval"))
    assert "report/page/template/page.html" in shipped
    assert "report/votes_page/template/logic.js" in shipped
    assert "prompts/known/lists.json" in shipped


@pytest.mark.slow
def test_the_sdist_can_be_tested_and_built_again(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    expected = {"pyproject.toml", "README.md", "LICENSE", "constraints.txt", "conf/README.md"}
    expected |= {"CITATION.cff", "CONTRIBUTING.md", "CHANGELOG.md"}
    assert sdist.stat().st_size < 100_000_000
    assert names >= expected | {"subsets/README.md", "tests/test_packaging.py"}


@pytest.mark.slow
def test_the_wheel_is_small_enough_for_an_index(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    assert wheel.stat().st_size < 40_000_000


def test_one_version_is_told_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == __version__
    first = re.search(r"^## \[(.*?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert first is not None
    assert first[1] in (__version__, "Unreleased")


def test_importing_the_package_is_light_and_quick() -> None:
    code = (
        "import json, sys, time; started = time.perf_counter(); import flasheval;"
        "took = time.perf_counter() - started;"
        f"print(json.dumps([took, [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    runs = [json.loads(python(code)) for _ in range(5)]
    assert [loaded for _, loaded in runs] == [[]] * 5
    assert statistics.median(took for took, _ in runs) < 0.3


def test_everything_up_to_validation_works_without_torch() -> None:
    code = f"""
import importlib, pkgutil, sys
sys.modules["torch"] = None
import flasheval
def visit(package):
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        parts = info.name.split(".")
        if parts[1] in {TORCH_FLOORS!r} or any("torch" in part for part in parts):
            continue
        module = importlib.import_module(info.name)
        print(info.name)
        if info.ispkg:
            visit(module)
visit(flasheval)
"""
    seen = python(code).splitlines()
    assert {"flasheval.base.errors", "flasheval.subset", "flasheval.scores"} <= set(seen)


def test_the_readme_gives_ci_its_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    found = dict(re.findall(r"^<!-- command: (\w+) -->\n```bash\n(.*?)\n```$", readme, re.M | re.S))
    assert set(found) == {"run", "test"}
    assert found["run"].startswith("pip install -c constraints.txt -e . && flasheval ")
    install, _, test = found["test"].partition(" && ")
    assert install == 'pip install -c constraints.txt -e ".[dev]"'
    assert test.split()[0] == "pytest"


def test_the_constraints_are_plain_pins_of_every_requirement() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert all(re.fullmatch(r"[\w.]+", version) for version in pins.values())
    assert "torchvision" not in pins
    pinned = {name.lower().replace("_", "-") for name in pins}
    project = (ROOT / "pyproject.toml").read_text()
    core = re.search(r"^dependencies = \[(.*?)^\]", project, re.M | re.S)
    extras = [
        re.search(rf"^{extra} = \[(.*?)\]\n", project, re.M | re.S)
        for extra in (
            "dev",
            "sweep",
            "optuna",
            "generate",
            "quantise",
            "slurm",
            "ray",
            "hub",
            "docs",
        )
    ]
    found = [core, *extras]
    assert None not in found
    needed = set(re.findall(r'"([\w-]+)>=', "".join(one[1] for one in found if one is not None)))
    assert {"numpy", "torch", "diffusers", "optimum-quanto", "submitit", "ray"} <= needed
    assert {name.lower() for name in needed} - pinned == set()
