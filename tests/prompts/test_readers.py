"""Texts that a reader cuts: counted by its own tokenizer, and against the tokenizer itself."""

import json

import pytest

from flasheval.prompts import PromptSet
from flasheval.prompts.readers import (
    TextReader,
    cut_by,
    cut_lines,
    tokenizer_limit,
    whole_prompts,
)

TEXTS = ("a cat", "a very long cat " * 30, "a cat of words " * 12)


def test_its_own_tokenizer_counts(tiny_models):
    transformers = pytest.importorskip("transformers")
    folder = tiny_models["clip"]
    reader = TextReader("scorer CLIP", 77, folder / "tokenizer.json")
    tokenizer = transformers.CLIPTokenizer.from_pretrained(folder)
    counts = [len(tokenizer(text, truncation=False)["input_ids"]) for text in TEXTS]
    assert reader.cuts(TEXTS).tolist() == [count > 77 for count in counts]
    limits = sorted({*counts, *(count - 1 for count in counts), 300})
    for limit in limits:
        found = TextReader("x", limit, folder / "tokenizer.json").cuts(TEXTS)
        assert found.tolist() == [count > limit for count in counts]
    assert not reader.estimates


def test_a_tokenizer_that_cannot_be_read_is_estimated(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    reader = TextReader("scorer CLIP", 77, tmp_path / "tokenizer.json")
    assert reader.estimates
    assert reader.cuts(TEXTS).tolist() == [False, True, False]


def test_readers_of_one_limit_stand_in_one_line():
    readers = [TextReader(f"scorer {name}", 77) for name in "abcdef"] + [TextReader("T5", 512)]
    assert set(cut_by(TEXTS, readers).values()) == {1}
    (line,) = cut_lines(TEXTS, readers)
    assert line.startswith(
        "scorer a, scorer b, scorer c, scorer d and 2 more read 77 tokens: about"
    )
    assert "1 of 3 texts (33%" in line
    assert cut_lines(TEXTS[:1], readers) == []


def test_prompts_can_be_left_out():
    pets = PromptSet("pets", ("1", "2", "3"), TEXTS, extras={"kind": ("x", "y", "z")})
    kept = whole_prompts(pets, [TextReader("a", 77), TextReader("b", 30)])
    assert (kept.ids, kept.extras) == (("1",), {"kind": ("x",)})
    assert whole_prompts(pets, [TextReader("a", 512)]) is pets


@pytest.mark.parametrize(
    ("settings", "limit"),
    [({"model_max_length": 77}, 77), ({"model_max_length": 10**30}, None), ({}, None), ([], None)],
)
def test_the_limit_of_a_stored_tokenizer(tmp_path, settings, limit):
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    assert tokenizer_limit(tmp_path) == limit
