"""Votes in a real browser: given by keys and by touch, closed on the way, none lost or double."""

import os
import runpy
import shutil
from pathlib import Path

import pytest

from flasheval.report.votes_page import write_votes_page

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "stress" / "vote_in_browser.py"


@pytest.mark.slow
def test_each_vote_comes_out_once(kept_run, tmp_path):
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium: install one, or name it with the environment variable CHROMIUM")
    vote = runpy.run_path(str(SCRIPT))["vote"]
    page = write_votes_page(kept_run, None, tmp_path / "page.html", pairs=12, raters=2)
    assert vote(chromium, page, tmp_path / "votes.json", 12) == []
