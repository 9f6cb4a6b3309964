"""Chunks: the prompts of one unit, and the digest that says which they are."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.errors import DataError
from flasheval.prompts import PromptSet
from flasheval.runs.chunks import chunks_of, prompts_digest


def prompts_of(count):
    return PromptSet("made-up", tuple(f"p{i}" for i in range(count)), tuple(map(str, range(count))))


@given(count=st.integers(1, 40), size=st.integers(1, 45))
def test_chunks_are_the_prompts_in_order(count, size):
    prompts = prompts_of(count)
    chunks = chunks_of(prompts, size)
    assert [one for chunk in chunks for one in chunk.ids] == list(prompts.ids)
    assert [one for chunk in chunks for one in chunk.texts] == list(prompts.texts)
    assert [len(chunk) for chunk in chunks[:-1]] == [size] * (len(chunks) - 1)
    assert 1 <= len(chunks[-1]) <= size


@given(count=st.integers(1, 30), more=st.integers(1, 30), size=st.integers(1, 10))
def test_prompts_added_at_the_end_leave_whole_chunks_alone(count, more, size):
    before, after = chunks_of(prompts_of(count), size), chunks_of(prompts_of(count + more), size)
    whole = count // size
    assert before[:whole] == after[:whole]
    assert {chunk.digest for chunk in before[whole:]}.isdisjoint(chunk.digest for chunk in after)


def test_the_digest_is_of_ids_and_text_hashes():
    (chunk,) = chunks_of(PromptSet("pets", ("1", "é"), ("A cat.", "  A dog. ")), 8)
    texts = [hashlib.sha256(text.encode()).hexdigest() for text in ("A cat.", "A dog.")]
    told = json.dumps([["1", texts[0]], ["é", texts[1]]], ensure_ascii=False)
    assert chunk.digest == hashlib.sha256(told.encode()).hexdigest()


def test_the_digest_tells_ids_texts_and_order_apart():
    digests = {
        prompts_digest(ids, hashes)
        for ids, hashes in (
            (("1", "2"), ("a", "b")),
            (("2", "1"), ("b", "a")),
            (("1", "2"), ("b", "a")),
            (("12",), ("ab",)),
            ((), ()),
        )
    }
    assert len(digests) == 5


def test_the_name_of_the_prompt_set_does_not_count():
    one, other = (PromptSet(name, ("1",), ("A cat.",)) for name in ("one", "other"))
    assert chunks_of(one, 4) == chunks_of(other, 4)


def test_ids_without_texts_are_refused():
    with pytest.raises(DataError, match=r"'coco' has ids only; .* give a prompt file"):
        chunks_of(PromptSet("coco", ("1", "2"), None), 4)
