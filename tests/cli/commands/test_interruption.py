"""Ctrl-C and SIGTERM, sent to a real process, which is then run again to its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flasheval.base.threads import cores
from flasheval.subset import Subset

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (
    "search",
    "scores=synthetic",
    "metric=quality",
    "method=frequency",
    "method.n_sets=1500000",
    "method.pools=[500]",
    "size=20",
    "splits=random:2",
    "draws=10",
)


# The state is saved after every step, not every five seconds, so that a test can wait for it.
PROGRAM = """
import sys
import flasheval.selection.methods.driver
flasheval.selection.methods.driver._SAVE_EVERY_SECONDS = 0.0
from flasheval.cli import main
sys.exit(main(sys.argv[1:]))
"""


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *COMMAND, "out=mine"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stop(process: subprocess.Popen[str], units: Path, number: int) -> tuple[str, str]:
    """Send a signal as soon as every search under way has done its first step.

    The search on all variants begins first, and those of the two splits where there are cores.
    """
    deadline = time.monotonic() + 100  # kernels may have to be compiled
    while len(list(units.glob("*.npz"))) < min(3, cores()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    return process.communicate(timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_search_leaves_its_best_and_continues(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = start(tmp_path)
    out, err = stop(process, tmp_path / "mine/units", number)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "flasheval: interrupted; run the same command to continue"
    assert "Traceback" not in err
    assert "warning: interrupted: this is the best so far" in out
    best = Subset.load(tmp_path / "mine/subset.json")
    assert best.record.interrupted
    assert best.size == 20

    again = start(tmp_path)
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert "interrupted" not in out
    resumed = Subset.load(tmp_path / "mine/subset.json")
    assert not resumed.record.interrupted
    assert resumed.content_hash == uninterrupted()


def uninterrupted() -> str:
    from flasheval import search
    from flasheval.scores.synthetic import synthetic_scores

    settings = {"n_sets": 1_500_000, "pools": (500,)}
    result = search(
        synthetic_scores(),
        metric="quality",
        method="frequency",
        settings=settings,
        size=20,
        splits=None,
    )
    return result.subset.content_hash
