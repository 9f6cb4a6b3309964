"""What evaluate costs over a bare loop is measured."""

import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "evidence" / "benchmark_evaluate.py"


@pytest.mark.slow
def test_both_sides_take_turns_and_score_alike(capsys, monkeypatch):
    pytest.importorskip("diffusers")
    options = ["--pipeline", "small-final", "--prompts", "3", "--batch", "2"]
    options += ["--steps", "1", "--rounds", "2"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *options])
    monkeypatch.setattr(sys, "path", [*sys.path])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    assert [row[0] for row in rows[2:]] == ["wall time", "CPU time"]
    assert all(float(row[1]) > 0 and row[2].endswith("%") and row[4] == "2" for row in rows[2:])
    assert lines[-1].startswith("Greatest memory: ")
