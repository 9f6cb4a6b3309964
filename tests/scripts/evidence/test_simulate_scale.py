"""Runs of very many free units are measured by phase."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "evidence" / "simulate_scale.py"


@pytest.mark.slow
def test_two_thousand_free_units(tmp_path):
    pytest.importorskip("PIL")
    sizes = ("--variants", "10", "--units", "300", "2000")
    command = [sys.executable, SCRIPT, *sizes, "--folder", tmp_path]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    rows = [line.strip("| ").split(" | ") for line in ran.stdout.splitlines() if line[:1] == "|"]
    phases = {row[0]: row[1:] for row in rows[2:]}
    for phase in ("plan", "do units", "collect", "look at units that are done", "status"):
        small, large = float(phases[phase][2]), float(phases[phase][6])  # microseconds a unit
        assert large < 3 * small + 100
    assert phases["files of scores"][4] == "2,000"
    assert not list(tmp_path.iterdir())
