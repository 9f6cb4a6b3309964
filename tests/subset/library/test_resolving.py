import json
import shutil

import pytest

from flasheval.prompts import PromptSet, load_prompts
from flasheval.subset import Method, MetricInfo, Subset
from flasheval.subset.library import load_subset, resolve
from flasheval.subset.library.copies import open_copy
from flasheval.subset.library.resolving import resolve_together
from flasheval.subset.library.texts import MissingTextsError


def test_one_look_up_serves_all_of_a_prompt_set(published, choose, pets):
    result = resolve_together([choose("mine", (7,))], open_copy(pets))
    assert result.asked[0].texts == ("a owl ",)
    assert result.ready == ("pets-clip-2", "pets-clip-3", "pets-clip-5")
    assert (result.here, result.new) == (6, 6)


def test_nothing_partial_is_used(published, choose, pets):
    half = pets.take([6, 2])
    with pytest.raises(MissingTextsError) as raised:
        resolve(choose("mine", (6, 0)), half)
    assert raised.value.absent == ("1",)
    assert load_subset("pets-clip-2").texts == ("a bee ", "a newt ")
    whole = load_subset("pets-clip-5")
    assert all(prompt.text is None for prompt in whole.prompts)
    others = pets.take([0, 4, 1])  # the rest, in another file
    assert len(resolve(whole, others).texts) == 5


def test_a_damaged_neighbour_is_no_matter_of_this_one(published, choose, pets):
    (published / "pets-clip-3.json").write_text("{}")
    with pytest.warns(UserWarning, match="not a subset manifest"):
        assert resolve(choose("mine", (7,)), pets).texts == ("a owl ",)


def test_where_nothing_can_be_kept_the_texts_are_used(published, choose, pets, cache):
    cache.write_text("a file, not a folder")
    with pytest.warns(UserWarning, match="used, but not kept"):
        assert resolve(choose("mine", (7,)), pets).texts == ("a owl ",)


def _every_hundredth(prompts: PromptSet) -> Subset:
    indices = range(0, len(prompts), 100)
    metrics, method = (MetricInfo("CLIP"),), Method("random")
    return Subset.choose(prompts, indices, name="some", metrics=metrics, method=method)


def test_the_official_coco_captions(published, shared_data, tmp_path):
    copy = shared_data / "coco-prompts.jsonl.xz"
    prompts = load_prompts(copy, name="coco")
    subset = _every_hundredth(prompts)
    resolved = resolve(subset, copy)
    assert resolved.texts == prompts.take(prompts.index_of(subset.ids)).texts
    # COCO's own file: every caption, five an image, under "annotations".
    every = [{"id": int(one), "caption": text} for one, text in zip(
        prompts.ids, prompts.texts, strict=True)]  # fmt: skip
    (tmp_path / "captions_val2014.json").write_text(json.dumps({"annotations": every}))
    shutil.rmtree(tmp_path / "cache")
    assert resolve(subset, tmp_path / "captions_val2014.json").texts == resolved.texts


def test_the_official_diffusiondb_prompts(published, diffusiondb_tree, tmp_path):
    copy = diffusiondb_tree / "data" / "diffusionDB_5000.json"
    prompts = load_prompts(copy)
    subset = _every_hundredth(prompts)
    resolved = resolve(subset, copy)
    assert resolved.texts == prompts.take(prompts.index_of(subset.ids)).texts


def test_the_two_prompt_sets_do_not_mix(published, diffusiondb_tree, shared_data):
    prompts = load_prompts(diffusiondb_tree / "data" / "diffusionDB_5000.json")
    shared = load_prompts(shared_data / "coco-prompts.jsonl.xz")
    there = set(shared.ids)
    same_ids = [i for i, one in enumerate(prompts.ids) if one in there]
    assert len(same_ids) == 421
    metrics, method = (MetricInfo("CLIP"),), Method("random")
    subset = Subset.choose(prompts, same_ids, name="same", metrics=metrics, method=method)
    with pytest.raises(MissingTextsError) as raised:
        resolve(subset, shared)
    assert len(raised.value.other) == 421
