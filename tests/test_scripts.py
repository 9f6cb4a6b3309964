"""The scripts run: each says what it is for, and a small form of each measurement ends well."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def _run(name, *arguments):
    command = [sys.executable, SCRIPTS / name, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.py")))
def test_help_says_what_a_script_is_for(script):
    text = _run(script, "--help")
    assert text.startswith(f"usage: {script}")
    assert len(text.splitlines()) > 10


def test_speed_is_measured_with_its_memory():
    text = _run(
        "benchmark_search.py",
        *("--only", "frequency", "large"),
        *("--n-sets", 500, "--prompts", 20_000, "--variants", 30),
    )
    assert "## frequency" in text
    assert "- sets: 6,000\n" in text
    assert "- 20,000 prompts, seconds: " in text
    assert text.count("- peak memory, GiB: ") == 2


@pytest.mark.slow
def test_agreement_is_measured_beside_random_and_continues(shared_data, tmp_path):
    arguments = (
        *("--data", shared_data, "--units", tmp_path / "units", "--out", tmp_path / "a.md"),
        *("--splits", "random:2@0", "--sizes", 10, "--methods", "random", "frequency"),
        *("--n-sets", 500),
    )
    _run("benchmark_agreement.py", *arguments)
    first = (tmp_path / "a.md").read_text("utf-8")
    kept = sorted(path.name for path in (tmp_path / "units").iterdir())
    assert len(kept) == 5 * 3 * 7 + 2 * 2 * 7  # seeds, sizes, metrics; halves, methods, metrics
    _run("benchmark_agreement.py", *arguments)
    assert (tmp_path / "a.md").read_text("utf-8") == first
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == kept
    rows = [line.split(" | ") for line in first.splitlines() if line.startswith("| COCO | 10")]
    assert [row[2] for row in rows] == ["(random, 200 draws)", "random", "frequency"]
    assert float(rows[2][3]) > float(rows[0][3])
    assert str(shared_data) not in first
