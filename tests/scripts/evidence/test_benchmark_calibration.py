"""Calibrations are measured in a small form, and the same command continues."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "evidence" / "benchmark_calibration.py"


def run(*arguments):
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_calibrations_are_held_to_their_word_and_it_continues(shared_data, tmp_path):
    arguments = (
        *("--data", shared_data, "--units", tmp_path / "units", "--out", tmp_path / "c.md"),
        *("--quick", "--splits", "dev", "--sizes", 10, "--methods", "random", "balanced"),
        *("--prompt-sets", "DiffusionDB", "--metrics", "CLIP", "HPS"),
    )
    run(*arguments)
    first = (tmp_path / "c.md").read_text("utf-8")
    kept = sorted(path.name for path in (tmp_path / "units").iterdir())
    run(*arguments)
    assert (tmp_path / "c.md").read_text("utf-8") == first
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == kept
    rows = [line.split(" | ") for line in first.splitlines() if line.startswith("| random halves")]
    assert len(rows) == 3 * 2  # three tables, two methods
    random, balanced = rows[:2]
    assert float(balanced[5]) < float(random[5])  # the error of the predicted full score
    assert 75 <= int(balanced[6].split("%")[0]) <= 100
    assert str(shared_data) not in first
