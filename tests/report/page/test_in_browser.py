"""The page in a real browser, as wide as a desk's screen and as a telephone's."""

import os
import runpy
import shutil
from pathlib import Path

import pytest

from flasheval.report.page.contents import contents_of
from flasheval.report.page.origin import find_origin
from flasheval.report.page.score_sources import scores_of
from flasheval.report.page.writing import page_html
from flasheval.scores import load_scores

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "release" / "screenshot_report.py"
ARGUMENTS = runpy.run_path(str(SCRIPT))["ARGUMENTS"]


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium: install one, or name it with the environment variable CHROMIUM")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(miniature_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    origin = find_origin(miniature_run)
    contents = contents_of(origin, scores_of(origin.subset, load_scores("miniature")))
    path.write_text(page_html(contents), "utf-8")
    return path


@pytest.fixture
def opened(browser):
    """A function: a page's file and a width -> the tab; nothing may go wrong in it."""
    wrong, tabs = [], []

    def open_page(path, width, **more):
        tab = browser.new_page(viewport={"width": width, "height": 900}, **more)
        tabs.append(tab)
        tab.on("console", lambda one: wrong.append(one.text) if one.type == "error" else None)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("dialog", lambda dialog: wrong.append(dialog.message))
        tab.on(
            "request",
            lambda one: None if one.url.startswith(("file:", "data:")) else wrong.append(one.url),
        )
        tab.goto(path.resolve().as_uri())
        return tab

    yield open_page
    for tab in tabs:
        tab.close()
    assert wrong == []


@pytest.mark.parametrize("width", [1280, 390])
def test_everything_is_there_and_nothing_leaves_the_page(opened, page, width):
    tab = opened(page, width)
    assert tab.title() == "miniature-all-balanced-20: report"
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = tab.eval_on_selector_all(
        "svg, img", "all => all.map(e => e.getBoundingClientRect()).map(r => [r.width, r.height])"
    )
    assert len(sizes) == 21
    assert all(min(size) > 100 for size in sizes)
    assert max(wide for wide, _ in sizes) <= width
    for details in tab.query_selector_all("summary"):
        details.click()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_letters_are_legible_on_a_telephone(opened, page):
    tab = opened(page, 390)
    heights = tab.eval_on_selector_all(
        "svg text",
        "all => all.map(e => parseFloat(getComputedStyle(e).fontSize) *"
        " e.ownerSVGElement.getScreenCTM().a)",
    )
    assert len(heights) > 200
    assert min(heights) >= 10


def test_a_table_is_sorted_by_its_headers_and_shows_one_metric(opened, page):
    tab = opened(page, 1280)
    shown = "rows => rows.map(row => row.cells[{}].dataset.v).map(Number)"
    rows, column = "table.sortable tbody tr", 4
    title = tab.locator("table.sortable th >> visible=true").nth(column)
    assert "discrimination" in title.inner_text()
    index = title.evaluate("cell => cell.cellIndex")
    before = tab.eval_on_selector_all(rows, shown.format(index))
    title.locator("button").click()
    after = tab.eval_on_selector_all(rows, shown.format(index))
    assert after == sorted(before, reverse=True) != before
    assert title.get_attribute("aria-sort") == "descending"
    title.locator("button").click()
    assert tab.eval_on_selector_all(rows, shown.format(index)) == sorted(before)
    visible = tab.locator("table.sortable thead th >> visible=true")
    assert visible.count() == 3 + 5
    tab.get_by_text("Quality", exact=True).and_(tab.locator("label")).click()
    assert visible.count() == 3 + 5
    assert visible.nth(4).evaluate("cell => cell.cellIndex") == index + 10


def test_without_scripts_the_table_is_whole(browser, page):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page.resolve().as_uri())
    assert tab.locator("table.sortable thead th >> visible=true").count() == 3 + 3 * 5
    assert tab.locator("fieldset").is_hidden()
    context.close()


def test_names_and_texts_are_data_in_the_dark_too(opened, written):
    tab = opened(written.page, 390, color_scheme="dark")
    assert tab.title() == "made-up-0-clip+fid-balanced-5: report"
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 23, 26)"
