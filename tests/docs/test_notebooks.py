"""The notebooks of the documentation run as they stand, and hold nothing of who ran them."""

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stripped(path: Path) -> None:
    data = json.loads(path.read_text("utf-8"))
    code = [cell for cell in data["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 4
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    assert all(not cell["metadata"] for cell in data["cells"])
    assert set(data["metadata"]) == {"kernelspec", "language_info"}
    assert data["metadata"]["kernelspec"]["name"] == "python3"
    text = path.read_text("utf-8")
    assert not any(word in text for word in ("/home/", "/tmp", "/root", "/Users/"))  # noqa: S108


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_every_result_shows_itself(path: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("torch")
    pytest.importorskip("diffusers")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    place = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=240, resources=place).execute()  # raises as a cell
    pages = [
        found["data"]["text/html"]
        for cell in notebook.cells
        for found in cell.get("outputs", ())
        if "text/html" in found.get("data", ())
    ]
    shown = [page for page in pages if page.startswith('<div class="flasheval">')]
    assert len(shown) >= 5
    assert sum("<svg" in page for page in shown) >= 2
    assert all("<table" in page for page in shown)
    assert any("full set" in page for page in shown)
    (manifest,) = tmp_path.glob("*.json")
    assert json.loads(manifest.read_text("utf-8"))["format"] == "flasheval-subset"
