"""Subsets: choosing, saving and loading, verification against a prompt set, prefixes."""

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flasheval.base.errors import DataError, SettingError
from flasheval.prompts import PromptSet, text_hash
from flasheval.subset import Method, MetricInfo, Subset, SubsetPrompt

MakeSubset = Callable[..., Subset]


def test_choosing_takes_ids_hashes_weights_sources_and_texts(
    make_subset: MakeSubset, pets: PromptSet
) -> None:
    subset = make_subset()
    assert subset.ids == ("3", "1", "5")
    assert subset.size == 3
    assert subset.texts == ("a newt ", "a cat", "a hen")
    assert subset.weights.dtype == np.float64
    assert subset.weights.tolist() == [0.333333, 1.0, 2.0]
    assert subset.prompts[0].text_hash == text_hash("a newt")
    assert subset.prompts[2].sources == {"image_name": "e"}
    assert (subset.prompt_set_name, subset.prompt_set_hash) == ("pets", pets.hash)


def test_texts_stay_out_unless_asked_for(pets: PromptSet) -> None:
    subset = Subset.choose(pets, [0], name="one", metrics=(), method=Method("random"))
    assert subset.prompts[0].text is None
    assert subset.prompts[0].text_hash == text_hash("a cat")
    with pytest.raises(DataError, match=r"flasheval subsets resolve one prompts=FILE"):
        _ = subset.texts


