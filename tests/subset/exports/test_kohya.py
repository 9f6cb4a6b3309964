"""kohya's sample prompts, read back by the grammar of sd-scripts' documentation."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError, SettingError
from flasheval.generators.seeds import ImageSeeds, image_seed
from flasheval.subset.exports import export, make_format
from flasheval.subset.image_plan import other_run_seed

NUMBERS = {"w": int, "h": int, "d": int, "s": int, "l": float}


def read(data):
    """Read a text file: comments and empty lines aside, a prompt and its ` --x value` options.

    An option's letter need not be small, and its pattern is looked for in the prompt too: what
    stands there without dashes must not look like one.
    """
    found = []
    for line in data.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        prompt, *options = line.strip().split(" --")
        entry = {"prompt": prompt}
        for option in [prompt, *options]:
            match = re.match(r"([whdsln]) (.+)", option, re.IGNORECASE)
            if match and match[1].lower() == "n":
                entry["n"] = match[2]
            elif match and re.match(r"[\d.]", match[2]):
                key = match[1].lower()
                number = re.match(r"[\d.]+" if key == "l" else r"\d*", match[2])
                if number[0]:
                    entry[key] = NUMBERS[key](number[0])
        found.append(entry)
    return found


def test_options_follow_every_prompt(make_subset):
    options = {"width": 768, "height": 512, "steps": 20, "guidance": 7.5, "seed": 3}
    subset = make_subset("a cat", "a dog, on a sofa")
    data = export(subset, "kohya", {**options, "negative_prompt": "blurry, low quality"})
    assert data.decode().splitlines()[0] == (
        f"a cat --n blurry, low quality --w 768 --h 512 --d {image_seed(3, 'p0')} --l 7.5 --s 20"
    )
    own = {"n": "blurry, low quality", "w": 768, "h": 512, "l": 7.5, "s": 20}
    assert read(data) == [
        {"prompt": text, "d": image_seed(3, f"p{i}"), **own}
        for i, text in enumerate(("a cat", "a dog, on a sofa"))
    ]


def test_json_holds_the_same_under_its_own_keys(make_subset):
    subset = make_subset("# s --w 5\nx", "a dog")
    given = {"layout": "json", "seed": 0, "steps": 9, "guidance": 2, "width": 64, "height": 32}
    first, second = json.loads(export(subset, "kohya", {**given, "negative_prompt": "bad --w 1"}))
    assert second == {
        "prompt": "a dog",
        "negative_prompt": "bad --w 1",
        "width": 64,
        "height": 32,
        "seed": image_seed(0, "p1"),
        "scale": 2,
        "sample_steps": 9,
    }
    assert first["prompt"] == "# s --w 5\nx"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_text_comes_back_or_is_refused(data, odd_lists, written):
    texts = data.draw(odd_lists)
    stripped = [text.strip() for text in texts]
    for text, expected in zip(texts, stripped, strict=True):
        made = written([text], "kohya")
        assert made is None or read(made) == [{"prompt": expected}]
    made = written(texts, "kohya", width=512, seed=1)
    more = [{"w": 512, "d": image_seed(1, f"p{i}")} for i in range(len(texts))]
    expected = [{"prompt": text, **own} for text, own in zip(stripped, more, strict=True)]
    assert made is None or read(made) == expected
    items = json.loads(written(texts, "kohya", layout="json"))
    assert [item["prompt"] for item in items] == stripped


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a cat --w 512", 'it holds " --"'),
        ("--n a cat", 'it holds " --"'),
        ("#1 of cats", 'it starts with "#"'),
        ("s 4 boats", 'it starts with "s 4"'),
        ("I am a cat", 'it starts with "I am"'),
        ("", "it is empty"),
        ("a\rb", "a line break"),
    ],
)
def test_what_sd_scripts_would_misread_is_refused(make_subset, text, why):
    with pytest.raises(DataError, match=f'"p1".*{why}.*layout=json'):
        export(make_subset("a cat", text), "kohya")


@pytest.mark.parametrize("text", ["a well-known--cat", "12 boats", "scene 4", "W. Turner", "Is it"])
def test_what_it_reads_well_is_not_refused(make_subset, text):
    assert read(export(make_subset(text), "kohya")) == [{"prompt": text}]


def test_weights_in_brackets_are_warned_of(make_subset):
    with pytest.warns(UserWarning, match=r'prompt "p0": sd-scripts takes \( \) and \[ \] for'):
        export(make_subset("a (red:1.2) cat"), "kohya")


def test_a_negative_prompt_must_be_one_line_without_options():
    for negative in ("a --w 5", "a\nb", " "):
        with pytest.raises(SettingError, match="negative_prompt: it"):
            make_format("kohya", {"negative_prompt": negative})


def test_several_images_of_each_prompt_have_their_seeds(make_subset):
    subset = make_subset("a cat", "a dog")
    searched = replace(subset, record=replace(subset.record, seeds=ImageSeeds(4)))
    made = export(searched, "kohya", {"seeds": "search", "images_per_prompt": 2}).decode()
    wanted = [
        f"{text} --d {image_seed(4, name, k)}"
        for text, name in (("a cat", "p0"), ("a dog", "p1"))
        for k in (0, 1)
    ]
    assert made.splitlines() == wanted
    other = export(searched, "kohya", {"seeds": "other"}).decode().splitlines()
    assert other[0] == f"a cat --d {image_seed(other_run_seed(4), 'p0')}"
    for asked in ({"images_per_prompt": 2}, {"seed": 0, "images_per_prompt": 0}):
        with pytest.raises(SettingError, match="expected at least 1 image a prompt, and seed"):
            export(searched, "kohya", asked)
    with pytest.raises(SettingError, match="seeds=mine: expected search or other"):
        export(searched, "kohya", {"seeds": "mine"})
