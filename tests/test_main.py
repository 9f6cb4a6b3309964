"""`python -m flasheval`: the command in a process of its own, with its exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flasheval import __version__

ROOT = Path(__file__).resolve().parents[1]


def python(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_the_command(tmp_path: Path) -> None:
    done = python("-m", "flasheval", "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"flasheval {__version__}\n", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (
            ["serch"],
            2,
            "no verb 'serch'; there are: doctor, run, generate, score, status, import",
        ),
        (["show", "none.json"], 1, "none.json"),
    ],
)
def test_the_exit_code_reaches_the_shell(
    tmp_path: Path, words: list[str], code: int, line: str
) -> None:
    done = python("-m", "flasheval", *words, cwd=tmp_path)
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.startswith("flasheval: error: ")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


def test_importing_it_runs_nothing(tmp_path: Path) -> None:
    done = python(
        "-c", "import sys; sys.argv[1:] = ['serch']; import flasheval.__main__", cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
