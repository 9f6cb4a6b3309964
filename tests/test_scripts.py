"""The scripts run: each says what it is for, and a small form of each measurement ends well."""

import runpy
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
def test_help_says_what_a_script_is_for(script, monkeypatch, capsys):
    """In this process, which has imported most of what the scripts do."""
    path = SCRIPTS / script
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path])
    known = set(sys.modules)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(path), run_name="__main__")
    for name in set(sys.modules) - known:
        if SCRIPTS in Path(getattr(sys.modules[name], "__file__", None) or "/").parents:
            monkeypatch.delitem(sys.modules, name)  # another folder may have one of that name
    assert ended.value.code == 0
    text = capsys.readouterr().out
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


def test_a_leaderboard_is_measured_in_a_small_form():
    small = ("--tables", 4, "--splits", 1, "--variants", 20, "--prompts", 500)
    text = _run("evidence/measure_rank.py", *small)
    assert text.count("| CLIP | ") == 3
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    shares = {float(row[2]) for row in rows if row[0] == "| normal"}
    assert shares == {1.0}
    assert "- 20 variants x 500 prompts, seconds: " in text
