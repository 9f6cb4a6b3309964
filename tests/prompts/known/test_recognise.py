"""A list is known by its texts, whatever its ids and format; made-up lists, no one's texts."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flasheval.prompts import PromptSet, load_prompts
from flasheval.prompts.known import KnownList, recognise
from flasheval.prompts.known.lists import hash_of_sequence, hash_of_set

TEXTS = tuple(f"a {what} of colour {number}" for what in ("cat", "dog") for number in range(20))
TAGS = tuple(("fur", "bark", "tail", "paw")[number % 4] for number in range(40))
IDS = tuple(map(str, range(40)))


def known(texts=TEXTS, name="pets", title="Pets", **more):
    made = PromptSet(name, tuple(map(str, range(len(texts)))), texts)
    hashes = made.text_hashes
    return KnownList(
        name,
        title,
        len(texts),
        len(set(texts)),
        hash_of_sequence(hashes),
        hash_of_set(hashes),
        made.hash,
        hashes[0],
        hashes[-1],
        **more,
    )


PETS = known(tags={"kind": {"fur": 10, "bark": 10, "tail": 10, "paw": 10}})


def test_ids_format_and_white_space_do_not_count(tmp_path):
    rows = [{"id": f"x{n}", "prompt": f" {text} "} for n, text in enumerate(TEXTS)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "a.json").write_text(json.dumps(rows))
    (tmp_path / "a.txt").write_text("\n\n".join(TEXTS) + "\n")
    with (tmp_path / "a.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("id", "text"), *((row["id"], row["prompt"]) for row in rows)])
    for path in sorted(tmp_path.iterdir()):
        if path.suffix == ".txt":
            with pytest.warns(UserWarning, match="blank lines"):
                prompts = load_prompts(path)
        else:
            prompts = load_prompts(path)
        assert str(recognise(prompts, (PETS,))) == "Pets, 40 prompts, unchanged"
        assert recognise(prompts.without_texts(), (PETS,)).how == "unchanged"


@given(st.permutations(range(40)))
def test_the_order_is_told(order):
    prompts = PromptSet("mine", IDS, TEXTS).take(order)
    found = recognise(prompts, (PETS,))
    assert found.how == ("unchanged" if list(order) == list(range(40)) else "reordered")
    assert found.has_its_texts


def test_repeats_are_told_and_a_list_of_as_many_goes_first():
    twice = PromptSet("mine", tuple(map(str, range(80))), TEXTS * 2)
    assert str(recognise(twice, (PETS,))) == "Pets, its 40 texts in 80 prompts"
    more = known(TEXTS * 2, "more", "More Pets")
    assert str(recognise(twice, (PETS, more))) == "More Pets, 80 prompts, unchanged"
    mixed = twice.take(range(79, -1, -1))
    assert str(recognise(mixed, (PETS, more))) == "More Pets, 80 prompts, in another order"


def test_ids_alone_are_known_by_their_own_hash():
    bare = PromptSet("rated", ("a.jpg", "b.jpg"))
    only_ids = KnownList("rated", "Rated", 2, ids_hash=bare.hash)
    assert str(recognise(bare, (only_ids,))) == "Rated, 2 prompts, unchanged"
    assert recognise(PromptSet("rated", ("a.jpg", "c.jpg"), ("x", "y")), (PETS,)) is None


def test_near_by_the_ends_whatever_lies_between():
    part = PromptSet("mine", IDS, TEXTS).take([0, *range(10, 40)])
    found = recognise(part, (PETS,))
    assert str(found) == (
        "near Pets: 31 prompts, texts differ (40 there; told by its first text, its last text)"
    )
    assert not found.has_its_texts


def test_near_by_the_values_of_a_column():
    other = PromptSet("mine", IDS, tuple(text.upper() for text in TEXTS), extras={"sort": TAGS})
    found = recognise(other, (PETS,))
    assert str(found) == (
        "near Pets: 40 prompts, texts differ (40 there; told by the values of sort (kind there))"
    )
    few = PromptSet("mine", IDS[:10], other.texts[:10], extras={"sort": TAGS[:10]})
    assert recognise(few, (PETS,)) is None  # four times fewer prompts


@pytest.mark.parametrize(("count", "near"), [(38, True), (30, False)])
def test_near_by_its_name_needs_about_its_number(count, near):
    texts = tuple(text.upper() for text in TEXTS[:count])
    assert (recognise(PromptSet("PETS", IDS[:count], texts), (PETS,)) is not None) == near


def test_one_text_alone_is_not_near():
    texts = (TEXTS[0], *(f"a hen {number}" for number in range(29)))
    assert recognise(PromptSet("mine", IDS[:30], texts), (PETS,)) is None


def test_numbers_say_nothing_of_whose_tags_they_are():
    counted = known(tags={"level": {str(number): 10 for number in range(4)}})
    levels = tuple(str(number % 4) for number in range(40))
    other = PromptSet("mine", IDS, tuple(map(str.upper, TEXTS)), extras={"level": levels})
    assert recognise(other, (counted,)) is None


def test_the_list_with_more_clues_wins():
    second = known(("other", *TEXTS[1:-1], "words"), "others", "Others", tags=PETS.tags)
    prompts = PromptSet("mine", IDS[:-1], TEXTS[:-1], extras={"kind": TAGS[:-1]})
    assert recognise(prompts, (second, PETS)).known is PETS


def test_a_list_whose_texts_nobody_saw():
    unseen = KnownList("pets", "Pets", 40, tags=PETS.tags)
    prompts = PromptSet("mine", IDS, TEXTS, extras={"kind": TAGS})
    assert "whose texts flasheval does not know" in str(recognise(prompts, (unseen,)))


def test_the_miniature_is_like_none():
    assert recognise(load_prompts("miniature")) is None
