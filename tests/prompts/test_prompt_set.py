import hashlib
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.base.canonical import sha256_of
from flasheval.base.errors import DataError
from flasheval.base.ids import prompt_id
from flasheval.prompts import PromptSet, text_hash

_TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
_SPACES = st.text(" \t\n\r\u00a0\u2003\u3000", max_size=3)


@given(_TEXTS)
def test_the_hash_is_that_of_the_stripped_nfc_form(text):
    expected = hashlib.sha256(unicodedata.normalize("NFC", text).strip().encode()).hexdigest()
    assert text_hash(text) == expected


@given(_TEXTS, _SPACES, _SPACES)
def test_spelling_and_edge_spaces_do_not_change_the_hash(text, before, after):
    decomposed = unicodedata.normalize("NFD", text)
    assert text_hash(before + decomposed + after) == text_hash(text)
    # Stripping first, as another program may, gives the same.
    stripped = unicodedata.normalize("NFC", text.strip())
    assert text_hash(text) == hashlib.sha256(stripped.encode()).hexdigest()


def test_inner_spaces_and_case_change_the_hash():
    assert len({text_hash(text) for text in ("a b", "a  b", "A b", "ab")}) == 4


def test_a_lone_surrogate_has_no_hash():
    with pytest.raises(DataError, match="lone surrogate"):
        text_hash("a\ud800")


def test_ids_are_strings():
    assert PromptSet("x", (1, np.int64(2), "3")).ids == ("1", "2", "3")
    for bad in (1.0, True, None, ""):
        with pytest.raises(DataError, match="must be a non-empty string or an integer"):
            prompt_id(bad)
        with pytest.raises(DataError):
            PromptSet("x", ("a", bad))


def test_the_hash_is_the_canonical_one_with_null_for_unknown_texts():
    prompts = PromptSet("x", ("1", 'é"'), (" A cat.", "B"))
    pairs = [["1", text_hash("A cat.")], ['é"', text_hash("B")]]
    assert prompts.hash == sha256_of(pairs)
    assert PromptSet("x", ("1", "2")).hash == sha256_of([["1", None], ["2", None]])
    assert prompts.without_texts().hash == prompts.hash
    assert PromptSet("another name", prompts.ids, prompts.texts).hash == prompts.hash


def test_order_ids_and_texts_all_count_in_the_hash():
    sets = [
        PromptSet("x", ("1", "2"), ("a", "b")),
        PromptSet("x", ("2", "1"), ("b", "a")),
        PromptSet("x", ("1", "2"), ("a", "c")),
        PromptSet("x", ("1", "3"), ("a", "b")),
        PromptSet("x", ("1", "2")),
    ]
    assert len({prompts.hash for prompts in sets}) == 5


def test_a_repeated_id_is_named():
    with pytest.raises(DataError, match="'pets' has the id 'b' more than once"):
        PromptSet("pets", ("a", "b", "c", "b", "c"))
    assert len(PromptSet("pets", ("a", "b"), ("same", "same"))) == 2


def test_columns_must_fit():
    with pytest.raises(DataError, match="2 ids but 1 texts"):
        PromptSet("x", ("1", "2"), ("a",))
    with pytest.raises(DataError, match="2 ids but 3 image"):
        PromptSet("x", ("1", "2"), extras={"image": ("a", "b", "c")})
    with pytest.raises(DataError, match="the text of '2' is no string"):
        PromptSet("x", ("1", "2"), ("a", None))


def test_hashes_that_contradict_the_texts_are_refused():
    with pytest.raises(DataError, match="the text of '2' does not have the hash"):
        PromptSet("x", ("1", "2"), ("a", "b"), (text_hash("a"), text_hash("c")))


def test_index_of_names_what_is_unknown():
    prompts = PromptSet("pets", ("cat", "dog", "emu"))
    assert prompts.index_of(["emu", "cat"]).tolist() == [2, 0]
    assert prompts.index_of(prompts.ids).dtype == np.int64
    assert prompts.index_of([]).shape == (0,)
    with pytest.raises(DataError, match=r"1 of 2 ids are not in prompt set 'pets': 'dgo'.*'dog'"):
        prompts.index_of(["cat", "dgo"])


def test_take_keeps_every_column():
    prompts = PromptSet("x", "abc", ("A", "B", "C"), extras={"image": ("1", "2", "3")})
    taken = prompts.take([2, 0])
    assert taken == PromptSet("x", "ca", ("C", "A"), extras={"image": ("3", "1")})
    assert taken.hash == PromptSet("x", "ca", ("C", "A")).hash
    assert prompts.take(np.array([], dtype=np.int64)).ids == ()


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([3], "outside 0..2"),
        ([-1], "outside 0..2"),
        ([1, 1], "more than once"),
        ([0.5], "integers"),
    ],
)
def test_take_refuses_what_is_no_choice(indices, message):
    with pytest.raises(DataError, match=message):
        PromptSet("x", "abc").take(indices)


def test_prompt_sets_compare_by_what_they_hold():
    one, two = (PromptSet("x", ("1",), ("a",)) for _ in range(2))
    assert one == two
    assert len({one, two}) == 1


def test_a_recorded_hash_rules_out_other_texts_only():
    prompts = PromptSet("x", ("1", "2"), ("a", "b"))
    bare = PromptSet("x", ("1", "2"))
    other = PromptSet("x", ("1", "2"), ("a", "c"))
    assert all(prompts.may_be(recorded) for recorded in (None, prompts.hash, bare.hash))
    assert not prompts.may_be(other.hash)
    assert bare.may_be(other.hash)
