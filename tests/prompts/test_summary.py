from flasheval.base.drawing.terminal import as_text
from flasheval.prompts import PromptSet
from flasheval.prompts.known import KnownList
from flasheval.prompts.known.lists import hash_of_sequence
from flasheval.prompts.summary import over_long, prompts_view

LONG = "word " * 90
IDS = tuple("abcdefgh")
TEXTS = ("one cat", *(f"{number} dogs" for number in range(6)), LONG)
KINDS = ("cat", *("dog",) * 6, "")
PROMPTS = PromptSet("pets", IDS, TEXTS, extras={"kind": KINDS, "note": IDS})
PETS = KnownList(
    "pets",
    "Pets",
    8,
    8,
    hash_of_sequence(PROMPTS.text_hashes),
    tags={"kind": {"cat": 1, "dog": 6}, "mood": {"calm": 8}},
    images_per_prompt=4,
    over_77=3,
    licence="CC0",
    source="someone/pets",
    arxiv="1",
)


def test_a_known_list_says_all_that_is_recorded():
    view = prompts_view(PROMPTS, (PETS,))
    text = as_text(view)
    assert view.headline == "Pets, 8 prompts, unchanged"
    assert "tags:     the list has mood, which are not columns here" in text
    assert "images:   4 of each prompt in its authors' protocol" in text
    assert "licence:  CC0" in text
    assert "source:   someone/pets, arXiv 1" in text
    assert view.tables[0].rows == [
        ("kind", "dog", "6"),
        ("kind", "cat", "1"),
        ("kind", "(empty)", "1"),
    ]
    warning, judge = view.warnings
    assert judge.startswith("scorer image-reward reads 35 tokens: about 1 of 8 texts (12%")
    assert warning.startswith("3 of 8 texts are longer than the 77 tokens CLIP reads (by its own")
    assert LONG not in text


def test_another_list_is_estimated_and_says_so():
    view = prompts_view(PROMPTS, ())
    assert view.headline == "8 prompts of pets, like no list that flasheval knows"
    assert "about 1 of 8 texts" in view.warnings[0]
    assert "an estimate" in view.warnings[0]
    assert "licence" not in as_text(view)


def test_texts_that_are_not_known():
    assert "not known, only their hashes" in as_text(prompts_view(PROMPTS.without_texts(), ()))
    bare = PromptSet("pets", IDS)
    assert "texts:    not known; hash" in as_text(prompts_view(bare, ()))
    assert over_long(bare) == ""


def test_repeats_and_many_values():
    ids = tuple(map(str, range(60)))
    kinds = tuple(f"kind {number % 20}" for number in range(60))
    view = prompts_view(PromptSet("pets", ids, ("a cat",) * 60, extras={"kind": kinds}), ())
    assert "59 of them repeat another" in as_text(view)
    assert view.tables[0].rows[-1] == ("kind", "... 8 more values", "24")
