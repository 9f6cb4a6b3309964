"""What docs/how-to/plug-in.md teaches, as a package of its own, used from the command line."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flasheval.scores import load_scores
from flasheval.subset import Subset

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "plug-in.md"
CODE = re.findall(r"^```\w+\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
BLOCKS = {text.split()[1]: text for text in CODE if text.startswith("# ")}
BROKEN = {
    "absent": "no_such_module_here:Method",
    "number": "my_plugins:ContrastScorer.score",
    "bare": "my_plugins:Contrast",
    "misnamed": "my_plugins:Widest",
    "anneal": "my_plugins:Widest",
}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages, as an installer leaves them, in which the page's is."""
    folder = tmp_path_factory.mktemp("shelf")
    (folder / "my_plugins.py").write_text(BLOCKS["my_plugins.py"], "utf-8")
    project = tomllib.loads(BLOCKS["pyproject.toml"])["project"]
    _install(folder, project["name"], project["entry-points"])
    return folder


@pytest.fixture(scope="module")
def broken(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another such folder, with a package that does everything wrong."""
    folder = tmp_path_factory.mktemp("broken")
    _install(folder, "careless", {"flasheval.methods": BROKEN})
    return folder


def _install(folder: Path, name: str, groups: dict[str, dict[str, str]]) -> None:
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in points.items())])
        for group, points in groups.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


def _flasheval(
    where: Path, shelves: list[Path], *words: object, code: int = 0
) -> subprocess.CompletedProcess[str]:
    return _python(where, shelves, "-m", "flasheval", *map(str, words), code=code)


def _python(
    where: Path, shelves: list[Path], *words: str, code: int = 0
) -> subprocess.CompletedProcess[str]:
    paths = [*map(str, shelves), str(PAGE.parents[2]), os.environ.get("PYTHONPATH", "")]
    ran = subprocess.run(
        [sys.executable, *words],
        cwd=where,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == code, ran.stderr + ran.stdout
    assert "Traceback" not in ran.stderr
    return ran


QUICK = ("metric=CLIP", "splits=null", "curve=null", "calibrate=false", "draws=5", "size=6")


def test_a_method_of_another_package_is_searched_with(shelf, tmp_path):
    words = (*QUICK, "method=widest", "method.skip=3", "out=found")
    _flasheval(tmp_path, [shelf], "search", *words)
    method = Subset.load(tmp_path / "found" / "subset.json").method
    assert (method.name, method.settings) == ("widest", {"skip": 3})
    listed = "methods=[widest,{name: widest, skip: 3}]"
    words = (
        "metric=CLIP",
        "splits=random:1",
        "draws=5",
        "size=6",
        "reference=null",
        "out=compared",
    )
    said = _flasheval(tmp_path, [shelf], "validate", *words, listed).stdout
    assert "widest(skip=3)" in said


def test_the_page_s_objects_do_what_it_says(shelf, tmp_path):
    code = next(text for text in CODE if text.startswith("import flasheval\n"))
    ran = _python(tmp_path, [shelf], "-c", code)
    assert ran.stdout == "widest(skip=5), seed 0\n"


def test_its_settings_are_checked_like_our_own(shelf, tmp_path):
    for word, expected in (
        ("method.skp=3", "method widest has no setting skp; there are: skip; did you mean 'skip'?"),
        ("method.skip=few", "method.skip=few: expected a whole number"),
    ):
        ran = _flasheval(tmp_path, [shelf], "search", *QUICK, "method=widest", word, code=2)
        assert ran.stderr == f"flasheval: error: {expected}\n"
    ran = _flasheval(tmp_path, [], "search", *QUICK, "method=widest", code=2)
    assert "method=widest: there is no such method; there are: anchors, anneal" in ran.stderr


def test_a_scorer_of_another_package_scores_a_folder_of_images(shelf, tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "prompts.jsonl").write_text(
        "".join(json.dumps({"id": name, "prompt": name}) + "\n" for name in ("grey", "split"))
    )
    (tmp_path / "images").mkdir()
    grey = np.full((8, 8, 3), 128, dtype=np.uint8)
    split = np.zeros((8, 8, 3), dtype=np.uint8)
    split[:4] = 255
    for name, pixels in (("grey", grey), ("split", split)):
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
    (tmp_path / "mine.yaml").write_text(
        "variants:\n  - {name: mine, generator: images, folder: images}\n"
    )
    words = ("population=mine.yaml", "prompts=prompts.jsonl", "device=cpu", "out=scored")
    _flasheval(tmp_path, [shelf], "run", *words, "scorers=[{name: contrast, gain: 2}]")

    table = load_scores(tmp_path / "scored" / "scores")
    np.testing.assert_allclose(table["Contrast"].values, [[0, 1]])
    assert table["Contrast"].scorer_version == "contrast 1"
    ran = _flasheval(tmp_path, [shelf], "run", *words, "scorers=[contrst]", code=2)
    assert ran.stderr.endswith("did you mean 'contrast'?\n")


def test_a_broken_plug_in_is_one_line_when_asked_for_and_harms_nothing(shelf, broken, tmp_path):
    _flasheval(tmp_path, [shelf, broken], "search", *QUICK, "method=widest", "out=fine")
    for name, said in (
        ("absent", "cannot be used (ModuleNotFoundError: No module named 'no_such_module_here')"),
        ("number", "is no class of settings; expected a dataclass"),
        ("bare", "is none: it has no "),
        ("misnamed", "its name is 'widest'; expected 'misnamed'"),
    ):
        words = (*QUICK, f"method={name}", "out=none")
        ran = _flasheval(tmp_path, [shelf, broken], "search", *words, code=2)
        assert ran.stderr.count("\n") == 1
        assert f"method '{name}' of careless ({BROKEN[name]})" in ran.stderr
        assert said in ran.stderr
        assert not (tmp_path / "none").exists()


def test_a_name_of_ours_stays_ours(shelf, broken, tmp_path):
    words = (*QUICK, "method=anneal", "method.swaps=100", "out=ours")
    ran = _flasheval(tmp_path, [shelf, broken], "search", *words)
    assert "flasheval's own method 'anneal' is used, not that of careless" in ran.stderr
    assert Subset.load(tmp_path / "ours" / "subset.json").method.settings["swaps"] == 100


KINDS = """
from dataclasses import dataclass
from typing import ClassVar
from flasheval.generators.generator import GeneratorSettings

@dataclass
class Log:
    name: ClassVar[str] = "log"
    path: str = "log.txt"
    def log(self, scalars, step): ...
    def log_report(self, report, step): ...
    def finish(self): ...

@dataclass
class Cloud:
    name: ClassVar[str] = "cloud"
    workers: int = 3
    def run(self, plan, store, progress): ...

@dataclass
class Eyes:
    name: ClassVar[str] = "eyes"
    label: ClassVar[str] = "Eyes"
    size: int = 8
    def load(self, device): ...

@dataclass(frozen=True)
class Painter(GeneratorSettings):
    kind: ClassVar[str] = "painter"
    brush: str
    strokes: int = 9
    def factors(self): return {"family": "painted"}
    def identity(self, device): return {"brush": self.brush}
    def load(self, device, last=None): ...
"""


def test_the_other_groups_are_choices_on_the_command_line_too(tmp_path):
    groups = {
        "flasheval.trackers": {"log": "kinds:Log", "lost": "kinds:Lost"},
        "flasheval.executors": {"cloud": "kinds:Cloud"},
        "flasheval.extractors": {"eyes": "kinds:Eyes"},
        "flasheval.generators": {"painter": "kinds:Painter"},
    }
    (tmp_path / "kinds.py").write_text(KINDS)
    _install(tmp_path, "kinds", groups)
    for verb, words, expected in (
        ("evaluate", ("tracker=log", "tracker.path=a"), "tracker:\n  name: log\n  path: a\n"),
        ("watch", ("tracker=log",), "tracker:\n  name: log\n  path: log.txt\n"),
        ("run", ("executor=cloud",), "executor:\n  name: cloud\n  workers: 3\n"),
        ("distance", ("extractor=eyes",), "extractor:\n  name: eyes\n  size: 8\n"),
        ("evaluate", ("generator=painter", "strokes=4"), "generator: painter\n"),
    ):
        ran = _flasheval(tmp_path, [tmp_path], verb, *words, "--cfg", "job")
        assert expected in ran.stdout
    assert "brush: null\nstrokes: 4\n" in ran.stdout
