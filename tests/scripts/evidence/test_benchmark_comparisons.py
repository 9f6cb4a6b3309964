"""Comparisons are measured in a small form, and the same command continues."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "evidence" / "benchmark_comparisons.py"


def run(*arguments):
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_comparisons_save_prompts_and_are_seldom_wrong_and_it_continues(tmp_path):
    arguments = (
        *("--units", tmp_path / "units", "--out", tmp_path / "c.md"),
        *("--seeds", 1, "--splits", "dev", "--metrics", "Composition"),
    )
    run(*arguments)
    first = (tmp_path / "c.md").read_text("utf-8")
    kept = sorted(path.name for path in (tmp_path / "units").iterdir())
    run(*arguments)
    assert (tmp_path / "c.md").read_text("utf-8") == first
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == kept
    rows = [line.split(" | ") for line in first.splitlines() if line.startswith("| miniature |")]
    assert len(rows) == 4 + 1  # four rules, and one metric
    in_looks, at_once, plain, random = (
        [float(cell.split()[0].strip("%")) for cell in row[2:5]] + [int(row[5].split()[0])]
        for row in rows[:4]
    )
    assert in_looks[0] > random[0]  # decided
    assert at_once[0] >= in_looks[0]
    assert in_looks[1] < plain[1]  # wrong among those
    assert in_looks[3] < at_once[3] == random[3] == 50  # prompts
    assert "496 comparisons in 1 metrics" in first
