"""A run whose endpoint misbehaves and which is killed: a small one, and the promises kept."""

import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "stress" / "endpoint_kills.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_run_asks_again_only_what_was_under_way(tmp_path):
    pytest.importorskip("PIL")
    before = list(sys.path)
    try:
        torture = runpy.run_path(str(SCRIPT))["torture"]
    finally:
        sys.path[:] = before
    found = torture(96, 1, 4, tmp_path)
    assert found["calls"] <= found["bound"] == 96 + 1 + 4 + found["spoilt"]
    assert found["spoilt"] > 0
    assert found["most_at_a_time"] <= 4 + 4  # the killed run's calls may still be under way
