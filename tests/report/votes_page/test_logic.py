"""What the page's script decides: run by node, against the same said in Python."""

import json
import shutil
import subprocess
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

import flasheval.report.votes_page

LOGIC = Path(flasheval.report.votes_page.__file__).parent / "template" / "logic.js"
NODE = shutil.which("node")
AT = "2026-01-02T03:04:05.{:03d}Z"

needs_node = pytest.mark.skipif(NODE is None, reason="no node: the script is not run")


def js(body, **values):
    """Run the body of a function of the values and of `Votes`, and return what it returns."""
    program = (
        f"const Votes = require({json.dumps(str(LOGIC))});"
        'const given = JSON.parse(require("fs").readFileSync(0, "utf8"));'
        f"const run = ({{ {', '.join(values)} }}) => {{ {body} }};"
        "console.log(JSON.stringify(run(given)));"
    )
    ran = subprocess.run(
        [NODE, "-e", program], input=json.dumps(values), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def data():
    """Five variants on eight prompts: 80 pairs, for three raters."""
    pairs = [[a, b, p, p % 2] for p in range(8) for a, b in combinations(range(5), 2)]
    return {
        "page": "0123456789abcdef",
        "seed": 7,
        "raters": 3,
        "variants": [f"v{i} </script> \u2028" for i in range(5)],
        "prompts": [[f"p{i}", f"thing {i}"] for i in range(8)],
        "pairs": [[*pair, 100 + i, 200 + i] for i, pair in enumerate(pairs)],
    }


def _random_of(text):
    """Return mulberry32 of the FNV-1a hash of a text's UTF-16 units."""
    units = text.encode("utf-16-le")
    state = 0x811C9DC5
    for low, high in zip(units[::2], units[1::2], strict=True):
        state = (state ^ (low + 256 * high)) * 0x01000193 % 2**32

    def draw():
        nonlocal state
        state = (state + 0x6D2B79F5) % 2**32
        mixed = (state ^ state >> 15) * (1 | state) % 2**32
        mixed = (mixed + (mixed ^ mixed >> 7) * (61 | mixed)) % 2**32 ^ mixed
        return (mixed ^ mixed >> 14) / 2**32

    return draw


def _task(data, rater, part):
    """Return a rater's order, and the sides, as the script says them in its comments."""
    count, raters = len(data["pairs"]), data["raters"]
    bounds = ((part - 1) * count // raters, part * count // raters) if part else (0, count)
    order, draw = list(range(*bounds)), _random_of(f"{data['seed']}\n{part}\n{rater}")
    for i in range(len(order) - 1, 0, -1):
        j = int(draw() * (i + 1))
        order[i], order[j] = order[j], order[i]
    lefts, task = Counter(), []
    for pair in order:
        a, b = data["pairs"][pair][:2]
        coin = draw() < 0.5
        a_left = coin if lefts[a] == lefts[b] else lefts[a] < lefts[b]
        lefts[a] += 1 if a_left else -1
        lefts[b] += -1 if a_left else 1
        task.append({"pair": pair, "left": "a" if a_left else "b"})
    return task


@needs_node
def test_order_and_sides_are_those_of_the_seed_and_the_rater(data):
    raters = ["Ann", "Bob", "Zoë \U0001f600", ""]
    found = js(
        "return raters.map((one) => [0, 1, 2, 3].map((part) => Votes.taskOf(data, one, part)));",
        data=data,
        raters=raters,
    )
    assert found == [[_task(data, one, part) for part in range(4)] for one in raters]
    assert len({json.dumps(one) for one in found}) == 4
    for whole, *parts in found:
        assert sorted(one["pair"] for one in whole) == list(range(80))
        assert sorted(one["pair"] for part in parts for one in part) == list(range(80))
        assert sorted(map(len, parts)) == [26, 27, 27]


@needs_node
def test_sides_are_balanced_at_any_moment(data):
    tasks = js(
        "return [...Array(50).keys()].map((i) => Votes.taskOf(data, `r${i}`, 0));", data=data
    )
    lefts = [one["left"] == "a" for task in tasks for one in task]
    assert abs(sum(lefts) / len(lefts) - 0.5) < 0.02
    for task in tasks:
        sides = Counter()
        for one in task:
            a, b = data["pairs"][one["pair"]][:2]
            sides[a] += 1 if one["left"] == "a" else -1
            sides[b] -= 1 if one["left"] == "a" else -1
            assert max(map(abs, sides.values())) <= 3


@needs_node
def test_all_votes_come_out_once_with_what_was_chosen(data):
    body = """
      const task = Votes.taskOf(data, "Ann", 0);
      const sides = ["left", "right", "tie"];
      let votes = [], shown = [];
      for (let i = 0; i < 80; i += 1) {
        // Closed and opened again, after each vote.
        votes = Votes.restored(data, Votes.kept(votes, 0)).votes;
        const one = task[Votes.nextPlace(task, votes)];
        shown.push([one.pair, one.left, sides[i % 3], Votes.codesOf(data, one)]);
        votes = Votes.withVote(votes, one, sides[i % 3], 1.23456, at.replace("000", `${100 + i}`));
        const double = Votes.withVote(votes, one, "tie", 9, at);
        if (double !== votes) throw new Error("a pair has two votes");
        const { done, all } = Votes.progressOf(task, votes);
        if (done !== i + 1 || all !== 80) throw new Error("progress");
      }
      const file = Votes.exported(data, "Ann", votes);
      return { shown, next: Votes.nextPlace(task, votes), file };
    """
    found = js(body, data=data, at=AT.format(0))
    assert found["next"] == -1
    file = found["file"]
    assert {**file, "votes": []} == {
        "format": "flasheval-votes",
        "version": 1,
        "page": data["page"],
        "votes": [],
    }
    for i, ((pair, left, side, codes), vote) in enumerate(
        zip(found["shown"], file["votes"], strict=True)
    ):
        a, b, prompt, image, code_a, code_b = data["pairs"][pair]
        assert codes == ([code_a, code_b] if left == "a" else [code_b, code_a])
        right = "b" if left == "a" else "a"
        assert vote == {
            "model_a": data["variants"][a],
            "model_b": data["variants"][b],
            "prompt_id": f"p{prompt}",
            "winner": {"left": left, "right": right, "tie": "tie"}[side],
            "rater": "Ann",
            "seconds": 1.23,
            "left": left,
            "image": image,
            "at": AT.format(100 + i),
        }


def _vote(pair, winner, at, left="a"):
    return {"pair": pair, "winner": winner, "left": left, "seconds": 2, "at": AT.format(at)}


@needs_node
def test_a_vote_taken_back_is_asked_for_again(data):
    body = """
      const task = Votes.taskOf(data, "Ann", 2), first = Votes.withVote([], task[0], "left", 1, at);
      const two = Votes.withVote(first, task[1], "tie", 1, at);
      return [Votes.withoutLast(two), Votes.nextPlace(task, Votes.withoutLast(two)),
              Votes.withoutLast([]), two.length, first];
    """
    back, place, empty, count, first = js(body, data=data, at=AT.format(0))
    assert (back, place, empty, count) == (first, 1, [], 2)


@needs_node
def test_two_lists_of_votes_become_one_and_the_later_counts(data):
    ours = [_vote(3, "a", 10), _vote(5, "b", 20)]
    theirs = [_vote(5, "tie", 30), _vote(3, "b", 5), _vote(1, "a", 15)]
    body = "return [Votes.merged(ours, theirs), Votes.merged(theirs, ours)];"
    found = js(body, ours=ours, theirs=theirs)
    assert found == [[_vote(3, "a", 10), _vote(1, "a", 15), _vote(5, "tie", 30)]] * 2


@needs_node
def test_a_file_goes_round_and_others_are_refused(data):
    votes = [_vote(i, "ab"[i % 2], i, "ba"[i % 2]) for i in range(30)]
    body = "return [Votes.exported(data, 'Zoë', votes), Votes.exported(data, 'Zoë', [])];"
    file, empty = js(body, data=data, votes=votes)
    rows = file["votes"]
    damages = [
        *({"model_a": "nobody"}, {"winner": "c"}, {"rater": " "}, {"seconds": "2"}),
        *({"at": "now"}, {"image": 7}, {"left": None}, {"prompt_id": 3}),
    ]
    files = {
        "back": file,
        "empty": empty,
        "twice": {**file, "votes": rows + rows},
        "page": {**file, "page": "another"},
        "version": {**file, "version": 2},
        "format": {**file, "format": "else"},
        "none": {**file, "votes": [*rows, None]},
        **{f"damage {i}": {**file, "votes": [{**rows[0], **d}]} for i, d in enumerate(damages)},
    }
    body = """
      const said = (text) => {
        try { return [...Votes.imported(data, text)]; } catch (error) { return error.message; }
      };
      return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, said(text)]));
    """
    texts = {key: json.dumps(one) for key, one in files.items()} | {"text": "{"}
    found = js(body, data=data, texts=texts)
    assert found.pop("back") == found.pop("twice") == [["Zoë", votes]]
    assert found.pop("empty") == []
    assert found.pop("page") == "These votes were given on another page."
    assert found.pop("version") == "This file of votes is of another version."
    assert found.pop("format") == found.pop("text")
    assert len(found) == 9
    assert set(found.values()) == {"This file of votes is damaged."}


@needs_node
def test_what_the_browser_kept_is_checked(data):
    good = _vote(2, "a", 1)
    bad = [_vote(80, "a", 1), _vote(-1, "a", 1), {**good, "left": "tie"}, None, 3, {}]
    texts = [
        json.dumps({"part": 2, "votes": [good, *bad, good]}),
        json.dumps({"part": 4, "votes": 3}),
        *("", "{", "null", "[]"),
    ]
    found = js("return texts.map((text) => Votes.restored(data, text));", data=data, texts=texts)
    assert found[0] == {"part": 2, "votes": [good]}
    assert found[1:] == [{"part": None, "votes": []}] * 5


@needs_node
def test_names_are_cleaned_and_files_named_after_them(data):
    names = ["  Ann \u2028  Lee ", "e\u0301", "x" * 90, "Zoë", "李"]
    body = "return [names.map(Votes.cleanName), names.map((name) => Votes.fileName(data, name))];"
    clean, files = js(body, data=data, names=names)
    assert clean == ["Ann Lee", "é", "x" * 80, "Zoë", "李"]
    assert files[0] == f"votes-{data['page']}-Ann-Lee.json"
    assert files[3] == f"votes-{data['page']}-Zoe.json"
    assert len(set(files)) == 5


def test_the_scripts_cannot_end_their_element():
    for name in ("logic.js", "page.js"):
        text = (LOGIC.parent / name).read_text("utf-8")
        assert "</script" not in text.lower()
        assert "<!--" not in text
