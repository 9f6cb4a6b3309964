"""Checking pages in a real browser, with a stand-in for axe-core, which is not installed here."""

import os
import runpy
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "release" / "check_pages.py"
AXE = """window.axe = {run: async () => ({violations:
  [...document.querySelectorAll("img:not([alt])")].map(one => ({id: "image-alt", impact: "critical",
                nodes: [{html: one.outerHTML, failureSummary: "no alt"}]}))})};"""
FINE = "<!doctype html><title>t</title><p>short</p>"
WRONG = """<!doctype html><title>t</title><div style="width: 700px">wide</div>
<img src="data:,"><p style="width: 40px; overflow: hidden; white-space: nowrap">cut off here</p>"""


def _checked(monkeypatch: pytest.MonkeyPatch, folder: Path, html: str) -> int:
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if os.environ.get("CHROMIUM") is None and shutil.which("chromium") is None:
        pytest.skip("no Chromium: install one, or name it with the environment variable CHROMIUM")
    (folder / "axe.js").write_text(AXE, "utf-8")
    (folder / "page.html").write_text(html, "utf-8")
    words = [str(folder / "page.html"), "--axe", str(folder / "axe.js")]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *words])
    code: int = runpy.run_path(str(SCRIPT))["main"]()
    return code


def test_a_fine_page_has_no_finding(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _checked(monkeypatch, tmp_path, FINE) == 0
    assert capsys.readouterr().out == "1 pages, 0 serious findings\n"


def test_what_is_wrong_is_named_for_each_look(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _checked(monkeypatch, tmp_path, WRONG) == 1
    out = capsys.readouterr().out
    assert out.count("image-alt") == 4
    assert out.count("text is cut off") == 4
    assert out.count("scrolls sideways") == 2  # the narrow ones
    assert "page.html 390 dark: scrolls sideways" in out
