import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.prompts import load_prompts, text_hash
from flasheval.subset.exports import export


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_lines_are_the_texts_or_one_is_refused(data, odd_lists, written, tmp_path_factory):
    texts = data.draw(odd_lists)
    made = written(texts, "text")
    stripped = [text.strip() for text in texts]
    refused = any(
        not text or "\n" in text or "\r" in text or text[0] == "\ufeff" for text in stripped
    )
    assert (made is None) == refused
    if made is not None:
        path = tmp_path_factory.mktemp("text") / "a.txt"
        path.write_bytes(made)
        with path.open(encoding="utf-8") as file:  # as trainers read it
            assert [line.strip() for line in file] == stripped
        assert list(load_prompts(path).texts or ()) == stripped
        assert list(map(text_hash, stripped)) == list(map(text_hash, texts))


def test_a_change_is_told_in_one_line_that_names_the_prompt(make_subset):
    subset = make_subset("a cat ", "a dog", "\ta fox\n")
    with pytest.warns(UserWarning, match=r'2 prompts, prompt "p0" first: text holds them') as told:
        assert export(subset, "text") == b"a cat\na dog\na fox\n"
    assert len(told) == 1
    with pytest.warns(UserWarning, match=r'prompt "p0": they hold a character at which some'):
        export(make_subset("a\u2028b"), "text")


@pytest.mark.parametrize("form", ["text", "kohya", "ai-toolkit", "diffusers"])
@pytest.mark.parametrize("how", [{"weights": (1, 0.5)}, {"draws": (1, 2)}])
def test_weights_are_dropped_with_a_warning(make_subset, form, how):
    with pytest.warns(UserWarning, match=r'prompt "p1": .* drops their weights'):
        export(make_subset("a cat", "a dog", **how), form)


def test_nothing_odd_gives_no_warning(make_subset):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for form in ("jsonl", "csv", "parquet", "text", "kohya", "ai-toolkit", "diffusers"):
            export(make_subset("a cat", "a dog"), form)


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "it is empty"), ("a\nb", "a line break"), ("\ufeffa", "byte-order mark")],
)
def test_a_text_that_is_no_line_is_refused_by_name(make_subset, text, why):
    with pytest.raises(DataError, match=rf'text cannot carry prompt "p1" of subset "odd": .*{why}'):
        export(make_subset("a cat", text), "text")
    with pytest.raises(DataError, match=r'"p0" of subset "odd" \(and 1 more prompts\)'):
        export(make_subset(text, text), "text")
