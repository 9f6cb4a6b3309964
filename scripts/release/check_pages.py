r"""Check HTML pages with axe-core in headless Chromium: light, dark, wide and narrow.

    npm install --prefix axe axe-core
    python scripts/release/check_pages.py --axe axe/node_modules/axe-core/axe.min.js \
        report.html votes.html site/index.html --pictures pictures

It names every finding of axe-core (contrast, names, headings, keyboard), a page that scrolls
sideways, and text that is cut off. Exit code 1 where something serious is found. Needs playwright
and a Chromium (the environment variable CHROMIUM, or on the path).
"""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
BAD = ("serious", "critical")
ARGUMENTS = runpy.run_path(str(Path(__file__).with_name("screenshot_report.py")))["ARGUMENTS"]
# Text that its own box hides: wider than the box, which neither shows it nor scrolls.
_CUT = """() => [...document.querySelectorAll("body *")].filter(one => {
  const style = getComputedStyle(one);
  const hides = ["hidden", "clip"].includes(style.overflowX);
  // A box of a pixel is text for screen readers, hidden on purpose.
  return hides && one.clientWidth > 2 && one.scrollWidth > one.clientWidth + 1
    && one.innerText && one.checkVisibility();
}).map(one => one.outerHTML.slice(0, 120))"""
_WIDE = "() => document.documentElement.scrollWidth - innerWidth"


def main() -> int:
    """Check the pages and print a line for each finding."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pages", type=Path, nargs="+", help="HTML files")
    parser.add_argument("--axe", type=Path, required=True, help="axe.min.js of axe-core")
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each look")
    given = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    absent = [str(path) for path in (given.axe, *given.pages) if not path.is_file()]
    if chromium is None or absent:
        said = f"not there: {', '.join(absent)}" if absent else "no Chromium: name one, CHROMIUM="
        print(said, file=sys.stderr)
        return 1
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    bad = 0
    for impact, line in _findings(chromium, given.axe, given.pages, given.pictures):
        bad += impact in BAD
        print(f"{impact}: {line}")
    print(f"{len(given.pages)} pages, {bad} serious findings")
    return int(bad > 0)


def _findings(
    chromium: str, axe: Path, pages: list[Path], pictures: Path | None
) -> Iterator[tuple[str, str]]:
    from playwright.sync_api import sync_playwright

    source = axe.read_text("utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for page in pages:
            for width in WIDTHS:
                for scheme in SCHEMES:
                    tab = browser.new_page(
                        viewport={"width": width, "height": 900}, color_scheme=scheme
                    )
                    tab.goto(page.resolve().as_uri())
                    for summary in tab.query_selector_all("summary"):
                        summary.evaluate("one => { one.parentElement.open = true }")
                    where = f"{page.name} {width} {scheme}"
                    for impact, line in _look(tab, source):
                        yield impact, f"{where}: {line}"
                    if pictures:
                        name = f"{page.stem}-{width}-{scheme}.png"
                        tab.screenshot(path=str(pictures / name), full_page=True)
                    tab.close()
        browser.close()


def _look(tab: Any, axe: str) -> Iterator[tuple[str, str]]:
    tab.evaluate(axe)
    found = tab.evaluate("axe.run(document, {resultTypes: ['violations']})")
    for one in found["violations"]:
        first = one["nodes"][0]
        said = " ".join(str(first.get("failureSummary", "")).split())
        many = f"{len(one['nodes'])} times, first " if len(one["nodes"]) > 1 else ""
        yield one["impact"] or "minor", f"{one['id']}: {many}{first['html'][:120]} {said[:240]}"
    over = tab.evaluate(_WIDE)
    if over > 0:
        yield "serious", f"scrolls sideways by {over} pixels"
    for text in tab.evaluate(_CUT):
        yield "moderate", f"text is cut off: {text}"


if __name__ == "__main__":
    sys.exit(main())
