"""What votes are worth is measured in a small form, and the page keeps its words."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "evidence" / "measure_votes.py"


def run(*arguments):
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_without_the_data_nothing_is_measured(tmp_path):
    assert "nothing measured" in run("--data", tmp_path, "--out", tmp_path / "votes.md")
    assert not (tmp_path / "votes.md").exists()


def test_a_small_form(shared_data, tmp_path):
    page = tmp_path / "votes.md"
    page.write_text("# Votes\n\nwords\n\n<!-- measured -->\nold\n")
    run("--data", shared_data, "--splits", 2, "--repeats", 1, "--out", page)
    text = page.read_text("utf-8")
    assert text.startswith("# Votes\n\nwords\n")
    assert "old" not in text
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    errors = {row[0].strip("| "): float(row[3].split()[0]) for row in rows if "(" in row[-1]}
    assert errors["all"] < errors["a third at random"] < errors["50 at random"]
