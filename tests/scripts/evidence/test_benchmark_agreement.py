"""Held-out agreement is measured in a small form, and the same command continues."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "evidence" / "benchmark_agreement.py"


def run(*arguments):
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.slow
def test_agreement_is_measured_beside_random_and_continues(shared_data, tmp_path):
    arguments = (
        *("--data", shared_data, "--units", tmp_path / "units", "--out", tmp_path / "a.md"),
        *("--quick", "--metrics", "CLIP", "--prompt-sets", "DiffusionDB"),
        *("--sizes", 50),
        *("--kinds", "random halves", "two base models out"),
        *("--methods", "frequency", "pooled"),
    )
    run(*arguments)
    first = (tmp_path / "a.md").read_text("utf-8")
    kept = sorted(path.name for path in (tmp_path / "units").rglob("*.json"))
    assert len(kept) == 2 * 2 * 2  # kinds, splits, methods
    run(*arguments)
    assert _without_seconds((tmp_path / "a.md").read_text("utf-8")) == _without_seconds(first)
    assert sorted(path.name for path in (tmp_path / "units").rglob("*.json")) == kept
    halves = first.split("## DiffusionDB, random halves")[1].split("##")[0]
    rows = [line.split(" | ") for line in halves.splitlines() if line.startswith("| 50 |")]
    assert [row[1] for row in rows] == ["random", "frequency", "pooled"]
    tau = [float(row[2].split()[0]) for row in rows]
    assert min(tau[1:]) > tau[0]
    assert "| two base models out | 50 | 300 |" in first
    assert str(shared_data) not in first


def _without_seconds(text):
    return [
        line.rpartition(" | ")[0] if line.startswith("| ") else line for line in text.splitlines()
    ]
