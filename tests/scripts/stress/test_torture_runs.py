"""Runs are broken in every way the script knows, in its small form, and nothing is lost."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "stress" / "torture_runs.py"


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_differs():
    pytest.importorskip("PIL")
    command = [sys.executable, SCRIPT, "--quick", "--kills", "4"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.fullmatch(
        r"torture: 4 kills, 2 runners, \d workers killed, 1x (disk full|files refused), "
        r"6 damaged files: all scores byte-identical; 0 units lost, 0 done twice",
        ran.stdout.splitlines()[-1],
    )
