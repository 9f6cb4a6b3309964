"""Vote on a page of votes in headless Chromium, by keys and by touch, and count what comes out.

Closes and reopens the browser on the way, takes votes back, presses keys that must do nothing, goes
on in another browser from the file downloaded, and checks that no vote is lost, double or another
than the one given, and that no variant is shown on one side more than on the other:

    python scripts/stress/vote_in_browser.py votes.html votes.json

Needs playwright and a Chromium (the environment variable CHROMIUM, or on the path).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RATER = "Zoë </script> \u2028 <b>"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WAIT = 260  # milliseconds: a vote that comes sooner is not taken
KEYS = {
    "left": ("ArrowLeft", "a", "A"),
    "right": ("ArrowRight", "l", "L"),
    "tie": ("ArrowDown", "t", "T"),
}
SHOWN = """() => {
  const codes = {};
  for (const one of document.querySelectorAll("script[type='image/webp']")) {
    codes[one.textContent] = Number(one.id.slice(1));
  }
  const of = (id) => codes[document.getElementById(id).src.split("base64,")[1]];
  return [of("left"), of("right")];
}"""
Browser = Callable[..., Any]
Given = dict[tuple[Any, ...], tuple[str, str]]


def main() -> int:
    """Vote, and say what is wrong; 0 where nothing is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=Path, help="the page, as write_votes_page makes one")
    parser.add_argument("votes", type=Path, help="where the downloaded votes go")
    parser.add_argument("--count", type=int, default=200, help="votes to give (default: 200)")
    given = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("no Chromium: name one with the environment variable CHROMIUM", file=sys.stderr)
        return 1
    if not given.page.is_file():
        print(f"{given.page} is not there: flasheval votes page makes one", file=sys.stderr)
        return 1
    wrong = vote(chromium, given.page, given.votes, given.count)
    for line in wrong:
        print(f"wrong: {line}")
    return 1 if wrong else 0


