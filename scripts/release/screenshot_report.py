"""Picture a report's page in headless Chromium, as wide as a desk's screen and as a telephone's.

The pictures in docs/images are those of the default search:

    flasheval search
    flasheval report flasheval-runs/search/miniature-all-auto-50-seed0 out=report.html
    python scripts/release/screenshot_report.py report.html docs/images

Needs playwright and a Chromium (the environment variable CHROMIUM, or on the path).
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from pathlib import Path

SIZES = {"wide": (1280, 2560), "phone": (390, 2560)}
MOST_BYTES = 300_000
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


def main() -> int:
    """Write report-wide.png and report-phone.png into a folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=Path, help="the report, an HTML file")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--dark", action="store_true", help="with the dark theme")
    parser.add_argument("--whole", action="store_true", help="the whole page, however long")
    given = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("no Chromium: name one with the environment variable CHROMIUM", file=sys.stderr)
        return 1
    if not given.page.is_file():
        print(f"{given.page} is not there: flasheval report makes one", file=sys.stderr)
        return 1
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, (width, height) in SIZES.items():
        picture = _picture(chromium, given.page, width, None if given.whole else height, given.dark)
        path = given.folder / f"report-{name}.png"
        path.write_bytes(picture if given.whole else _small(picture))
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
    return 0


def _picture(chromium: str, page: Path, width: int, height: int | None, dark: bool) -> bytes:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        tab = browser.new_page(
            viewport={"width": width, "height": height or 1000},
            color_scheme="dark" if dark else "light",
        )
        tab.goto(page.resolve().as_uri())
        picture = tab.screenshot(full_page=height is None)
        browser.close()
    return bytes(picture)


def _small(picture: bytes) -> bytes:
    """Return a PNG with as many colours as fit the limit."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (256, 128, 64, 32):
        buffer = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= MOST_BYTES:
            break
    return buffer.getvalue()


if __name__ == "__main__":
    sys.exit(main())
