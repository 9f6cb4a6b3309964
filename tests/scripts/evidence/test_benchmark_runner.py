"""The runner's memory and own costs are measured."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "evidence" / "benchmark_runner.py"


def _rows(*arguments):
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines = [line for line in ran.stdout.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "---"]


def test_memory_of_a_short_run_and_own_costs():
    pytest.importorskip("PIL")
    rows = _rows("--only", "memory", "profile", "--long", 80, "--units", 4)
    assert rows[0][0] == "units"
    assert rows[1][0] == "80"
    assert abs(float(rows[1][2]) - float(rows[1][1])) < 20  # MiB
    assert {row[0] for row in rows[2:]} >= {"fsync", "JSON", "hashing"}