def vote(chromium: str, page: Path, votes: Path, count: int) -> list[str]:
    """Give so many votes, or one a pair where there are fewer, and return what went wrong.

    The first half is given by keys and the second by touch in a browser opened again; the last
    tenth in another browser, from the file that the first one downloaded.
    """
    from playwright.sync_api import sync_playwright

    rng, given, wrong = random.Random(0), Given(), list[str]()  # noqa: S311 - no secret
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as place:

        @contextmanager
        def opened(profile: str, more: dict[str, Any], part: int | None = None) -> Any:
            """Open the page in the browser of a profile; nothing but the page may be asked for."""
            context = playwright.chromium.launch_persistent_context(
                str(Path(place, profile)), executable_path=chromium, args=list(ARGUMENTS), **more
            )
            tab = context.pages[0]
            _listen(tab, wrong)
            tab.goto(page.resolve().as_uri())
            yield tab
            context.close()

        with opened("first", DESK) as tab:
            tab.fill("#name", f"  {RATER} ")
            if tab.locator("#part").is_visible():
                tab.select_option("#part", "0")
            tab.keyboard.press("Enter")
            pairs = _pairs(tab)
            count = min(count, len(pairs))
            _useless_keys(tab, wrong)
            for number in range(count // 2):
                _give(tab, pairs, given, rng, by_touch=False)
                if number % 20 == 7:
                    _take_back(tab, pairs, given, rng, wrong)
        last = count - max(1, count // 10)
        with opened("first", PHONE) as tab:
            _expect(tab.locator("#names button").count() == 1, "the rater is not known", wrong)
            tab.tap("#names button")
            _progress(tab, count // 2, len(pairs), wrong)
            for _ in range(count // 2, last):
                _give(tab, pairs, given, rng, by_touch=True)
            half = _download(tab, Path(place, "half.json"))
        _compare(half, given, wrong)
        with opened("second", PHONE) as tab:
            tab.set_input_files("#load", Path(place, "half.json"))
            tab.locator("#names button").tap()
            _progress(tab, last, len(pairs), wrong)
            for _ in range(last, count):
                _give(tab, pairs, given, rng, by_touch=True)
            _progress(tab, count, len(pairs), wrong)
            finished = tab.locator("#done").is_visible()
            _expect(finished == (count == len(pairs)), "the end is told at another time", wrong)
            whole = _download(tab, votes)
    _compare(whole, given, wrong)
    _expect(len(given) == count, f"{len(given)} pairs were shown for {count} votes", wrong)
    print(f"{len(whole['votes'])} votes of {len(pairs)}; {_sides(whole, wrong)}")
    return wrong


def _listen(tab: Any, wrong: list[str]) -> None:
    tab.on("console", lambda one: wrong.append(one.text) if one.type == "error" else None)
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("dialog", lambda dialog: wrong.append(dialog.message))
    known = ("file:", "data:", "blob:")
    tab.on(
        "request",
        lambda one: None if one.url.startswith(known) else wrong.append(f"asks for {one.url}"),
    )


def _pairs(tab: Any) -> dict[frozenset[int], tuple[Any, ...]]:
    """Return variants, prompt and image of each pair by the codes of its images, a's code last."""
    data = json.loads(tab.text_content("#data"))
    return {
        frozenset((a_code, b_code)): (
            *(data["variants"][a], data["variants"][b], data["prompts"][prompt][0], image),
            a_code,
        )
        for a, b, prompt, image, a_code, b_code in data["pairs"]
    }


def _give(
    tab: Any,
    pairs: dict[frozenset[int], tuple[Any, ...]],
    given: Given,
    rng: random.Random,
    *,
    by_touch: bool,
) -> None:
    """Choose a side and note what that means."""
    from playwright.sync_api import expect

    tab.wait_for_selector("#two:not(.wait)")
    tab.wait_for_timeout(WAIT)
    left, right = tab.evaluate(SHOWN)
    *key, a_code = pairs[frozenset((left, right))]
    a_side = "a" if left == a_code else "b"
    side = rng.choice(("left", "right", "left", "right", "tie"))
    winner = {"left": a_side, "right": "ab".replace(a_side, ""), "tie": "tie"}[side]
    given[tuple(key)] = (winner, a_side)
    before = tab.inner_text("#count")
    if by_touch:
        box = tab.locator(f"#choose-{side}").bounding_box()
        for _ in range(2):  # a second tap at once must not be a second vote
            tab.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    else:
        key = rng.choice(KEYS[side])
        tab.keyboard.down(key)
        if rng.random() < 0.2:  # held down until the next pair is there
            tab.wait_for_timeout(2 * WAIT)
        tab.keyboard.down(key)
        tab.keyboard.up(key)
    expect(tab.locator("#count")).not_to_have_text(before)


def _take_back(
    tab: Any,
    pairs: dict[frozenset[int], tuple[Any, ...]],
    given: Given,
    rng: random.Random,
    wrong: list[str],
) -> None:
    """Take the last vote back, see its pair again and vote on it anew."""
    last = list(given)[-1]
    tab.keyboard.press(rng.choice(("u", "Backspace")))
    tab.wait_for_selector("#two:not(.wait)")
    *key, _ = pairs[frozenset(tab.evaluate(SHOWN))]
    _expect(tuple(key) == last, "the vote taken back is not asked for again", wrong)
    del given[last]
    _give(tab, pairs, given, rng, by_touch=False)


def _useless_keys(tab: Any, wrong: list[str]) -> None:
    """Press what must not vote: other keys, with Control, too soon, held down, while enlarged."""
    tab.wait_for_selector("#two:not(.wait)")
    tab.keyboard.press("a")
    tab.wait_for_timeout(WAIT)
    for key in ("u", "Backspace", "x", "Control+a", "Alt+l", "Enter"):
        tab.keyboard.press(key)
    tab.click("#view-left")
    for key in ("t", "l", "ArrowLeft"):
        tab.keyboard.press(key)
    tab.click("#close")
    _expect(tab.inner_text("#count").startswith("0 of "), "a key voted that must not", wrong)


def _progress(tab: Any, done: int, of: int, wrong: list[str]) -> None:
    said = tab.inner_text("#count")
    _expect(said == f"{done} of {of}", f"progress is {said}; expected {done} of {of}", wrong)


def _download(tab: Any, path: Path) -> dict[str, Any]:
    with tab.expect_download() as download:
        tab.locator("#save, #save-done").locator("visible=true").tap()
    download.value.save_as(path)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _compare(found: dict[str, Any], given: Given, wrong: list[str]) -> None:
    """Compare a downloaded file with the votes given."""
    _expect((found["format"], found["version"]) == ("flasheval-votes", 1), "another format", wrong)
    keys = ("model_a", "model_b", "prompt_id", "image")
    votes = [(tuple(one[key] for key in keys), one) for one in found["votes"]]
    double = [key for key, times in Counter(key for key, _ in votes).items() if times > 1]
    _expect(not double, f"{len(double)} votes are double", wrong)
    there = {key: (one["winner"], one["left"]) for key, one in votes}
    _expect(there.keys() >= given.keys(), f"{len(given.keys() - there.keys())} are lost", wrong)
    other = [key for key in given.keys() & there.keys() if given[key] != there[key]]
    _expect(not other, f"{len(other)} votes say another thing than was chosen", wrong)
    _expect(there.keys() <= given.keys(), "there are votes that nobody gave", wrong)
    raters = {one["rater"] for _, one in votes}
    _expect(raters == {" ".join(RATER.split())}, f"the raters are {raters}", wrong)
    slow = [one["seconds"] for _, one in votes if not 0.25 <= one["seconds"] < 60]
    _expect(not slow, f"votes took {slow[:3]} seconds", wrong)


def _sides(found: dict[str, Any], wrong: list[str]) -> str:
    """Say how the sides are shared out; no variant may be on one much more often."""
    lefts: Counter[str] = Counter()
    for one in found["votes"]:
        a_left = 1 if one["left"] == "a" else -1
        lefts[one["model_a"]] += a_left
        lefts[one["model_b"]] -= a_left
    worst = max(map(abs, lefts.values()))
    _expect(worst <= 4, f"a variant was {worst} times more on one side", wrong)
    share = sum(one["left"] == "a" for one in found["votes"]) / len(found["votes"])
    return f"a left in {share:.0%}, a variant at most {worst} times more on one side"


def _expect(holds: bool, otherwise: str, wrong: list[str]) -> None:
    if not holds:
        wrong.append(otherwise)


if __name__ == "__main__":
    sys.exit(main())
