"""The scripts run: each says what it is for, and a small form of each measurement ends well."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
RUNNABLE = sorted(
    str(path.relative_to(SCRIPTS))
    for path in SCRIPTS.glob("*/*.py")
    if "__main__" in path.read_text("utf-8")
)


def _run(name, *arguments):
    command = [sys.executable, SCRIPTS / name, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("script", RUNNABLE)
def test_help_says_what_a_script_is_for(script):
    text = _run(script, "--help")
    assert text.startswith(f"usage: {Path(script).name}")
    assert len(text.splitlines()) > 10


def test_speed_is_measured_with_its_memory():
    text = _run(
        "evidence/benchmark_search.py",
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
        *("--quick", "--metrics", "CLIP", "HPS", "--prompt-sets", "DiffusionDB"),
        *("--sizes", 10, 50),
        *("--kinds", "random halves", "12 search variants", "two base models out"),
        *("--methods", "frequency", "pooled", "auto"),
    )
    _run("evidence/benchmark_agreement.py", *arguments)
    first = (tmp_path / "a.md").read_text("utf-8")
    kept = sorted(path.name for path in (tmp_path / "units").rglob("*.json"))
    assert len(kept) == 3 * 2 * 3 * 2 * 2  # kinds, splits, methods, metrics, sizes
    _run("evidence/benchmark_agreement.py", *arguments)
    assert _without_seconds((tmp_path / "a.md").read_text("utf-8")) == _without_seconds(first)
    assert sorted(path.name for path in (tmp_path / "units").rglob("*.json")) == kept
    halves = first.split("## DiffusionDB, random halves")[1].split("##")[0]
    rows = [line.split(" | ") for line in halves.splitlines() if line.startswith("| 50 |")]
    assert [row[1] for row in rows] == ["random", "frequency", "pooled", "auto"]
    tau = [float(row[2].split()[0]) for row in rows]
    assert min(tau[1:]) > tau[0]
    assert "| two base models out | 50 | 300 |" in first
    assert str(shared_data) not in first


def _without_seconds(text):
    return [
        line.rpartition(" | ")[0] if line.startswith("| ") else line for line in text.splitlines()
    ]


@pytest.mark.slow
def test_calibrations_are_held_to_their_word_and_it_continues(shared_data, tmp_path):
    arguments = (
        *("--data", shared_data, "--units", tmp_path / "units", "--out", tmp_path / "c.md"),
        *("--quick", "--splits", "dev", "--sizes", 10, "--methods", "random", "balanced"),
        *("--prompt-sets", "DiffusionDB"),
    )
    _run("evidence/benchmark_calibration.py", *arguments)
    first = (tmp_path / "c.md").read_text("utf-8")
    kept = sorted(path.name for path in (tmp_path / "units").iterdir())
    _run("evidence/benchmark_calibration.py", *arguments)
    assert (tmp_path / "c.md").read_text("utf-8") == first
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == kept
    rows = [line.split(" | ") for line in first.splitlines() if line.startswith("| random halves")]
    assert len(rows) == 3 * 2  # three tables, two methods
    random, balanced = rows[:2]
    assert float(balanced[5]) < float(random[5])  # the error of the predicted full score
    assert 75 <= int(balanced[6].split("%")[0]) <= 100
    assert str(shared_data) not in first


@pytest.mark.slow
def test_comparisons_save_prompts_and_are_seldom_wrong_and_it_continues(tmp_path):
    arguments = (
        *("--units", tmp_path / "units", "--out", tmp_path / "c.md"),
        *("--seeds", 1, "--splits", "dev"),
    )
    _run("evidence/benchmark_comparisons.py", *arguments)
    first = (tmp_path / "c.md").read_text("utf-8")
    kept = sorted(path.name for path in (tmp_path / "units").iterdir())
    _run("evidence/benchmark_comparisons.py", *arguments)
    assert (tmp_path / "c.md").read_text("utf-8") == first
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == kept
    rows = [line.split(" | ") for line in first.splitlines() if line.startswith("| miniature |")]
    assert len(rows) == 4 + 3  # four rules, and three metrics
    in_looks, at_once, plain, random = (
        [float(cell.split()[0].strip("%")) for cell in row[2:5]] + [int(row[5].split()[0])]
        for row in rows[:4]
    )
    assert in_looks[0] > random[0]  # decided
    assert at_once[0] >= in_looks[0]
    assert in_looks[1] < plain[1]  # wrong among those
    assert in_looks[3] < at_once[3] == random[3] == 50  # prompts
    assert "1,488 comparisons in 3 metrics" in first


def test_a_leaderboard_is_measured_in_a_small_form():
    small = ("--tables", 4, "--splits", 1, "--variants", 20, "--prompts", 500)
    text = _run("evidence/measure_rank.py", *small)
    assert text.count("| CLIP | ") == 3
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    shares = {float(row[2]) for row in rows if row[0] == "| normal"}
    assert shares == {1.0}
    assert "- 20 variants x 500 prompts, seconds: " in text
