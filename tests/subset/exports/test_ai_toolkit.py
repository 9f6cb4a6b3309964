"""ai-toolkit's part of a job, read back by PyYAML as ai-toolkit reads it."""

import json
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError, SettingError
from flasheval.generators.seeds import image_seed
from flasheval.subset.exports import export, make_format


def read(data):
    """Load YAML with floats such as 1e5, then fill in and cut texts as ai-toolkit does."""

    class Loader(yaml.SafeLoader):
        pass

    number = re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+0123456789."))
    text = re.sub(r"\$\{[^}]+\}", "FILLED", data.decode())
    sample = json.loads(json.dumps(yaml.load(text, Loader=Loader)["sample"]))  # noqa: S506 - safe
    items = sample.pop("samples", None) or [{"prompt": x} for x in sample.pop("prompts")]
    for item in items:
        for tag in ("[name]", "[trigger]"):
            item["prompt"] = item["prompt"].replace(tag, "FILLED")
        item["prompt"] = item["prompt"].strip().split("--")[0].strip()
    return sample, items


def test_keys_have_the_trainers_names(make_subset):
    words = {"width": 768, "height": 512, "steps": 20, "guidance": 4, "negative_prompt": "blurry"}
    data = export(
        make_subset("a cat", "yes"),
        "ai-toolkit",
        {**words, "sampler": "flowmatch", "sample_every": 250},
    )
    assert yaml.safe_load(data) == {
        "sample": {
            "sampler": "flowmatch",
            "sample_every": 250,
            "width": 768,
            "height": 512,
            "neg": "blurry",
            "guidance_scale": 4,
            "sample_steps": 20,
            "prompts": ["a cat", "yes"],
        }
    }
    assert '\n  - "yes"\n' in data.decode()


def test_a_seed_gives_every_prompt_its_own(make_subset):
    sample, items = read(export(make_subset("a cat", "a dog"), "ai-toolkit", {"seed": 5}))
    assert sample == {}
    assert items == [
        {"prompt": "a cat", "seed": image_seed(5, "p0")},
        {"prompt": "a dog", "seed": image_seed(5, "p1")},
    ]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_text_comes_back_or_is_refused(data, odd_lists, written):
    texts = data.draw(odd_lists)
    for text in texts:
        made = written([text], "ai-toolkit")
        assert made is None or read(made)[1] == [{"prompt": text.strip()}]
    for options in ({}, {"seed": 0}):
        made = written(texts, "ai-toolkit", **options)
        if made is not None:
            assert [item["prompt"] for item in read(made)[1]] == [text.strip() for text in texts]
        else:
            marks = ("--", "[trigger]", "[name]", "${")
            assert any(mark in text for text in texts for mark in marks)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a cat--w 5", r'it holds "--", at which ai-toolkit cuts it'),
        ("a [trigger] cat", r"it holds \[trigger\], which ai-toolkit fills in"),
        ("${HOME}", r"it holds \$\{HOME\}"),
    ],
)
def test_what_ai_toolkit_would_change_is_refused(make_subset, text, why):
    with pytest.raises(DataError, match=f'ai-toolkit cannot carry prompt "p0".*{why}'):
        export(make_subset(text), "ai-toolkit")


@pytest.mark.parametrize("settings", [{"sample_every": 0}, {"negative_prompt": "[name]"}])
def test_settings_are_checked(settings):
    with pytest.raises(SettingError, match=next(iter(settings))):
        make_format("ai-toolkit", settings)


def test_several_images_of_each_prompt_have_their_seeds(make_subset):
    _, items = read(
        export(make_subset("a cat"), "ai-toolkit", {"seeds": "search", "images_per_prompt": 2})
    )
    assert items == [{"prompt": "a cat", "seed": image_seed(0, "p0", k)} for k in (0, 1)]
