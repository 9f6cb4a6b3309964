from dataclasses import replace

import pytest

from flasheval.base.errors import DataError
from flasheval.prompts import PromptSet
from flasheval.subset import SubsetPrompt
from flasheval.subset.library.copies import open_copy
from flasheval.subset.library.texts import find_texts, missing_texts, require_hashes


def look(subset, source):
    return find_texts(subset.prompts, open_copy(source))


def test_by_id_the_exact_text(pets, choose):
    found = look(choose("two", (6, 1)), pets)
    assert sorted(found.texts.values()) == ["a bee ", "a dög "]


def test_by_image_name_where_ids_are_others(pets, choose):
    renamed = replace(pets, ids=tuple(f"n{one}" for one in pets.ids))
    assert sorted(look(choose("two", (6, 1)), renamed).texts.values()) == ["a bee ", "a dög "]


def test_by_hash_where_nothing_else_is_known(choose):
    found = look(choose("two", (6, 1)), ["a do\u0308g", "  a bee", "a bat"])
    assert sorted(found.texts.values()) == ["  a bee", "a do\u0308g"]


def test_colliding_ids_give_no_text(choose):
    """COCO and DiffusionDB share ids; here every id is there with another's text."""
    ids = tuple(str(number) for number in range(1, 9))
    subset = choose("three", (0, 1, 2))
    found = look(subset, PromptSet("others", ids, ("x", "a newt", *"bcdefg")))
    assert list(found.texts.values()) == ["a newt"]
    assert found.other == {"1", "2"}
    error = missing_texts(subset, found)
    assert (error.absent, error.other) == ((), ("1", "2"))
    assert "2 of 3 prompts are there with another text (1, 2)" in str(error)


def test_what_is_missing_is_named(pets, choose):
    subset = choose("all", tuple(range(8)))
    changed = replace(pets.take([0, 1]), texts=("a cat", "a cart"), text_hashes=None)
    error = missing_texts(subset, look(subset, changed))
    assert error.absent == ("3", "4", "5", "6", "7", "8")
    assert error.other == ("2",)
    text = str(error)
    assert 'lacks texts of subset "all": 6 of 8 prompts are not there' in text
    assert (
        "(3, 4, 5, 6, 7, ... and 1 more) and 1 of 8 prompts are there with another text (2)" in text
    )
    assert missing_texts(subset, look(subset, pets)) is None


def test_null_texts_are_no_texts(choose, tmp_path):
    (tmp_path / "p.jsonl").write_text('{"id": 1, "prompt": null}\n{"id": 2, "prompt": "a dog"}\n')
    subset = choose("one", (0,))
    assert missing_texts(subset, look(subset, tmp_path / "p.jsonl")).absent == ("1",)


def test_without_hashes_nothing_can_be_proven(choose):
    subset = replace(choose("one", (0,)), prompts=(SubsetPrompt("1"), SubsetPrompt("2")))
    with pytest.raises(DataError, match=r"no hashes of the texts of 2 of its 2 prompts \(1, 2\)"):
        require_hashes(subset)