def test_weights_count_the_multiplicity(make_subset: MakeSubset) -> None:
    prompts = (SubsetPrompt("1", multiplicity=3), SubsetPrompt("2", weight=0.5, multiplicity=2))
    assert make_subset(prompts=prompts).weights.tolist() == [3.0, 1.0]
    assert "2 prompts of pets (5 with repeats)" in str(make_subset(prompts=prompts))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda make: make(prompts=()), "no prompts"),
        (lambda make: make(prompts=(SubsetPrompt("1"),) * 2), '"1" occurs twice'),
        (lambda make: make(metrics=(MetricInfo("clip"),) * 2), '"clip" occurs twice'),
        (lambda make: make(searched_variants=("a", "a")), '"a" occurs twice'),
        (lambda make: make(name="../evil"), "cannot be a file name"),
        (lambda make: make(name=""), "cannot be a file name"),
        (lambda make: make(prompt_set_hash="abc"), "64 lower-case hex"),
    ],
)
def test_an_impossible_subset_is_refused(
    make_subset: MakeSubset, change: Callable[[MakeSubset], Subset], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        change(make_subset)


def test_choosing_refuses_weights_of_another_length_and_repeated_indices(pets: PromptSet) -> None:
    with pytest.raises(DataError, match="2 weights for 1 prompts"):
        Subset.choose(pets, [0], name="x", metrics=(), method=Method("m"), weights=[1, 2])
    with pytest.raises(DataError):
        Subset.choose(pets, [0, 0], name="x", metrics=(), method=Method("m"))


def test_it_prints_what_the_command_prints(make_subset: MakeSubset) -> None:
    subset = make_subset()
    lines = str(subset).splitlines()
    assert lines[0] == subset.view().headline
    assert lines[1].startswith("three-pets: 3 prompts of pets, chosen by balanced from the scores")
    assert "warning: search tau saturates" in lines
    assert repr(subset) == (
        f"<Subset: three-pets, 3 prompts of pets, by balanced, sha256 {subset.content_hash[:12]}>"
    )


def test_a_subset_says_what_it_is_beside_its_manifest(make_subset: MakeSubset) -> None:
    subset = make_subset()
    data = subset.to_dict()
    assert list(data)[:4] == ["kind", "schema", "headline", "format"]
    assert {key: data[key] for key in subset.manifest()} == subset.manifest()
    assert Subset.from_dict(data) == subset
    with pytest.raises(DataError, match="knd is not a known key"):
        Subset.from_dict({**data, "knd": "subset"})
    frame = subset.to_pandas()
    assert frame["prompt_id"].tolist() == list(subset.ids)
    assert frame["weight"].tolist() == [one.weight for one in subset.prompts]


def test_saving_and_loading_gives_an_equal_subset(make_subset: MakeSubset, tmp_path: Path) -> None:
    subset = make_subset()
    path = subset.save(tmp_path / "three-pets.json")
    loaded = Subset.load(path)
    assert loaded == subset
    assert loaded.content_hash == subset.content_hash
    assert loaded.record.evidence == subset.record.evidence
    assert json.loads(path.read_text())["content_hash"] == subset.content_hash
    assert [entry.name for entry in tmp_path.iterdir()] == ["three-pets.json"]
    assert path.read_text().endswith("}\n")
    assert "a dög" not in path.read_text()


def test_pickle_and_deepcopy_keep_a_subset_whole(make_subset: MakeSubset) -> None:
    subset = make_subset()
    assert pickle.loads(pickle.dumps(subset)) == subset  # noqa: S301
    assert copy.deepcopy(subset) == subset
    assert hash(subset) == hash(make_subset())


def test_an_unwritable_place_is_one_readable_line(make_subset: MakeSubset, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "a.json"):
        with pytest.raises(DataError, match="cannot write"):
            make_subset().save(path)


def test_verify_accepts_the_prompt_set_it_came_from_and_larger_ones(
    make_subset: MakeSubset, pets: PromptSet
) -> None:
    subset = make_subset()
    subset.verify()
    subset.verify(pets)
    subset.verify(pets.without_texts())
    subset.verify(PromptSet("more", ("9", "5", "3", "1"), ("x", "a hen ", "a newt", "a cat")))


def test_verify_names_prompts_that_are_absent_or_have_another_text(
    make_subset: MakeSubset, pets: PromptSet
) -> None:
    subset = make_subset()
    with pytest.raises(DataError, match=r"2 of 3 prompts are not there \(3, 5\)"):
        subset.verify(pets.take([0, 1]))
    swapped = PromptSet("other", ("1", "3", "5"), ("a dog", "a newt", "a cow"))
    with pytest.raises(DataError, match=r"2 of 3 prompts have another text there \(1, 5\)"):
        subset.verify(swapped)


def test_verify_does_not_trust_ids_alone(make_subset: MakeSubset, pets: PromptSet) -> None:
    with pytest.raises(DataError, match="cannot be compared"):
        make_subset().verify(PromptSet("ids", ("1", "3", "5")))
    bare = PromptSet("ids", ("1", "3", "5"))
    chosen = Subset.choose(bare, [0, 2], name="x", metrics=(), method=Method("m"))
    chosen.verify(bare)  # the very prompt set: nothing more can be known
    with pytest.raises(DataError, match="cannot be compared"):
        chosen.verify(pets)


def test_verify_sees_a_change_in_place(make_subset: MakeSubset) -> None:
    subset = make_subset()
    subset.method.settings["lambda"] = 3  # type: ignore[index]
    with pytest.raises(DataError, match="changed in place"):
        subset.verify()


def test_texts_are_filled_in_and_taken_out_again(make_subset: MakeSubset, pets: PromptSet) -> None:
    bare = make_subset().without_texts()
    filled = bare.with_texts(pets)
    assert filled.texts == ("a newt ", "a cat", "a hen")
    assert filled == make_subset()
    with pytest.raises(DataError, match="has no texts"):
        bare.with_texts(pets.without_texts())
    with pytest.raises(DataError, match="another text"):
        bare.with_texts(PromptSet("other", ("1", "3", "5"), ("x", "y", "z")))


def test_a_prefix_is_a_subset_of_its_own_without_the_evidence(
    make_subset: MakeSubset, pets: PromptSet
) -> None:
    subset = make_subset()
    prefix = subset.prefix(2)
    assert prefix.ids == subset.ids[:2]
    assert prefix.name == "three-pets-first-2"
    assert prefix.method.settings["prefix_size"] == 2
    assert prefix.method.settings["prefix_of"] == {
        "name": "three-pets",
        "size": 3,
        "content_hash": subset.content_hash,
    }
    assert prefix.record.evidence is None
    assert prefix.record.calibration == subset.record.looks[0].calibration
    assert prefix.record.looks == ()
    assert prefix.record.known_variants[0].subset_means == {}
    assert prefix.record.known_variants[0].full_means == {"clip": 0.29661}
    assert prefix.content_hash != subset.content_hash
    prefix.verify(pets)
    assert Subset.from_dict(prefix.to_dict()) == prefix


def test_a_prefix_predicts_by_its_own_calibration(make_subset: MakeSubset, tmp_path: Path) -> None:
    subset = Subset.load(make_subset().save(tmp_path / "a.json"))
    assert subset == make_subset()
    assert subset.calibrated_sizes == (2, 3)
    prefix = subset.prefix(2)
    first, second = {"clip": np.array([0.3, 0.31])}, {"clip": np.array([0.305, 0.3])}
    own = subset.record.looks[0].calibration
    weights = prefix.weights
    means = [{"clip": float(np.average(one["clip"], weights=weights))} for one in (first, second)]
    assert prefix.predict(first) == own.predict(means[0])
    assert prefix.difference(first, second) != replace(
        prefix, record=replace(prefix.record, calibration=subset.record.calibration)
    ).difference(first, second)


def test_a_prefix_is_not_calibrated_by_that_of_another_size(make_subset: MakeSubset) -> None:
    assert make_subset().prefix(1).record.calibration is None
    assert make_subset().prefix(1).record.looks == ()
    assert make_subset().prefix(1).calibrated_sizes == ()
    assert make_subset().prefix(2).prefix(1).record.calibration is None
    notes = [make_subset().prefix(size).record.notes[-1] for size in (1, 2)]
    assert notes[0] == "the first 1 of 3 prompts of three-pets, which was chosen as a whole"
    assert notes[1].endswith("which was chosen size by size, this one too")


def test_looks_are_no_part_of_the_content(make_subset: MakeSubset) -> None:
    subset = make_subset()
    without = replace(subset, record=replace(subset.record, looks=()))
    assert without.content_hash == subset.content_hash
    assert "looks" not in without.to_dict()["record"]
    assert Subset.from_dict(without.to_dict()) == without


def test_prefixes_nest(make_subset: MakeSubset) -> None:
    subset = make_subset()
    assert subset.prefix(3) is subset
    assert subset.prefix(2).prefix(1).content_hash == subset.prefix(1).content_hash


@pytest.mark.parametrize("size", [0, -1, 4])
def test_a_prefix_of_impossible_size_is_refused(make_subset: MakeSubset, size: int) -> None:
    with pytest.raises(SettingError, match="1 to 3 prompts"):
        make_subset().prefix(size)
