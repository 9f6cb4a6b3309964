"""The house keeps its rules: every import is read, late ones, those for types and targets in text.

A folder imports only folders on floors below it, no two files import each other, and the rooms
that must work without torch never import it.
"""

import runpy
from pathlib import Path

import pytest

import flasheval

PACKAGE = Path(flasheval.__file__).parent
SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "evidence" / "measure_house.py"

# Lowest first.
FLOORS = [
    *("base", "prompts", "generators", "scores", "subset", "miniature", "scorers", "selection"),
    *("runs", "set_metrics", "retrieval", "evaluation", "report", "cli"),
]
MOST_AT_TOP = 16
MOST_IN_A_FOLDER = 27

WITHOUT_TORCH = ("base", "prompts", "scores", "subset", "selection")
TORCH_BY_NAME = ("flasheval.base.models", "flasheval.scores.ranking.kendall_torch")
HEAVY = ("torch", "diffusers", "transformers", "accelerate", "peft", "safetensors", "optimum")

house = runpy.run_path(str(SCRIPT))
room_of, circles, imports_of = house["room_of"], house["circles"], house["imports_of"]
MODULES = house["modules_of"](PACKAGE)
IMPORTS = {name: imports_of(path, MODULES) for name, path in MODULES.items()}


def test_every_folder_has_its_floor():
    rooms = {room_of(name) for name in MODULES} - {"", "__main__"}
    assert rooms <= set(FLOORS)


def test_no_folder_imports_one_above_it():
    floor = {room: number for number, room in enumerate(FLOORS)}
    up = [
        f"{name} line {one.line} imports {one.module}"
        for name, found in IMPORTS.items()
        if room_of(name) in floor
        for one in found
        if one.module == "flasheval"
        or (one.module in MODULES and floor[room_of(one.module)] > floor[room_of(name)])
    ]
    assert not up, "\n".join(up)


def test_no_two_files_import_each_other():
    assert circles(house["file_graph"](IMPORTS, MODULES)) == []


@pytest.mark.parametrize("room", WITHOUT_TORCH)
def test_a_room_that_works_without_torch_never_imports_it(room):
    said = [
        f"{name} line {one.line} imports {one.module}"
        for name, found in IMPORTS.items()
        if room_of(name) == room and not name.startswith(TORCH_BY_NAME)
        for one in found
        if one.module.partition(".")[0] in HEAVY
    ]
    assert not said, "\n".join(said)


def test_only_drawings_cut_names():
    """A view has names in full: what is printed, piped or written is made from it."""
    cut = {
        name
        for name, path in MODULES.items()
        if "shortened(" in path.read_text("utf-8") and name != "flasheval.base.text"
    }
    allowed = ("flasheval.base.drawing.", "flasheval.report.page.draw_")
    assert {name for name in cut if not name.startswith(allowed)} == set()


def test_the_top_is_read_at_a_glance():
    names = {path.name for path in PACKAGE.iterdir()} - {"__pycache__", "py.typed"}
    assert len(names) <= MOST_AT_TOP, sorted(names)


def test_no_folder_grows_without_parts():
    counts = {
        str(folder.relative_to(PACKAGE)): len(list(folder.glob("*.py")))
        for folder in {path.parent for path in MODULES.values()}
    }
    assert {name: n for name, n in counts.items() if n > MOST_IN_A_FOLDER} == {}


def test_late_imports_and_targets_in_text_are_read(tmp_path):
    file = tmp_path / "one.py"
    file.write_text(
        '"""flasheval.cli is only spoken of here."""\n'
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from flasheval.cli import main\n"
        "def late():\n    import torch\n"
        "TARGET = 'flasheval.report.plot:draw'\n"
        "KEY = 'flasheval.metric'\n"
    )
    known = {"flasheval.cli": None, "flasheval.report.plot": None}
    found = {(one.module, one.line, one.late) for one in imports_of(file, known)}
    assert found == {
        ("typing", 2, False),
        ("flasheval.cli", 4, False),
        ("torch", 6, True),
        ("flasheval.report.plot", 7, False),
    }


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circles(graph) == [["a", "b", "c"]]


def test_an_arrow_against_the_others_is_found():
    assert house["upward"]({("c", "b"), ("b", "a"), ("c", "a"), ("a", "c")}) == [("a", "c")]
